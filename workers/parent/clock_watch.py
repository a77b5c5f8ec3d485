"""Compares the database's clock with this machine's own, which nobody sets: a clock that jumps ends no lease."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from db.ledger import CLOCK_SLACK_SECONDS, Ledger

log = structlog.get_logger()


class ClockWatch:
    """To be asked about every few seconds."""

    def __init__(self, here: Callable[[], float] = time.monotonic) -> None:
        self._here = here
        self._last: tuple[float, float] | None = None

    def is_steady(self, ledger: Ledger) -> bool:
        """Tell whether leases can be judged by the database's clock now.

        Not at the first look, nor after it jumped: those who live must have had the time to renew. A clock that was
        set back, now or before this worker came, has left times in the ledger that are brought back.
        """
        now, here = ledger.now(), self._here()
        before, self._last = self._last, (now, here)
        jump = 0.0 if before is None else (now - before[0]) - (here - before[1])
        if abs(jump) > CLOCK_SLACK_SECONDS:
            log.warning("clock.jumped", seconds=round(jump), next="leases are judged when all had time to renew theirs")
        if before is None or jump < -CLOCK_SLACK_SECONDS:
            ledger.settle_clock()
        return before is not None and abs(jump) <= CLOCK_SLACK_SECONDS
