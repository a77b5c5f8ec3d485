"""A data set as `datasets.save_to_disk` leaves it: a folder of Arrow streams, or one such folder for each split.

Which streams there are, and in which order, is in `state.json`; what the columns are, in `dataset_info.json` and again
in each stream. A stream that is cut between two of its batches would read as a shorter one without a word: so its end
is looked at first. Streams are mapped into memory, not read into it, and what was passed is given back.
"""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

from db.errors import BenchmarkInvalid, WrongCall, first_line
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
from producer.benchmark.formats.splits import chosen
from producer.benchmark.sample import Fault

INFO = "dataset_info.json"
STATE = "state.json"
SPLITS = "dataset_dict.json"

_MOST_BYTES = 16 << 20
"""Of a file of JSON that says what there is."""

_LONGEST_NAME = 255
"""Bytes that a file system takes."""

_BATCH_BYTES = 8 << 20
_MOST_ROWS = 1000
_END_OF_STREAM = b"\xff\xff\xff\xff\0\0\0\0"


class SavedDataset(NamedByPath):
    """The rows of a saved data set, of one split where there are several.

    Raises WrongCall where it is not clear of which split, BenchmarkInvalid where the folder is no saved data set.
    """

    def __init__(self, path: Path, split: str | None = None) -> None:
        require_pyarrow("a saved data set")
        super().__init__(path, split)
        self._folder = path / _split_in(path, split) if (path / SPLITS).exists() else path
        self._shards = _shards_in(self._folder)
        if split is not None and self._folder == path:
            _require_split(path, split)

    @property
    def files(self) -> Sequence[Path]:
        """The files that hold the rows, in their order."""
        return [self._folder / shard for shard in self._shards]

    def columns(self) -> tuple[str, ...]:
        """Return the names of the columns; none where they cannot be read."""
        try:
            with _stream(self.files[0]) as opened:
                return tuple(opened.stream.schema.names)
        except arrow_errors():
            return ()

    def __iter__(self) -> Iterator[Record | Fault]:
        """Yield the rows in their order, a fault for those that cannot be read."""
        for file in self.files:
            yield from _read_shard(file, f"{file.name} " if len(self._shards) > 1 else "")


# -- what there is -----------------------------------------------------------------------------------------------------


def _split_in(path: Path, split: str | None) -> str:
    """Return the name of the folder of the split."""
    names = _json_object(path / SPLITS).get("splits")
    if not isinstance(names, list) or not names or not all(map(_is_file_name, names)):
        raise BenchmarkInvalid(f"{path / SPLITS}: `splits` is no list of names")
    by_name: dict[str, str] = {name: name for name in names}
    return chosen(by_name, split, "split", path)


def _shards_in(folder: Path) -> list[str]:
    """Return the names of a saved data set's streams, in their order."""
    state = _json_object(folder / STATE)
    if state.get("_indices_data_files"):
        raise BenchmarkInvalid(f"{folder}: was saved by an old version of `datasets`; load it and save it again")
    listed = state.get("_data_files") if _is_list(state.get("_data_files")) else None
    shards: list[Any] = [one.get("filename") if isinstance(one, dict) else None for one in listed or ()]
    if not shards or not all(map(_is_file_name, shards)):
        raise BenchmarkInvalid(f"{folder / STATE}: `_data_files` is no list of file names")
    return shards


def _require_split(path: Path, split: str) -> None:
    only = _json_object(path / STATE).get("_split")
    if split != only:
        there_is = f"it is {only!r}" if only else "it has none; leave --split out"
        raise WrongCall(f"{path}: no split {split!r}; {there_is}")


def _json_object(file: Path) -> dict[str, Any]:
    try:
        with open_regular(file) as opened:
            content = json.loads(opened.read(_MOST_BYTES))
    except FileNotFoundError as error:
        raise BenchmarkInvalid(f"{file.parent}: holds no {file.name}, so it is no saved data set") from error
    except OSError as error:
        raise BenchmarkInvalid(f"{file}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise BenchmarkInvalid(f"{file}: is no JSON: {first_line(error)}") from error
    if not isinstance(content, dict):
        raise BenchmarkInvalid(f"{file}: is no JSON object")
    return content


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _is_file_name(name: object) -> bool:
    """Tell whether it is a name in this folder, and leads to no other."""
    if not isinstance(name, str) or "\0" in name or name in ("", ".", ".."):
        return False
    encoded = name.encode(errors="replace")
    return Path(name).name == name and len(encoded) <= _LONGEST_NAME and encoded.decode() == name


# -- streams -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Opened:
    """A stream; what gives back the memory of what was read of it, and how many bytes of its file are not read yet."""

    stream: Any
    give_back: Callable[[], None]
    bytes_left: Callable[[], int]


def _read_shard(file: Path, prefix: str) -> Iterator[Record | Fault]:
    row = 1
    try:
        with _stream(file) as opened:
            features = features_in(opened.stream.schema.metadata)
            for batch in opened.stream:
                for number, values in enumerate(_rows_in(batch, features, opened.give_back), start=row):
                    place = f"{prefix}row {number}"
                    yield Fault(place, values) if isinstance(values, str) else Record(place, values, file.parent)
                row += batch.num_rows
            if rest := opened.bytes_left():
                raise ValueError(f"{rest:,} bytes stand behind the end of its stream")
    except arrow_errors() as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else reason_of(error)
        yield Fault(f"{prefix}row {row}", f"{file.name} cannot be read from here on: {reason}")


@contextmanager
def _stream(file: Path) -> Iterator[_Opened]:
    """Open a stream. Raises what `arrow_errors` names."""
    import pyarrow

    with open_regular(file) as opened:
        if not os.fstat(opened.fileno()).st_size:
            raise ValueError("it is empty")
        mapped = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
    if mapped[-len(_END_OF_STREAM) :] != _END_OF_STREAM:
        raise ValueError("it is cut short, or no Arrow stream")
    source = pyarrow.BufferReader(pyarrow.py_buffer(mapped))
    with pyarrow.ipc.open_stream(source) as stream:
        yield _Opened(stream, lambda: mapped.madvise(mmap.MADV_DONTNEED), lambda: len(mapped) - source.tell())


def _rows_in(batch: Any, features: Features, give_back: Callable[[], None]) -> Iterator[dict[str, Any] | str]:
    """Yield the rows of a batch, what is wrong with one in its place; of a damaged batch one line for all of them."""
    try:
        batch.validate(full=True)  # offsets that lead out of the batch are found in no other way, and read regardless
    except arrow_errors() as error:
        yield f"it and what follows in its batch of {batch.num_rows:,} rows cannot be read: {reason_of(error)}"
        return
    rows_at_once = min(_MOST_ROWS, max(1, _BATCH_BYTES * batch.num_rows // max(1, batch.nbytes)))
    for first in range(0, batch.num_rows, rows_at_once):
        yield from rows_of(batch.slice(first, rows_at_once), features)
        give_back()
