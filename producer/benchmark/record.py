"""A record as it stands in a benchmark file, before anybody knows what its fields mean."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from producer.benchmark.sample import BenchmarkFile, Fault


@dataclass(frozen=True)
class Record:
    """One record: `values` by the names of its columns, at a `place` such as `line 7`.

    Paths in it begin in `folder`.
    """

    place: str
    values: Mapping[str, Any]
    folder: Path


class Records(BenchmarkFile, Protocol):
    """A file or folder of records in one format; iterating reads it from the beginning, one in memory at a time."""

    def columns(self) -> Collection[str]:
        """Return the names of the columns; none where only reading the records tells."""

    def __iter__(self) -> Iterator[Record | Fault]:
        """Yield the records in their order, a fault where there is no usable one."""
