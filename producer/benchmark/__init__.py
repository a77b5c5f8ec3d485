"""Benchmarks in: one reader per format, one stream of samples out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from db.errors import BenchmarkInvalid, WrongCall
from producer.benchmark.detect import columns_of, records_at
from producer.benchmark.from_records import RecordBenchmark
from producer.benchmark.how import HowToRead
from producer.benchmark.image_folder import ImageFolder
from producer.benchmark.image_values import columns_like
from producer.benchmark.kris_bench import KrisBench
from producer.benchmark.layouts import PLAIN
from producer.benchmark.original import Original
from producer.benchmark.public_layouts import LAYOUTS, ORIGINAL
from producer.benchmark.record import Records

_COLUMNS_SHOWN, _SHOWN = 20, 80
"""Columns that a fault names, and characters of each."""


def open_benchmark(path: Path, how: HowToRead | None = None) -> RecordBenchmark:
    """Return the benchmark of a file or folder, its reader and layout chosen by what is in it and by what was said.

    Raises BenchmarkInvalid when it cannot be read at all or nothing is known of its columns, and WrongCall where the
    split is not clear, or something was said that does not hold.
    """
    how = how or HowToRead()
    if how.images is not None and not how.images.is_dir():
        raise WrongCall(f"--images {how.images}: is no folder")
    records = records_at(path, how)
    if how.images is not None and isinstance(records, ImageFolder | KrisBench):
        raise WrongCall(f"--images {how.images}: images of {path} lie beside its own files")
    name = how.layout or _layout_of(records, how)
    return RecordBenchmark(records, LAYOUTS[name].with_columns(how.columns), how.images, how.columns, name)


def _layout_of(records: Records, how: HowToRead) -> str:
    """Return the name of the layout that the records are in, by their columns."""
    if isinstance(records, Original):
        return ORIGINAL
    columns = columns_of(records)
    marked = {name: layout.marks for name, layout in LAYOUTS.items() if layout.marks and layout.marks <= {*columns}}
    if marked:
        most = max(map(len, marked.values()))
        fitting = [name for name, marks in marked.items() if len(marks) == most]
        fitting += ["plain"] if _has_all_of_plain(columns) else []
        if len(fitting) > 1:
            names = ", ".join(fitting)
            raise BenchmarkInvalid(
                f"{records.path}: its columns are those of several layouts; --format says which: {names}"
            )
        return fitting[0]
    base64 = {name.removesuffix("_b64") for name in columns}
    if columns and not how.columns and not base64 & {*PLAIN.instruction, *PLAIN.source}:
        shown = ", ".join(name[:_SHOWN] for name in columns[:_COLUMNS_SHOWN]) + (
            ", ..." if len(columns) > _COLUMNS_SHOWN else ""
        )
        raise BenchmarkInvalid(
            f"{records.path}: no known layout has its columns ({shown}); say which with --format NAME "
            f"({', '.join(LAYOUTS)}), or where things are with --column PART=COLUMN"
        )
    return "plain"


def _has_all_of_plain(columns: Sequence[str]) -> bool:
    """Tell whether our own layout would take such records as they are."""
    parts = (PLAIN.key, PLAIN.category, PLAIN.instruction, PLAIN.source)
    return all(any(columns_like(name) & {*columns} for name in names) for names in parts)
