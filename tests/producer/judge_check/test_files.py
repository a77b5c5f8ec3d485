"""What people said is read from both kinds of file; every line that does not hold is named, all at once."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from db.errors import BenchmarkInvalid, WrongCall
from db.ledger import Ledger
from producer.judge_check.edits import Roster
from producer.judge_check.human import Human, read_human
from producer.judge_check.pairs import read_pairs
from tests.producer.judge_check.conftest import SCORES, Publish, Write, roster_of

DIMENSIONS = ("overall", "realism")


def said(human: Human, dimension: str = "overall") -> list[tuple[int, float]]:
    """Return the ratings: the place of each edit, and the value beside the median of all."""
    rated = human.ratings[dimension]
    return list(zip(rated.unit.tolist(), rated.value.tolist(), strict=True))


def test_ratings_find_their_edits(roster: Roster, file: Write) -> None:
    lines = [
        {"sample": "b", "editor": "old", "value": 2},
        {"sample": "b", "editor": "old", "repeat": 1, "value": 4, "rater": 7},
        {"sample": "a", "editor": "new", "category": "社会", "value": 6.0, "rater": "anna"},
        {"sample": "b", "editor": "old", "value": -3, "dimension": "realism"},
    ]

    human = read_human(file(lines), roster, DIMENSIONS)

    assert said(human) == [(2, 0.5), (3, 1.0), (10, 1.5)]
    assert said(human, "realism") == [(2, -1.0)]
    assert (human.raters, human.dimensions) == (3, ["overall", "realism"])


def test_csv_says_the_same_as_json_lines(roster: Roster, file: Write) -> None:
    lines = [
        "rater,sample,category,editor,repeat,value,dimension,better,worse,tie,remark",
        'anna,b,,old,,2,,,,,"two\nlines, no field"',
        "anna,b,,old,1,4e0,overall,,,,",
        "",
        "anna,a,社会,new,0,6.0,,,,false,",
        "anna,a,社会,,0,,,new,old,,",
        "ben,a,社会,,0,,,old,new,TRUE,",
    ]

    human = read_human(file(lines, "human.CSV"), roster, DIMENSIONS)

    assert said(human) == [(2, 0.5), (3, 1.0), (10, 1.5)]
    preferences = human.preferences["overall"]
    assert list(zip(preferences.better.tolist(), preferences.worse.tolist(), strict=True)) == [(10, 4), (4, 10)]
    assert preferences.is_tie.tolist() == [False, True]


def test_a_csv_of_windows_is_a_csv(roster: Roster, tmp_path: Path) -> None:
    path = tmp_path / "human.csv"
    path.write_bytes("sample,editor,value\r\nb,old,2\r\n".encode("utf-8-sig"))

    assert said(read_human(path, roster, DIMENSIONS)) == [(2, 1.0)]


@pytest.mark.parametrize(("name", "delimiter"), [("human.csv", ";"), ("human.tsv", "\t")])
def test_columns_may_be_parted_by_other_marks(roster: Roster, file: Write, name: str, delimiter: str) -> None:
    rows = [delimiter.join(cells) for cells in (["sample", "editor", "value"], ["b", "old", "2"])]

    assert said(read_human(file(rows, name), roster, DIMENSIONS)) == [(2, 1.0)]


def test_with_one_run_no_editor_need_be_named(publish: Publish, ledger: Ledger, file: Write) -> None:
    roster = roster_of(ledger, publish([line for line in SCORES if line["editor"] == "old"]))

    assert said(read_human(file([{"sample": "b", "value": 1}]), roster, DIMENSIONS)) == [(2, 1.0)]
    with pytest.raises(BenchmarkInvalid) as refused:
        read_human(file([{"sample": "b", "editor": "new", "value": 1}]), roster, DIMENSIONS)
    assert refused.value.faults == ("line 1: editor 'new' is none of the runs': 'old'",)


def test_editors_of_one_name_go_by_the_ids_of_their_runs(ledger: Ledger, publish: Publish, file: Write) -> None:
    both = [*publish([{"sample": "b", "value": 1}]), *publish([{"sample": "b", "value": 2}])]
    roster = roster_of(ledger, both)

    assert said(read_human(file([{"sample": "b", "editor": both[1], "value": 1}]), roster, DIMENSIONS)) == [(1, 1.0)]
    with pytest.raises(BenchmarkInvalid) as refused:
        read_human(file([{"sample": "b", "editor": "old", "value": 1}]), roster, DIMENSIONS)
    assert refused.value.faults == (
        f"line 1: editor 'old' is that of several runs: name one by its id, {both[0]}, {both[1]}",
    )


RATING = {"sample": "b", "editor": "old", "value": 1}
PREFERENCE = {"sample": "b", "better": "old", "worse": "new"}

WRONG_LINES: list[tuple[Any, str]] = [
    ('{"sample": ', "is not valid JSON: "),
    ("[1]", "expected an object, found a list"),
    ({"editor": "old", "value": 1}, "sample is missing"),
    ({**RATING, "sample": ""}, "sample is empty"),
    ({**RATING, "sample": ["b"]}, "sample: expected a text, found a list"),
    ({**RATING, "sample": "z"}, "sample 'z' is none of the benchmark's: 'a', 'b'"),
    ({**RATING, "sample": "a"}, "category is missing: sample 'a' is in '物理', '社会'"),
    ({**RATING, "category": "社会"}, "category '社会' has no sample 'b': it is in '物理'"),
    ({"sample": "b", "value": 1}, "editor is missing: there are several, 'old', 'new'"),
    ({**RATING, "editor": "odd"}, "editor 'odd' is none of the runs': 'old', 'new'"),
    ({**RATING, "repeat": 2}, "repeat 2 of sample 'b' is none: its repeats are '0', '1'"),
    ({**RATING, "repeat": -1}, "repeat: expected a whole number from 0 to 999, found -1"),
    ({**RATING, "dimension": "odd"}, "dimension 'odd' is none that a scorer gives: 'overall', 'realism'"),
    ({**RATING, "rater": 1.5}, "rater: expected a text, found a number"),
    ({**RATING, "value": None}, "expected either a value or better and worse, found neither"),
    ({**RATING, "better": "old"}, "expected either a value or better and worse, found both"),
    ({**RATING, "value": "5"}, "value: expected a number, found a text"),
    ({**RATING, "value": True}, "value: expected a number, found a truth value"),
    (
        json.dumps({**RATING, "value": math.nan}),
        "is not valid JSON: NaN is no value of JSON; expected a number, or null",
    ),
    (json.dumps({**RATING, "value": -math.inf}), "is not valid JSON: -Infinity is no value of JSON; expected a number"),
    (
        '{"sample": "b", "editor": "old", "value": -1e999}',
        "value: expected 0 or a number of a size from 1e-30 to 1e+30",
    ),
    ({**RATING, "value": 10**400}, "value: expected 0 or a number of a size from 1e-30 to 1e+30"),
    ({**PREFERENCE, "worse": None}, "worse is missing"),
    ({**PREFERENCE, "worse": "old"}, "better and worse are the same, 'old'"),
    ({**PREFERENCE, "better": "odd"}, "better 'odd' is none of the runs': 'old', 'new'"),
    ({**PREFERENCE, "tie": "yes"}, "tie: expected true or false, found a text"),
    ({"sample": "b", "tie": True}, "better is missing"),
    ({**RATING, "repeat": 1}, "the rater, who has no name, has said of this edit on line 1 already (where there are "),
    ({**PREFERENCE, "rater": "x"}, "rater 'x' has said of this pair on line 2 already"),
]


@pytest.mark.parametrize(("wrong", "fault"), WRONG_LINES, ids=str)
def test_a_line_of_people_that_does_not_hold_is_named(roster: Roster, file: Write, wrong: Any, fault: str) -> None:
    first = [{**RATING, "repeat": 1}, {"sample": "b", "better": "new", "worse": "old", "rater": "x"}]

    with pytest.raises(BenchmarkInvalid, match="1 fault, nothing was compared") as refused:
        read_human(file([*first, wrong]), roster, DIMENSIONS)

    assert refused.value.exit_code == 4
    assert len(refused.value.faults) == 1
    assert refused.value.faults[0].startswith(f"line 3: {fault}")


def test_every_fault_is_named_at_once_by_its_line(roster: Roster, file: Write) -> None:
    lines = ["sample,editor,value", "b,old,x", "b,old,1", '"b\n",odd,1', "z,old,1", "b,old,2"]

    with pytest.raises(BenchmarkInvalid) as refused:
        read_human(file(lines, "human.csv"), roster, DIMENSIONS)

    assert [fault.partition(":")[0] for fault in refused.value.faults] == ["line 2", "line 4", "line 6", "line 7"]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"name,value\nb,1\n", "line 1: has no column 'sample'; its columns are 'name', 'value'"),
        (b"sample|value\nb|1\n", "line 1: has no column 'sample'; its columns are 'sample|value'"),
        (b"sample,value,value\nb,1,2\n", "line 1: column 'value' is in the header more than once"),
        (b"sample,value,\nb,1,\n", "line 1: column 3 of the header has no name"),
        (b"sample,value\nb,1,2\n", "line 2: expected 2 cells, as in the header, found 3"),
        (b"sample,value\nb\n", "line 2: expected 2 cells, as in the header, found 1"),
        (b"sample,value\n\xff,1\n", "line 2: is not UTF-8: byte 13 is 0xFF; save the file as UTF-8"),
        ("sample,value\nb,1\n".encode("utf-16"), "line 1: is UTF-16, as byte 0 (0xFF) and the next say; "),
        (b"sample,value\nb\0,1\n", "line 2: contains a NUL character"),
        (b'sample,value\n"b,1\n', "line 2: a quote that begins here is not closed before the end of the file"),
        (b'sample,value\n"b"c,1\n', "line 2: a quoted cell goes on behind its closing quote"),
        (b"sample,value\n" + b"b" * 200_000 + b",1\n", "line 2: sample has 200,000 characters; at most 200 are taken"),
        (b"sample,editor,value\nb,old,1_0\n", "line 2: value: expected a number, found a text"),
        (b"sample,editor,value\nb,old,nan\n", "line 2: value: expected a number, found a text"),
        (b"sample,editor,value\nb,old,1e999\n", "line 2: value: expected 0 or a number of a size"),
        (
            b"sample,editor,value,repeat\nb,old,1,0.5\n",
            "line 2: repeat: expected a whole number from 0 to 999, found a t",
        ),
        (b"sample,better,worse,tie\nb,old,new,maybe\n", "line 2: tie: expected true or false, found a text"),
        (b"", "it has no ratings and no preferences"),
        (b"sample,value\n\n", "it has no ratings and no preferences"),
    ],
)
def test_a_csv_that_does_not_hold_is_named(roster: Roster, tmp_path: Path, content: bytes, fault: str) -> None:
    path = tmp_path / "human.csv"
    path.write_bytes(content)

    with pytest.raises(BenchmarkInvalid) as refused:
        read_human(path, roster, DIMENSIONS)

    assert refused.value.faults[0].startswith(fault)


@pytest.mark.parametrize("option", ["--human", "--pairs"])
def test_a_file_of_another_kind_is_refused(roster: Roster, tmp_path: Path, option: str) -> None:
    path = tmp_path / "human.xlsx"

    with pytest.raises(
        WrongCall, match=rf"{option} .*human.xlsx: expected a file that ends in one of .csv, .tsv, .jsonl, .ndjson"
    ):
        read_human(path, roster, DIMENSIONS) if option == "--human" else read_pairs(path, roster)


@pytest.mark.parametrize("name", ["none.jsonl", "folder.csv"])
def test_a_file_that_cannot_be_read_is_one_line(roster: Roster, tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.csv").mkdir()

    with pytest.raises(BenchmarkInvalid, match="cannot be read: "):
        read_human(tmp_path / name, roster, DIMENSIONS)


def test_of_many_names_that_there_are_the_first_are_told(publish: Publish, ledger: Ledger, file: Write) -> None:
    roster = roster_of(ledger, publish([{"sample": f"p-{number}", "value": 1} for number in range(1200)]))

    with pytest.raises(BenchmarkInvalid) as refused:
        read_human(file([{"sample": "z", "value": 1}]), roster, DIMENSIONS)

    assert refused.value.faults[0].endswith("'p-8', 'p-9', and 1,190 more")
