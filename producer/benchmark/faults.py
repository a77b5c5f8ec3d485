"""The faults of a file, all counted and the first of them named, before anything of it is taken."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from db.errors import BenchmarkInvalid
from producer.benchmark.sample import Fault

MAX_FAULTS = 1000
"""Faults that are named; of a file with more, which has another mistake than these, the others are counted."""


class FaultsFound(BenchmarkInvalid):
    """A file with faults: `count` of them, of which `named` are those that there is room for."""

    def __init__(self, message: str, named: Sequence[Fault | str], count: int) -> None:
        unnamed = [f"and {count - len(named):,} more"] if count > len(named) else []
        super().__init__(message, (*map(str, named), *unnamed))
        self.named = named
        self.count = count


class Faults:
    """All faults counted, and the first of them kept."""

    def __init__(self) -> None:
        self.count = 0
        self._named: list[Fault | str] = []

    def add(self, *faults: Fault | str) -> None:
        """Count these; name them while there is room."""
        self._named.extend(faults[: MAX_FAULTS - len(self._named)])
        self.count += len(faults)

    def require_none(self, path: Path, consequence: str) -> None:
        """Raise FaultsFound that says what comes of it, with the faults, where there are any."""
        if self.count:
            wrong = "1 fault" if self.count == 1 else f"{self.count:,} faults"
            raise FaultsFound(f"{path}: {wrong}, {consequence}", self._named, self.count)
