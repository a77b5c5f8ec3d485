"""Shows each job in Flower as a task of its own, though one message may lead to many of them: Celery's own events."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import structlog
from celery import Celery

from db.errors import first_line
from db.jobs import Claim
from db.tables import Stage

log = structlog.get_logger()

SILENCE_SECONDS = 60.0
"""How long nothing is shown after the broker did not answer: each try may wait for seconds."""

WAITING_AT_MOST = 100
"""So many messages may wait to be sent; what comes on top of them is not shown."""

Event = Mapping[str, Any]


class Sightings:
    """Sends events as this worker, in a thread of its own; what the broker does not take is not shown.

    Jobs are noted by one thread, which then has what it noted sent.
    """

    def __init__(self, app: Celery, worker: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._worker = worker
        self._clock = clock
        self._silent_until = 0.0
        self._events: list[Event] = []
        self._begun: set[str] = set()
        self._waiting: queue.Queue[Sequence[Event]] = queue.Queue(WAITING_AT_MOST)
        threading.Thread(target=self._send_for_ever, name="events", daemon=True).start()

    def begun(self, claim: Claim) -> None:
        """Note that a job is under way."""
        uuid = _task_id(claim.stage, claim.job_id, claim.attempt)
        if uuid not in self._begun:
            self._begun.add(uuid)
            self._note("received", uuid, name=claim.stage.value, args=f"({claim.job_id},)", kwargs="{}")
            self._note("started", uuid)

    def succeeded(self, claim: Claim, result: object, seconds: float) -> None:
        """Note that a job is done."""
        self._end(claim, "succeeded", result=repr(result), runtime=seconds)

    def failed(self, claim: Claim, reason: str, *, again: bool) -> None:
        """Note that a job failed, or is to be tried again."""
        self._end(claim, "retried" if again else "failed", exception=reason, traceback="")

    def of(self, stage: Stage, job_id: int, attempt: int) -> Sighting:
        """Return what tells of one job while it goes on."""
        return Sighting(self, _task_id(stage, job_id, attempt))

    def send(self) -> None:
        """Have what was noted sent, in one message."""
        events, self._events = self._events, []
        if events:
            self.send_soon(events)

    def send_soon(self, events: Sequence[Event]) -> None:
        """Have these events sent, behind those before them; where too many wait already, they are let go."""
        with suppress(queue.Full):
            self._waiting.put_nowait(events)

    def wait(self) -> None:
        """Wait until all is sent, or let go."""
        self._waiting.join()

    def _send_for_ever(self) -> None:
        while True:
            events = self._waiting.get()
            if self._clock() >= self._silent_until:
                self._send(events)
            self._waiting.task_done()

    def _send(self, events: Sequence[Event]) -> None:
        try:
            with self._app.events.default_dispatcher(hostname=self._worker) as dispatcher:
                dispatcher.buffer_group, dispatcher.buffer_limit = {"task"}, len(events) + 1
                for event in events:
                    dispatcher.send(**event)
                dispatcher.flush()
        except Exception as error:  # noqa: BLE001 - whatever a broker that is gone comes to, kombu raises many things
            self._silent_until = self._clock() + SILENCE_SECONDS
            log.info("events.not_sent", reason=first_line(error), next=f"again in {SILENCE_SECONDS:.0f} s")

    def _end(self, claim: Claim, kind: str, **fields: Any) -> None:
        self.begun(claim)
        uuid = _task_id(claim.stage, claim.job_id, claim.attempt)
        self._begun.discard(uuid)
        self._note(kind, uuid, **fields)

    def _note(self, kind: str, uuid: str, **fields: Any) -> None:
        self._events.append({"type": f"task-{kind}", "uuid": uuid, "timestamp": time.time(), **fields})


class Sighting:
    """One job as it is shown while it goes on."""

    def __init__(self, sightings: Sightings, uuid: str) -> None:
        self._sightings = sightings
        self._uuid = uuid

    def send_event(self, kind: str, /, **fields: Any) -> None:
        """Have an event of this job sent."""
        self._sightings.send_soon([{"type": kind, "uuid": self._uuid, "timestamp": time.time(), **fields}])


def _task_id(stage: Stage, job_id: int, attempt: int) -> str:
    """Return the id under which an attempt at a job is shown."""
    return f"{stage}-{job_id}-{attempt}"
