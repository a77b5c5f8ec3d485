"""A record as it stands in a benchmark file, before anybody knows what its fields mean."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from db.prompts import OwnPrompt
from producer.benchmark.sample import BenchmarkFile, Fault


@dataclass(frozen=True)
class Record:
    """One record: `values` by the names of its columns, at a `place` such as `line 7`.

    Paths in it begin in `folder`. `byte` is where it begins in its file, where that is known and of use.
    """

    place: str
    values: Mapping[str, Any]
    folder: Path
    byte: int | None = None


def place_at(place: str, byte: int, *, exact: bool = True) -> str:
    """Return the place with its byte; where that is not exact, the place comes after it."""
    return f"{place} {'at' if exact else 'after'} byte {byte:,}"


class Records(BenchmarkFile, Protocol):
    """A file or folder of records in one format; iterating reads it from the beginning, one in memory at a time."""

    def columns(self) -> Collection[str]:
        """Return the names of the columns; none where only reading the records tells."""

    def __iter__(self) -> Iterator[Record | Fault]:
        """Yield the records in their order, a fault in the place of one; a FileFault is in no record's place."""


class NamedByPath:
    """What a file or folder is that says nothing of itself: it is called by its name, and brings no prompts.

    `split` is the one of its splits that was asked for; None where none was.
    """

    def __init__(self, path: Path, split: str | None = None) -> None:
        self._path = path
        self._split = split

    @property
    def path(self) -> Path:
        """Where it is."""
        return self._path

    @property
    def name(self) -> str:
        """A folder's name, or a file's without its suffix, with the split that was asked for."""
        name = self._path.resolve().name if self._path.is_dir() else self._path.stem
        return f"{name} {self._split}" if self._split else name

    @property
    def prompts(self) -> Mapping[str, OwnPrompt]:
        """None."""
        return {}

    def columns(self) -> Collection[str]:
        """None: they are known when the records are read."""
        return ()


@runtime_checkable
class HasRemarks(Protocol):
    """Records of which there is something to say that is no fault."""

    def remarks(self) -> Iterator[str]:
        """Yield it, a line each, once all of them were read."""
