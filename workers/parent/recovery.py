"""Recovers what is lost: the jobs that dead workers left, and the messages that are owed or never came."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

import structlog

from db.doorbells import owe_lost, ring_owed
from db.ledger import Ledger
from db.tables import Stage
from workers.broker.queues import messages_waiting, send
from workers.parent.clock_watch import ClockWatch

log = structlog.get_logger()

RECOVERERS = 8
"""So many workers, about, look for it each time, however many there are: each look is at all that is claimed."""


class Recovery:
    """Asked again and again of every worker; all of them together do no harm."""

    def __init__(self) -> None:
        self._clock = ClockWatch()

    def look(self, ledger: Ledger, *, living: int, at_once: bool) -> Mapping[Stage, int]:
        """Recover what there is, if it is this worker's turn among so many, or `at_once`.

        Return how many messages of each stage waited before. Raises what database and broker raise.
        """
        is_steady = self._clock.is_steady(ledger)
        if not at_once and not is_chosen(living):
            return messages_waiting()
        lost = ledger.hand_back_lost(judge_leases=is_steady)
        waiting = messages_waiting()
        for stage in Stage:
            lost += owe_lost(ledger, stage, waiting[stage])
        sent = ring_owed(ledger, send, waiting)
        if lost or sent:
            log.info("lease.recovered", lost=lost, messages=sent)
        return waiting


def is_chosen(living: int, draw: Callable[[], float] = random.random) -> bool:
    """Tell whether one of so many workers should look for what is lost now; by chance, and always where they are few.

    That nobody does happens once in 3,000 times; then it is done some seconds later.
    """
    return draw() * living < RECOVERERS
