"""The rows of a file of judgements, JSON Lines or CSV by its suffix: objects of fields, or faults in their place.

A CSV has the names of its fields in the first line; a cell that is empty is a field that is not there.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from db.errors import BenchmarkInvalid, WrongCall
from producer.benchmark.files import open_regular
from producer.benchmark.json_lines import read_line
from producer.benchmark.sample import Fault, kind_of

JSON_LINES, CSV = (".jsonl", ".ndjson"), ".csv"

_NUMBER = re.compile(r"[+-]?(\d{1,400}(\.\d{0,400})?|\.\d{1,400})([eE][+-]?\d{1,5})?", re.ASCII)
_WHOLE = re.compile(r"\d{1,10}", re.ASCII)
_NOT_UTF8 = re.compile("[\udc80-\udcff]")
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True)
class Row:
    """One row: the line that it begins at, and its fields."""

    number: int
    fields: Mapping[str, Any]

    @property
    def place(self) -> str:
        """Where it stands."""
        return f"line {self.number}"


def read_rows(path: Path, option: str) -> Iterator[Row | Fault]:
    """Yield the rows in their order; empty lines are passed over.

    Raises WrongCall for a suffix that is neither's, BenchmarkInvalid where the file cannot be read.
    """
    suffix = path.suffix.lower()
    if suffix not in (*JSON_LINES, CSV):
        raise WrongCall(f"{option} {path}: expected a file that ends in {', '.join(JSON_LINES)} or {CSV}")
    try:
        with open_regular(path) as file:
            yield from _csv_rows(file) if suffix == CSV else _json_rows(file)
    except OSError as error:
        raise BenchmarkInvalid(f"{path}: cannot be read: {error.strerror}") from error


def _json_rows(file: BinaryIO) -> Iterator[Row | Fault]:
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        record = read_line(f"line {number}", line)
        if isinstance(record, Mapping):
            yield Row(number, record)
        else:
            is_fault = isinstance(record, Fault)
            yield record if is_fault else Fault(f"line {number}", f"expected an object, found {kind_of(record)}")


# -- CSV ---------------------------------------------------------------------------------------------------------------


def _csv_rows(file: BinaryIO) -> Iterator[Row | Fault]:
    lines = (
        line.decode("utf-8-sig" if number == 0 else "utf-8", "surrogateescape") for number, line in enumerate(file)
    )
    reader = csv.reader(lines, strict=True)
    columns: list[str] | None = None
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Fault(f"line {number}", f"is not valid CSV: {error}")
            continue
        if not any(cells):
            continue
        if columns is None:
            columns = [cell.strip() for cell in cells]
            yield from _faults_of_columns(columns, number)
        else:
            yield _csv_row(number, columns, cells)


def _faults_of_columns(columns: Sequence[str], number: int) -> Iterator[Fault]:
    named = [name for name in columns if name]
    twice = next((name for name in named if named.count(name) > 1), None) if len(named) < 1000 else named[0]
    if "sample" not in named:
        found = ", ".join(map(repr, named[:20]))
        yield Fault(f"line {number}", f"there is no column 'sample'; the columns, parted by commas, are {found}")
    elif twice is not None:
        yield Fault(f"line {number}", f"column {twice!r} is there more than once")


def _csv_row(number: int, columns: Sequence[str], cells: Sequence[str]) -> Row | Fault:
    place = f"line {number}"
    if any(map(_NOT_UTF8.search, cells)):
        return Fault(place, "is not UTF-8")
    if len(cells) > len(columns):
        return Fault(place, f"has {len(cells):,} cells, more than the {len(columns):,} columns")
    fields = {name: cell.strip() for name, cell in zip(columns, cells, strict=False)}
    return Row(number, {name: _read(name, cell) for name, cell in fields.items() if cell and name})


def _read(name: str, cell: str) -> Any:
    """Return a cell as JSON would have it: what is to be a number and is none stays a text, which is complained of."""
    if name == "value" and _NUMBER.fullmatch(cell):
        return float(cell)
    if name in ("repeat", "judge_repeat") and _WHOLE.fullmatch(cell):
        return int(cell)
    return _TRUTH.get(cell.lower(), cell) if name == "tie" else cell
