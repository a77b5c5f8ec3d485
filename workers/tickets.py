"""Takes from the queue the messages of jobs that were claimed without them, so that they wake nobody for nothing.

A message is a ticket: it says that a job waits, and the ledger says which. Whoever takes several jobs for one message
takes as many messages more. One too many or too few costs a moment: what is lost is sent again (`db.doorbells`).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import structlog
from kombu.exceptions import OperationalError
from redis import RedisError

from db.errors import first_line
from db.tables import Stage
from workers.sightings import SILENCE_SECONDS

log = structlog.get_logger()

_NOT_TAKEN = (OperationalError, RedisError, OSError, AttributeError)
"""What a broker that is gone comes to: kombu lets redis' own errors through, and trips over what it has lost."""


class Tickets:
    """Counts what was claimed, and takes the messages of it. `patient` is entered while the broker is asked."""

    def __init__(self, app: Any, patient: Callable[[], AbstractContextManager[None]]) -> None:
        self._app = app
        self._patient = patient
        self._due: Counter[Stage] = Counter()
        self._silent_until = 0.0

    def woken(self, stage: Stage) -> None:
        """A message came by Celery: the first job that is claimed at its stage has had its ticket."""
        self._due = Counter({stage: -1})

    def claimed(self, stage: Stage, jobs: int) -> None:
        """Take the messages of so many jobs that were claimed."""
        self._due[stage] += jobs
        wanted = self._due[stage]
        if wanted <= 0 or time.monotonic() < self._silent_until:
            return
        self._due[stage] = 0
        try:
            with self._patient(), self._channel() as channel:
                channel.take(stage.value, wanted)
        except _NOT_TAKEN as error:
            self._silent_until = time.monotonic() + SILENCE_SECONDS
            log.info("tickets.not_taken", reason=first_line(error), next=f"again in {SILENCE_SECONDS:.0f} s")

    @contextmanager
    def _channel(self) -> Iterator[Any]:
        with self._app.pool.acquire(block=True) as connection:
            yield connection.default_channel
