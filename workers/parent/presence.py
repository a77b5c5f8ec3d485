"""What a worker's parent tells the other workers of itself, in the ledger: that it lives, and how it is."""

from __future__ import annotations

from collections.abc import Set

from db import farm
from db.gpus import gpu_of
from db.owner import this_process
from db.presence import enter_worker, worker_is_sick, worker_leaves, worker_lives
from db.seats import GONE_SECONDS
from db.tables import Stage


class Presence:
    """One worker's, by its name."""

    def __init__(self, worker: str) -> None:
        self._worker = worker
        self._is_entered = False
        self._sick: str | None = None

    def fell_sick(self, reason: str) -> None:
        """Have it told with the next word that its GPU fails."""
        self._sick = reason

    def tell(self, stages: Set[Stage]) -> int:
        """Say that the worker lives and serves these stages; return how many workers live."""
        engine, me = farm.engine(), this_process()
        living = 1
        if not self._is_entered:
            enter_worker(engine, self._worker, me, gpu_of(self._worker), stages)
            self._is_entered = True
        else:
            living = worker_lives(engine, self._worker, me, GONE_SECONDS)  # most of many may be gone
            self._is_entered = living > 0  # else it was silent for a day, and says who it is at the next turn
        if self._sick is not None:
            worker_is_sick(engine, self._worker, me, self._sick)
            self._sick = None
        return living

    def leave(self) -> None:
        """Say that the worker has ended."""
        worker_leaves(farm.engine(), self._worker, this_process())
