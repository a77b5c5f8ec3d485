"""Sends the messages that a child's work owes, as long as few wait: each wakes a worker, which does what it finds."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

import structlog

from db.doorbells import ENOUGH, Send, ring
from db.jobs import Doorbell
from db.ledger import Ledger
from db.tables import Stage

log = structlog.get_logger()

LOOK_SECONDS = 3.0
"""How often the queue's length is asked for at most."""


class Ringer:
    """Rings for scores. `waiting` tells how many messages the queues hold; `patient` is entered to ask a broker.

    Whoever cannot be told now is told by a lease keeper, some seconds later.
    """

    def __init__(
        self,
        ledger: Ledger,
        send: Send,
        *,
        waiting: Callable[[], Mapping[Stage, int]] = lambda: {},
        patient: Callable[[], AbstractContextManager[None]] = nullcontext,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger = ledger
        self._send = send
        self._waiting = waiting
        self._patient = patient
        self._clock = clock
        self._look_at = 0.0
        self._is_wanted = True

    @property
    def is_wanted(self) -> bool:
        """Whether messages for new scores are to be sent now; otherwise they stay owed until the queue is shorter."""
        return self._is_wanted

    def ring(self, doorbells: Sequence[Doorbell]) -> None:
        """Send these messages. Those that the broker does not take are owed again."""
        if not doorbells and self._is_wanted:
            return
        try:
            with self._patient():  # a frozen broker
                ring(self._ledger, doorbells, self._send)
                self._look()
        except Exception as error:  # noqa: BLE001 - kombu raises many things for a broker that is gone
            self._is_wanted = True
            log.warning("message.owed", messages=len(doorbells), reason=str(error))

    def _look(self) -> None:
        if self._clock() >= self._look_at:
            self._look_at = self._clock() + LOOK_SECONDS
            self._is_wanted = self._waiting().get(Stage.SCORE, 0) < ENOUGH
