"""Benchmarks in: one reader per format, one stream of samples out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from db.errors import BenchmarkInvalid, WrongCall
from producer.benchmark.files import open_regular
from producer.benchmark.from_records import RecordBenchmark
from producer.benchmark.json_lines import JsonLines
from producer.benchmark.layouts import PLAIN, Layout
from producer.benchmark.layouts_of_datasets import GEDIT, GEDIT_V2, MAGICBRUSH
from producer.benchmark.magicbrush_folder import SESSIONS, TURNS, MagicBrushFolder
from producer.benchmark.original import Original
from producer.benchmark.parquet import SUFFIX as PARQUET
from producer.benchmark.parquet import Parquet
from producer.benchmark.record import Records
from producer.benchmark.sample import Benchmark
from producer.benchmark.saved_dataset import SPLITS, STATE, SavedDataset

_READERS: dict[str, Callable[[Path], Records]] = {
    ".json": Original,
    ".jsonl": JsonLines,
    ".ndjson": JsonLines,
    PARQUET: Parquet,
}

_KNOWN_BY_COLUMNS = (MAGICBRUSH, GEDIT, GEDIT_V2)


def open_benchmark(path: Path, split: str | None = None) -> Benchmark:
    """Return the reader for a file, chosen by its suffix, or for a folder, by what is in it.

    `split` says which part of a data set that has several. Raises BenchmarkInvalid when it cannot be read at all, and
    WrongCall where the split is not clear.
    """
    records = _folder(path, split) if path.is_dir() else _file(path, split)
    return RecordBenchmark(records, _layout_of(records))


def _file(path: Path, split: str | None) -> Records:
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise BenchmarkInvalid(f"{path}: no reader for this kind of file; expected {', '.join(_READERS)}, or a folder")
    if split is not None:
        raise WrongCall(f"--split {split}: {path} is one file, which has no splits")
    try:
        with open_regular(path):
            return reader(path)
    except OSError as error:
        raise BenchmarkInvalid(f"{path}: cannot be read: {error.strerror}") from error


def _folder(path: Path, split: str | None) -> Records:
    if (path / STATE).exists() or (path / SPLITS).exists():
        return SavedDataset(path, split)
    if (path / TURNS).exists() or (path / SESSIONS).exists():
        if split is not None:
            raise WrongCall(f"--split {split}: the folder {path} is one split already")
        return MagicBrushFolder(path)
    if any(path.glob(f"*{PARQUET}")) or any(path.glob(f"data/*{PARQUET}")):
        return Parquet(path, split)
    raise BenchmarkInvalid(
        f"{path}: is a folder of no known layout; expected {STATE} (a saved data set), {TURNS} (MagicBrush), "
        f"or {PARQUET} files"
    )


def _layout_of(records: Records) -> Layout:
    """Return the layout of a public benchmark where the columns are those of one, else our own."""
    columns = set(getattr(records, "columns", tuple)())
    return next((layout for layout in _KNOWN_BY_COLUMNS if layout.marks <= columns), PLAIN)
