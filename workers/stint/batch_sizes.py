"""How many scores a batch may hold: as many as the memory at hand has shown to take, and now and then one more."""

from __future__ import annotations

from db.choice import ModelChoice
from db.tables import Stage
from db.timings import timing_key

STEADY_BATCHES = 20
"""After so many full batches in a row one more score is tried: what filled the memory may be gone."""


class BatchSizes:
    """One for the life of a pool child; what is not known to be too large is allowed."""

    def __init__(self) -> None:
        self._limits: dict[str, int] = {}
        self._passed: dict[str, int] = {}
        self._largest: dict[str, int] = {}  # that passed since one was too large

    def limit(self, model: ModelChoice, asked: int) -> int:
        """Return how many scores to judge at once, from 1 to `asked`."""
        return min(asked, self._limits.get(_key(model), asked))

    def passed(self, model: ModelChoice, size: int) -> None:
        """Hear that a batch of that size went well."""
        key = _key(model)
        self._largest[key] = max(size, self._largest.get(key, 0))
        if size < self._limits.get(key, size + 1):
            return
        self._passed[key] = self._passed.get(key, 0) + 1
        if self._passed[key] >= STEADY_BATCHES:
            self._limits[key], self._passed[key] = size + 1, 0

    def too_large(self, model: ModelChoice, size: int) -> None:
        """Hear that a batch of that size did not fit into the memory."""
        key = _key(model)
        self._limits[key], self._passed[key] = max(1, size // 2, min(size - 1, self._largest.pop(key, 0))), 0


def _key(model: ModelChoice) -> str:
    return timing_key(Stage.SCORE, model)
