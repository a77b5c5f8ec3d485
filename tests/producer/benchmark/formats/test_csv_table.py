"""Tables as such: what a row is, and every way in which one may be none."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import pytest

from producer.benchmark.formats import csv_table, lines
from producer.benchmark.formats.csv_table import CsvTable
from producer.benchmark.formats.record import Record


def table(folder: Path, content: str | bytes) -> CsvTable:
    path = folder / "table.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return CsvTable(path)


def rows_of(folder: Path, content: str | bytes) -> list[tuple[str, Mapping[str, object]]]:
    """Return the rows by their places; faults as what they say."""
    return [
        (item.place, item.values if isinstance(item, Record) else {"": item.message}) for item in table(folder, content)
    ]


def test_rows_are_placed_at_the_line_that_they_begin_in(tmp_path: Path) -> None:
    assert rows_of(tmp_path, 'a,b\n1,"two\n\nlines"\r\n\n  \n,,\n3,4') == [
        ("line 2", {"a": "1", "b": "two\n\nlines"}),
        ("line 8", {"a": "3", "b": "4"}),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_header_says_what_parts_the_cells(tmp_path: Path, delimiter: str) -> None:
    others = "".join(one for one in ",;\t" if one != delimiter)

    found = rows_of(tmp_path, f'a{delimiter}b\n1{delimiter}"{others}"\n')

    assert found == [("line 2", {"a": "1", "b": others})]


def test_the_numbers_of_rows_that_pandas_writes_are_passed_over(tmp_path: Path) -> None:
    read = table(tmp_path, ",a,b\n0,1,2\n")

    assert [item.values for item in read if isinstance(item, Record)] == [{"a": "1", "b": "2"}]
    assert read.columns() == ["a", "b"]


def test_an_empty_cell_is_none_and_its_column_is_known(tmp_path: Path) -> None:
    read = table(tmp_path, " a ,b\n1, \n")

    assert [item.values for item in read if isinstance(item, Record)] == [{"a": "1"}]
    assert read.columns() == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "faults"),
    [
        ("a,,c\n1,2,3", [("line 1", "column 2 of the header has no name")]),
        (",a,\n1,2,3", [("line 1", "column 3 of the header has no name")]),
        ("\n\na,b,a\n1,2,3", [("line 3", "column 'a' is in the header more than once")]),
        (b"a,\xff\n1,2", [("line 1", "is not UTF-8: byte 2 is 0xFF; save the file as UTF-8")]),
        (
            '"a,b\n1,2',
            [("line 1", "a quote that begins here is not closed before the end of the file")],
        ),
    ],
)
def test_without_a_header_no_row_is_read(tmp_path: Path, content: str | bytes, faults: list[tuple[str, str]]) -> None:
    assert rows_of(tmp_path, content) == [(place, {"": said}) for place, said in faults]
    assert list(table(tmp_path, content).columns()) == []


BROKEN = b"""a,b
1,2
1
1,2,3
1,"2"3
1,\x00
\xff,2
3,4
5,"6\xff
7"
8,"9
"
1,2\r3
10,"11
12,13
"""


def test_every_row_that_is_none_is_named_and_those_around_it_are_read(tmp_path: Path) -> None:
    byte, second = BROKEN.index(b"\xff"), "not UTF-8 either"

    assert rows_of(tmp_path, BROKEN) == [
        ("line 2", {"a": "1", "b": "2"}),
        ("line 3", {"": "expected 2 cells, as in the header, found 1"}),
        ("line 4", {"": "expected 2 cells, as in the header, found 3"}),
        ("line 5", {"": "a quoted cell goes on behind its closing quote; a quote within a cell is written twice"}),
        ("line 6", {"": "contains a NUL character"}),
        ("line 7", {"": f"is not UTF-8: byte {byte} is 0xFF; save the file as UTF-8"}),
        ("line 8", {"a": "3", "b": "4"}),
        ("line 10", {"": "expected 2 cells, as in the header, found 1"}),  # the rest of the row that line 9 begins
        ("line 11", {"a": "8", "b": "9\n"}),
        ("line 13", {"": "has a carriage return within a cell without quotes; lines end in a line feed"}),
        ("line 9", {"": second}),
        ("line 14", {"": "a quote that begins here is not closed before the end of the file"}),
    ]


def test_lines_that_end_in_carriage_returns_alone_are_said_to_be(tmp_path: Path) -> None:
    [(place, said)] = rows_of(tmp_path, "a,b\r1,2\r3,4\r")

    assert place == "line 1"
    assert said == {"": "has a carriage return within a cell without quotes; lines end in a line feed"}


def test_a_cell_is_read_to_a_length_and_the_limit_of_others_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_table, "LONGEST_CELL", 50)
    before = csv.field_size_limit()

    found = rows_of(tmp_path, f"a,b\n1,{'x' * 50}\n2,{'x' * 51}\n")

    assert [place for place, _ in found] == ["line 2", "line 3"]
    assert str(found[1][1][""]).startswith("a cell has more than ")
    assert csv.field_size_limit() == before


def test_behind_a_cell_that_is_too_long_nothing_is_known_to_begin_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_table, "LONGEST_CELL", 50)

    assert [place for place, _ in rows_of(tmp_path, 'a,b\n1,"' + "x\n" * 100)] == ["line 2"]


def test_a_row_of_many_lines_is_read_to_a_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_table, "LONGEST_LINE", 1000)

    found = rows_of(tmp_path, "a,b\n1,2\n" + '"x\n",' * 1000)

    assert found[0] == ("line 2", {"a": "1", "b": "2"})
    assert [place for place, _ in found] == ["line 2", "line 3"]
    assert str(found[1][1][""]).startswith("the row that begins here has more than ")


def test_a_line_is_read_to_a_length_and_passed_over_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LONGEST_LINE", 20)

    found = rows_of(tmp_path, f"a,b\n1,2\n{'x' * 1000},\n3,\xe9\n".encode("latin-1"))

    assert found == [
        ("line 2", {"a": "1", "b": "2"}),
        ("line 3", {"": "has more than 20 bytes, which is the most that are read"}),
        ("line 4", {"": f"is not UTF-8: byte {4 + 4 + 1002 + 2:,} is 0xE9; save the file as UTF-8"}),
    ]
