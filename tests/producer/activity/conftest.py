"""A real broker over which workers say what they are at, and a watch that is looked at."""

from __future__ import annotations

import io
import json
import math
import re
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis
from celery import Celery
from rich.console import Console

import celeryconfig
from db.activity import EVENT, Activity
from db.queries import find_run
from producer import watch as watching
from producer.activity import Listener
from producer.queue import app
from producer.watch import lines as writing
from producer.watch import watch
from tests.producer.by_hand import RunByHand

WORKER = "edit-gpu2@host"
STEP = Activity(gpu="2", what="editing", model="qwen", key="a", step=23, steps=40, steps_per_second=1.8)
OF_MEMORY = ("memory_used_bytes", "memory_bytes")


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

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


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


@pytest.fixture(params=["nobody listens", "nobody answers"])
def dead_broker(request: pytest.FixtureRequest) -> Iterator[None]:
    """An address where nothing listens, or where what listens never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1] if request.param == "nobody answers" else 1
        with listening_at(f"redis://127.0.0.1:{port}/0"):
            yield


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
