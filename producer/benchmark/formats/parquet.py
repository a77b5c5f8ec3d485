"""Parquet: one row a sample, in one file or in a folder of them, images as bytes or by their paths.

A folder's files are read in the order of their names, those directly in it or in its `data`; of files that are named
after splits, as Hugging Face's tools name them, those of one split. No more than a few rows are in memory, beside what
pyarrow needs: several times the largest row group (benchmarks/RESULTS.md).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from db.errors import BenchmarkInvalid
from producer.benchmark.files import open_regular
from producer.benchmark.formats.arrow_values import (
    Features,
    arrow_errors,
    features_in,
    reason_of,
    require_pyarrow,
    rows_of,
)
from producer.benchmark.formats.record import NamedByPath, Record
from producer.benchmark.formats.splits import chosen, splits_of
from producer.benchmark.sample import Fault

SUFFIX = ".parquet"

_MAGIC = b"PAR1"
_ENCRYPTED = b"PARE"
_LFS_POINTER = b"version https://git-lfs"
_BUFFER_BYTES = 1 << 20
_BATCH_BYTES = 8 << 20
_MOST_ROWS = 1000


class Parquet(NamedByPath):
    """The rows of a Parquet file, or of those of a folder, of which `files` may be given.

    Raises WrongCall where it is not clear of which split, BenchmarkInvalid where the folder has no such files.
    """

    def __init__(self, path: Path, split: str | None = None, *, files: Sequence[Path] = ()) -> None:
        require_pyarrow("Parquet")
        super().__init__(path, split)
        self._files = files or (_files_in(path, split) if path.is_dir() else [path])

    def columns(self) -> tuple[str, ...]:
        """Return the names of the columns of the first file; none where it cannot be read."""
        opened = _opened(self._files[0], "")
        if isinstance(opened, Fault):
            return ()
        with opened, suppress(*arrow_errors()):
            return tuple(opened.schema_arrow.names)
        return ()

    def __iter__(self) -> Iterator[Record | Fault]:
        """Yield the rows in their order, a fault for those that cannot be read."""
        for file in self._files:
            yield from _read_file(file, "" if file == self._path else f"{file.relative_to(self._path)} ")


def _files_in(folder: Path, split: str | None) -> list[Path]:
    here = folder if any(folder.glob(f"*{SUFFIX}")) else folder / "data"
    files = [str(file) for file in here.glob(f"*{SUFFIX}")]
    if not files:
        raise BenchmarkInvalid(f"{folder}: holds no {SUFFIX} files, nor does its `data`")
    return [Path(file) for file in chosen(splits_of(files), split, "split", folder)]


def _read_file(file: Path, prefix: str) -> Iterator[Record | Fault]:
    opened = _opened(file, prefix)
    if isinstance(opened, Fault):
        yield opened
        return
    with opened:
        try:
            features = features_in(opened.schema_arrow.metadata)
            groups = [_Group.of(opened, number) for number in range(opened.num_row_groups)]
        except arrow_errors() as error:
            yield Fault(_whole(file, prefix), f"is damaged: {reason_of(error)}")
            return
        first = 1
        for group in groups:
            for row, values in enumerate(group.read(features), start=first):
                place = f"{prefix}row {row}"
                yield Fault(place, values) if isinstance(values, str) else Record(place, values, file.parent)
            first += group.rows


@dataclass(frozen=True)
class _Group:
    """A row group: rows that are stored together, and so read and damaged together."""

    source: Any
    number: int
    rows: int
    size_bytes: int

    @staticmethod
    def of(source: Any, number: int) -> _Group:
        """Return the group of this number of a ParquetFile. Raises what `arrow_errors` names."""
        about = source.metadata.row_group(number)
        return _Group(source, number, max(0, about.num_rows), max(0, about.total_byte_size))

    def read(self, features: Features) -> Iterator[dict[str, Any] | str]:
        """Yield its rows, what is wrong with one in its place; one line for all that are left where that is all."""
        done = 0
        rows_at_once = min(_MOST_ROWS, max(1, _BATCH_BYTES * self.rows // max(1, self.size_bytes)))
        try:
            for batch in self.source.iter_batches(rows_at_once, row_groups=[self.number], use_threads=False):
                yield from rows_of(batch, features)
                done += batch.num_rows
        except arrow_errors() as error:
            yield f"{_rest(done, self.rows)} cannot be read: {reason_of(error)}"
            return
        if done < self.rows:
            yield f"{_rest(done, self.rows)} cannot be read: the file holds fewer than it says"


def _opened(file: Path, prefix: str) -> Any:
    """Return the file as a ParquetFile; a Fault where it is none."""
    from pyarrow.parquet import ParquetFile

    try:
        with open_regular(file) as opened:
            head = opened.read(len(_LFS_POINTER))
            opened.seek(-min(len(head), len(_MAGIC)), os.SEEK_END)
            tail = opened.read()
        if complaint := _no_parquet(head, tail):
            return Fault(_whole(file, prefix), complaint)
        return ParquetFile(
            str(file),
            pre_buffer=False,  # with it the whole file is held
            buffer_size=_BUFFER_BYTES,
            page_checksum_verification=True,
        )
    except OSError as error:
        return Fault(_whole(file, prefix), f"cannot be read: {error.strerror or reason_of(error)}")
    except arrow_errors() as error:
        return Fault(_whole(file, prefix), f"is damaged: {reason_of(error)}")


def _no_parquet(head: bytes, tail: bytes) -> str | None:
    """Return what is wrong with a file that begins and ends so; None where it is Parquet at first sight."""
    if not head:
        return "is empty"
    if head == _LFS_POINTER:
        return "is a pointer of Git LFS, not the file itself; fetch that with `git lfs pull`"
    if head.startswith(_ENCRYPTED):
        return "is encrypted Parquet, which is not read"
    if not head.startswith(_MAGIC):
        return "is not Parquet"
    return None if tail == _MAGIC else "is cut short: a Parquet file ends in PAR1"


def _whole(file: Path, prefix: str) -> str:
    return prefix.strip() or file.name


def _rest(done: int, rows: int) -> str:
    left = max(1, rows - done)
    return "it" if left == 1 else f"it and the {left - 1:,} rows after it"
