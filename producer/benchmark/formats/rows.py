"""The rows of a table, CSV, TSV or JSON Lines by its suffix, for all who read one; what they mean is theirs."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from db.errors import BenchmarkInvalid
from producer.benchmark.formats.csv_table import CsvTable
from producer.benchmark.formats.json_lines import JsonLines
from producer.benchmark.formats.record import Record
from producer.benchmark.sample import Fault

_DELIMITERS = {".csv": None, ".tsv": "\t"}  # of the former the header says it
_JSON_LINES = (".jsonl", ".ndjson")

SUFFIXES = (*_DELIMITERS, *_JSON_LINES)
"""What a table's name ends with."""


def table_at(path: Path, required: Collection[str] = ()) -> CsvTable | JsonLines | None:
    """Return the table that a file is by its name, None where it is none; a header must have the `required` columns."""
    suffix = path.suffix.lower()
    if suffix in _DELIMITERS:
        return CsvTable(path, _DELIMITERS[suffix], required=required)
    return JsonLines(path) if suffix in _JSON_LINES else None


def rows_of(table: CsvTable | JsonLines) -> Iterator[Record | Fault]:
    """Yield its rows in their order, a fault in the place of one. Raises BenchmarkInvalid where it cannot be read."""
    try:
        yield from table
    except OSError as error:
        raise BenchmarkInvalid(f"{table.path}: cannot be read: {error.strerror}") from error
