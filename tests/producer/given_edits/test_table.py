"""Images that a table names, and what is wrong with a row of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from db.queries import find_run
from tests.factories import original_file
from tests.producer.given_edits.giving import A, B, run_of
from tests.producer.given_folders import Giver, benchmark_of, pictures, table


def test_a_table_names_the_image_of_every_repeat(giver: Giver, edits: Path) -> None:
    pictures(edits, "one.png", "x/two.bin")
    rows = [
        {"key": "p-0", "image": "one.png", "seed": 5},
        {"key": "p-0", "repeat": 1, "image": "x/two.bin"},
        {"key": "p-1", "category": "物理", "image": "one.png"},
        {"key": "p-1", "category": "physical", "repeat": 1, "image": None},
    ]

    run_id = run_of(giver, table(edits, *rows))

    assert list(giver.given(run_id).values()) == [A, B, A, "missing"]
    assert find_run(giver.ledger.engine, run_id).configuration["repeats"] == 2


def test_a_table_may_be_csv(giver: Giver, edits: Path) -> None:
    pictures(edits, "one.png", "two, or so.png")
    rows = ["\ufeffimage,key, repeat ,more", 'one.png,p-0,0,"a\nb"', '"two, or so.png",p-0, 1 ,', "", ",p-1,,"]

    run_id = run_of(giver, table(edits, *rows, name="edits.CSV"))

    assert list(giver.given(run_id).values()) == [A, B, "missing", "missing"]


@pytest.mark.parametrize(("name", "delimiter"), [("edits.csv", ";"), ("edits.tsv", "\t")])
def test_columns_may_be_parted_by_other_marks(giver: Giver, edits: Path, name: str, delimiter: str) -> None:
    pictures(edits, "one.png")
    rows = [delimiter.join(cells) for cells in (["key", "image"], ["p-0", "one.png"])]

    assert list(giver.given(run_of(giver, table(edits, *rows, name=name))).values()) == [A, "missing"]


def test_a_key_without_a_row_is_missing_and_says_so(giver: Giver, edits: Path) -> None:
    pictures(edits, "one.png")

    given = giver(table(edits, {"key": "p-1", "image": "one.png"}))

    assert (given.asked, given.missing, given.unused) == (2, 1, [])
    assert giver.given(given.submitted.run_id) == {("物理", "p-0", 0): "missing", ("物理", "p-1", 0): A}


def test_a_key_may_be_a_number_and_a_category_tells_which_is_meant(giver: Giver, edits: Path) -> None:
    giver.benchmark = benchmark_of(giver.folder, [("a", "1"), ("b", "1")])
    pictures(edits, "one.png", "two.png")
    rows = [{"key": 1, "category": "b", "image": "one.png"}, {"key": "1", "category": "a", "image": "two.png"}]

    assert list(giver.given(run_of(giver, table(edits, *rows))).values()) == [B, A]


GOOD = {"key": "p-0", "image": "one.png"}


ROWS = [
    ("{", "line 2: is not valid JSON: "),
    ("[1]", "line 2: expected an object, found a list"),
    ({"image": "one.png"}, "line 2: key is missing"),
    ({**GOOD, "key": " "}, "line 2: key is empty"),
    ({**GOOD, "key": 1.5}, "line 2: key: expected a text, found a number"),
    ({**GOOD, "key": "p-\x1b"}, "line 2: key contains a control character"),
    ({**GOOD, "key": "p-7"}, "line 2: the benchmark has no sample 'p-7'"),
    ({**GOOD, "category": "社会"}, "line 2: the benchmark has no category '社会'"),
    ({**GOOD, "category": 5}, "line 2: category: expected a text, found a number"),
    (GOOD, "line 2: sample 'p-0' (物理 (physical)): was named before, at line 1"),
    ({"key": "p-1", "repeat": -1}, "line 2: repeat: expected a whole number from 0 to 999, found -1"),
    ({"key": "p-1", "repeat": 1000, "image": "one.png"}, "line 2: repeat: expected a whole number from 0 to 999, "),
    ({"key": "p-1", "repeat": True, "image": "one.png"}, "line 2: repeat: expected a whole number from 0 to 999, "),
    ({"key": "p-1", "repeat": "0.0", "image": "one.png"}, "line 2: repeat: expected a whole number from 0 to 999, "),
    ({"key": "p-1", "image": 5}, "line 2: image: expected a text, found a number"),
    ({"key": "p-1", "image": "../secret.png"}, "line 2: image: '../secret.png' lies outside the table's folder"),
    ({"key": "p-1", "image": "/etc/passwd"}, "line 2: image: '/etc/passwd' lies outside the table's folder"),
    ({"key": "p-1", "image": "out.png"}, "line 2: image: 'out.png' lies outside the table's folder"),
    ({"key": "p-1", "image": "a\0b"}, "line 2: image: 'a\\x00b' cannot be read"),
    ({"key": "p-1", "image": "."}, "line 2: image: '.' lies outside the table's folder"),
    ({"key": "p-1", "image": "none.png"}, "line 2: image cannot be read: No such file or directory"),
    ({"key": "p-1", "image": "bad.png"}, "line 2: image is not decodable: none of PNG, "),
]  # fmt: skip


@pytest.mark.parametrize(("row", "expected"), ROWS, ids=[expected for _, expected in ROWS])
def test_a_row_that_does_not_hold_is_named_by_its_line(giver: Giver, edits: Path, row: Any, expected: str) -> None:
    pictures(edits, "one.png", bad=b"no image")
    pictures(giver.folder, "secret.png")
    (edits / "out.png").symlink_to(giver.folder / "secret.png")

    (fault,) = giver.faults(table(edits, GOOD, row))

    assert fault.startswith(expected)


def test_a_key_of_several_categories_must_say_which(giver: Giver, edits: Path) -> None:
    giver.benchmark = benchmark_of(giver.folder, [("a", "1"), ("b", "1"), ("b", "2")])
    rows = [{"key": "1", "image": "one.png"}, {"key": "2", "category": "a", "image": "one.png"}]

    faults = giver.faults(table(pictures(edits, "one.png"), *rows))

    assert faults == (
        "line 1: key '1' is in several categories: say which of a, b",
        "line 2: the benchmark has no sample '2' in category a",
    )


FIRST = "sample 'p-0' (物理 (physical))"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["key|image", "p-0|one.png"], "line 1: has no column 'key'; its columns are 'key|image'"),
        (["key,repeat", "p-0,0"], "line 1: has no column 'image'; its columns are 'key', 'repeat'"),
        ([], f"none of 2 samples has an image: looked for {FIRST}, the table names none"),
        (["key,image,key", "p-0,one.png,p-1"], "line 1: column 'key' is in the header more than once"),
        (["key,image,", "p-0,one.png,"], "line 1: column 3 of the header has no name"),
        (["key,image", "p-0,one.png", "p-1"], "line 3: expected 2 cells, as in the header, found 1"),
        (["key,image", 'p-0,"one.png'], "line 2: a quote that begins here is not closed before the end of the file"),
        (["key,image", "p-0,\0one.png"], "line 2: contains a NUL character"),
        (["key,image", f'p-0,"{"x" * 200_000}"'], "line 2: image cannot be read: File name too long"),
        (["key,image"], f"none of 2 samples has an image: looked for {FIRST}, the table names none"),
    ],
    ids=["other separators", "no images", "empty", "twice", "unnamed", "cells", "quote", "NUL", "long", "no rows"],
)  # fmt: skip
def test_a_table_that_is_no_csv_is_a_fault(giver: Giver, edits: Path, rows: list[str], expected: str) -> None:
    (fault,) = giver.faults(table(pictures(edits, "one.png"), *rows, name="edits.csv"))

    assert fault.startswith(expected)


def test_a_table_that_is_not_utf8_is_a_fault(giver: Giver, edits: Path) -> None:
    path = table(edits, name="edits.csv")
    path.write_bytes("key,image\nß,one.png".encode("latin-1"))

    assert giver.faults(path) == ("line 2: is not UTF-8: byte 10 is 0xDF; save the file as UTF-8",)


def test_a_misnumbered_repeat_does_not_ask_for_a_thousand_edits(giver: Giver, edits: Path) -> None:
    giver.benchmark = original_file(giver.folder, pairs=5)

    (fault,) = giver.faults(table(pictures(edits, "one.png"), GOOD, {**GOOD, "repeat": 999}))

    assert fault == "5 samples and 1,000 repeats are far more than the table has: is a repeat misnumbered?"
