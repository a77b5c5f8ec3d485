"""Tables in CSV and TSV: a header, then one sample a row; images by path, or as base64 in a column ending in `_b64`."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from db.decode import MAX_BYTES
from producer.benchmark.files import open_regular
from producer.benchmark.formats.lines import LONGEST_LINE, Line, lines_of
from producer.benchmark.formats.record import NamedByPath, Record
from producer.benchmark.sample import Fault, FileFault

LONGEST_CELL = MAX_BYTES * 4 // 3 + 1000
"""Characters: the largest image in base64 as a data URL."""

_SHOWN = 80
"""Characters of a column's name that a fault repeats."""

_COLUMNS_SHOWN = 20
"""Columns that a fault names."""


class CsvTable(NamedByPath):
    """The rows of a table. An empty cell counts as missing; a row's place is the line that it begins in.

    A first column without a name, which is how pandas writes the numbers of rows, is passed over. Of a table whose
    header lacks one of the `required` columns no row is read.
    """

    def __init__(self, path: Path, delimiter: str | None = None, *, required: Collection[str] = ()) -> None:
        super().__init__(path)
        self._delimiter = delimiter
        self._required = required

    def columns(self) -> Sequence[str]:
        """Return the names in the header; none where it does not hold, which reading the rows tells."""
        with open_regular(self._path) as file:
            for _, row in _Rows(lines_of(file, with_empty=True), self._delimiter):
                names = [] if isinstance(row, Fault) else [name.strip() for name in row]
                return [] if _fault_of_header(names, self._required) else [name for name in names if name]
        return []

    def __iter__(self) -> Iterator[Record | Fault]:
        """Yield the rows in their order; those of empty cells alone, and empty lines, are passed over."""
        with open_regular(self._path) as file:
            yield from self._records(_Rows(lines_of(file, with_empty=True), self._delimiter))

    def _records(self, rows: _Rows) -> Iterator[Record | Fault]:
        columns: Sequence[str] | None = None
        for place, row in rows:
            if isinstance(row, Fault):
                yield row
                if columns is None:
                    return  # nothing can be said of rows without their header
            elif columns is None:
                columns = [name.strip() for name in row]
                if wrong := _fault_of_header(columns, self._required):
                    yield FileFault(place, wrong)
                    return
            elif len(row) != len(columns):
                yield Fault(place, f"expected {len(columns)} cells, as in the header, found {len(row)}")
            else:
                cells = {name: cell for name, cell in zip(columns, row, strict=True) if cell.strip() and name}
                yield Record(place, cells, self._path.parent)


class _Rows:
    """Yields (place, cells) of each row that has a cell with something in it, or (place, the fault in its place)."""

    def __init__(self, lines: Iterator[Line | Fault], delimiter: str | None) -> None:
        self._lines = lines
        self._delimiter = delimiter
        self._begun: int | None = None  # the line in which the row begins
        self._length = 0  # characters of the row so far
        self._between: list[Fault] = []  # of lines ahead of it
        self._within: list[Fault] = []  # of lines that are left out of it, or in which it breaks off

    def __iter__(self) -> Iterator[tuple[str, list[str] | Fault]]:
        reader = None
        for first in self._lines:
            if isinstance(first, Fault):
                yield first.place, first
                return
            if first.text.strip():
                delimiter = self._delimiter or delimiter_of(first.text)
                reader = csv.reader(self._text(first), delimiter=delimiter, strict=True)
                break
        while reader is not None:
            self._begun, self._length = None, 0
            try:
                row: list[str] | Fault = _next_row(reader)
            except StopIteration:
                reader, row = None, []
            except csv.Error as error:
                row = self._fault(error)
                if "unexpected end of data" in str(error) or "field larger" in str(error):
                    reader = None  # what follows is not known to begin a row
            yield from ((fault.place, fault) for fault in (*self._between, *self._within))
            if not self._within and (isinstance(row, Fault) or any(cell.strip() for cell in row)):
                yield f"line {self._begun}", row
            self._between, self._within = [], []

    def _text(self, first: Line) -> Iterator[str]:
        line: Line | Fault | None = first
        while line is not None:
            faults = self._between if self._begun is None or isinstance(line, FileFault) else self._within
            if isinstance(line, Fault):
                faults.append(line)
            elif "\0" in line.text:
                faults.append(Fault(f"line {line.number}", "contains a NUL character"))
            else:
                self._begun = self._begun or line.number
                self._length += len(line.text)
                if self._length > LONGEST_LINE:
                    self._within.append(Fault(f"line {self._begun}", _TOO_LONG))
                    return
                yield line.text
            line = next(self._lines, None)

    def _fault(self, error: csv.Error) -> Fault:
        reason = next((plain for known, plain in _REASONS.items() if known in str(error)), f"is no row: {error}")
        return Fault(f"line {self._begun}", reason)


def _next_row(reader: Iterator[list[str]]) -> list[str]:
    """Return the next row; the longest cell that is read is a setting of the whole process, so it is put back."""
    before = csv.field_size_limit(LONGEST_CELL)
    try:
        return next(reader)
    finally:
        csv.field_size_limit(before)


_TOO_LONG = f"the row that begins here has more than {LONGEST_LINE:,} characters, which is the most that are read"

_REASONS = {
    "unexpected end of data": "a quote that begins here is not closed before the end of the file",
    "field larger": f"a cell has more than {LONGEST_CELL:,} characters, which is the most that are read",
    "expected after": "a quoted cell goes on behind its closing quote; a quote within a cell is written twice",
    "new-line character": "has a carriage return within a cell without quotes; lines end in a line feed",
}
"""What the csv module says, and what is told."""


def delimiter_of(header: str) -> str:
    """Return what a table's columns are parted by: commas, unless its header has none and has something else."""
    return next((one for one in ",;\t" if one in header), ",")


def _fault_of_header(columns: Sequence[str], required: Collection[str]) -> str | None:
    if "" in columns[1:]:
        return f"column {columns.index('', 1) + 1} of the header has no name"
    twice = next((name for name, times in Counter(columns).items() if times > 1), None)
    if twice is not None:
        return f"column {twice[:_SHOWN]!r} is in the header more than once"
    lacking = next((name for name in required if name not in columns), None)
    shown = ", ".join(repr(name[:_SHOWN]) for name in columns[:_COLUMNS_SHOWN])
    more = f" and {len(columns) - _COLUMNS_SHOWN:,} more" if len(columns) > _COLUMNS_SHOWN else ""
    return lacking and f"has no column {lacking!r}; its columns are {shown}{more}"
