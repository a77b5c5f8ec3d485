"""Benchmarks in: one reader per format, one stream of samples out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from db.errors import BenchmarkInvalid, WrongCall
from producer.benchmark.detect import columns_of, records_at
from producer.benchmark.formats.image_folder import ImageFolder
from producer.benchmark.formats.kris_bench import KrisBench
from producer.benchmark.formats.original import Original
from producer.benchmark.formats.record import Records
from producer.benchmark.from_records import RecordBenchmark
from producer.benchmark.how import HowToRead
from producer.benchmark.hub.address import HubAddress, Where
from producer.benchmark.hub.fetching import fetch
from producer.benchmark.image_values import columns_like
from producer.benchmark.layouts.layout import PLAIN
from producer.benchmark.layouts.public import LAYOUTS, ORIGINAL

_COLUMNS_SHOWN, _SHOWN = 20, 80
"""Columns that a fault names, and characters of each."""


def open_benchmark(where: Where, how: HowToRead | None = None) -> RecordBenchmark:
    """Return the benchmark of a file or folder, or of a data set on the Hub, which is fetched.

    Its reader and layout are chosen by what is in it and by what was said.

    Raises BenchmarkInvalid when it cannot be read at all or nothing is known of its columns, and WrongCall where the
    split is not clear, or something was said that does not hold.
    """
    how = how or HowToRead()
    if how.images is not None and not how.images.is_dir():
        raise WrongCall(f"--images {how.images}: is no folder")
    records, called, inside = _opened(where, how)
    if how.images is not None and isinstance(records, ImageFolder | KrisBench):
        raise WrongCall(f"--images {how.images}: images of {where} lie beside its own files")
    name = how.layout or _layout_of(records, how)
    layout = LAYOUTS[name].with_columns(how.columns)
    return RecordBenchmark(records, layout, how.images, how.columns, name, called, inside)


def _opened(where: Where, how: HowToRead) -> tuple[Records, str | None, Path | None]:
    """Return the records, what they are called and what they lie in where they do not say it themselves."""
    if isinstance(where, HubAddress):
        fetched = fetch(where, how)
        return fetched.records, fetched.name, fetched.inside
    if how.subset is not None:
        raise WrongCall(f"--subset {how.subset}: {where} has no subsets; data sets on the Hub (hf://OWNER/NAME) may")
    return records_at(where, how), None, None


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
    if columns and not how.columns and not _has_any(columns, (*PLAIN.instruction, *PLAIN.source)):
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
    return all(_has_any(columns, names) for names in parts)


def _has_any(columns: Sequence[str], names: Sequence[str]) -> bool:
    return any(columns_like(name) & {*columns} for name in names)
