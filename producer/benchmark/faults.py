"""The faults of a file, all counted and the first of them named, before anything of it is taken."""

from __future__ import annotations

from pathlib import Path

from db.errors import BenchmarkInvalid
from producer.benchmark.sample import Fault

MAX_FAULTS = 1000
"""Faults that are named; of a file with more, which has another mistake than these, the others are counted."""


class Faults:
    """All faults counted, and of the first of them their lines."""

    def __init__(self) -> None:
        self.count = 0
        self._lines: list[str] = []

    def add(self, *faults: Fault | str) -> None:
        """Count these; name them while there is room."""
        room = MAX_FAULTS - len(self._lines)
        self._lines.extend(str(fault) for fault in faults[:room])
        self.count += len(faults)

    def require_none(self, path: Path, consequence: str) -> None:
        """Raise BenchmarkInvalid that says what comes of it, with the faults, where there are any."""
        if self.count:
            wrong = "1 fault" if self.count == 1 else f"{self.count:,} faults"
            raise BenchmarkInvalid(f"{path}: {wrong}, {consequence}", self._shown())

    def _shown(self) -> tuple[str, ...]:
        unnamed = self.count - len(self._lines)
        return (*self._lines, f"and {unnamed:,} more") if unnamed else tuple(self._lines)
