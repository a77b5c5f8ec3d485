"""The rows of a file of judgements, JSON Lines or a table by its suffix, with the fields of both as JSON has them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from db.errors import WrongCall
from producer.benchmark.formats.csv_table import CsvTable
from producer.benchmark.formats.record import Record
from producer.benchmark.formats.rows import SUFFIXES, rows_of, table_at
from producer.benchmark.sample import Fault

_NUMBER = re.compile(r"[+-]?(\d{1,400}(\.\d{0,400})?|\.\d{1,400})([eE][+-]?\d{1,5})?", re.ASCII)
_WHOLE = re.compile(r"\d{1,10}", re.ASCII)
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def read_rows(path: Path, option: str) -> Iterator[Record | Fault]:
    """Yield the rows in their order; empty lines are passed over.

    Raises WrongCall for a suffix that is no table's, BenchmarkInvalid where the file cannot be read.
    """
    table = table_at(path, required=("sample",))
    if table is None:
        raise WrongCall(f"{option} {path}: expected a file that ends in one of {', '.join(SUFFIXES)}")
    for row in rows_of(table):
        yield _as_json(row) if isinstance(row, Record) and isinstance(table, CsvTable) else row


def _as_json(row: Record) -> Record:
    return replace(row, values={name: _read(name, cell.strip()) for name, cell in row.values.items()})


def _read(name: str, cell: str) -> Any:
    """Return a cell as JSON would have it: what is to be a number and is none stays a text, which is complained of."""
    if name == "value" and _NUMBER.fullmatch(cell):
        return float(cell)
    if name in ("repeat", "judge_repeat") and _WHOLE.fullmatch(cell):
        return int(cell)
    return _TRUTH.get(cell.lower(), cell) if name == "tie" else cell
