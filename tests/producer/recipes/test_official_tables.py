"""Official tables: which numbers of which samples they are of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from db.jobs import Failure
from db.ledger import Ledger
from db.tables import FailureKind
from producer.report.schema import OfficialCell
from tests.producer.recipes.official_runs import JUDGE, means, official, run_of, scored


def counts(cell: OfficialCell) -> tuple[int, int, int]:
    return cell.n, cell.scored, cell.failed


# -- which numbers -----------------------------------------------------------------------------------------------------


def test_every_repeat_of_an_edit_and_of_its_judge_is_a_number(ledger: Ledger) -> None:
    judge = {**JUDGE, "repeats": 2}
    run = run_of(ledger, [("x", {"both": 1}), ("y", {})], {"totals": ["micro", "macro"]}, judge=judge, repeats=2)
    for repeat, (first, second) in enumerate(((1, 2), (3, 5))):
        run.edit("k-0", repeat=repeat)
        run.score("k-0", "judge", first, repeat, 0, a=first, b=5)
        run.score("k-0", "judge", second, repeat, 1, a=second, b=5)
    run.edit("k-1")
    run.score("k-1", "judge", 5, 0, 0, a=5)
    claim = run.start_score("k-1", "judge", judge_repeat=1)
    run.ledger.fail(claim, Failure(FailureKind.UNPARSED, "no"))
    run.fail_edit("k-1", repeat=1)

    x, y, micro, macro = official(run).tables[0].rows

    assert [row.edits for row in (x, y, micro, macro)] == [2, 2, 4, 4]
    assert [counts(cell) for cell in x.cells] == [(4, 4, 0), (4, 4, 0), (8, 8, 0)]
    assert [counts(cell) for cell in y.cells] == [(4, 1, 3), (0, 0, 0), (4, 1, 3)]
    assert (means(x), means(y)) == ([2.75, 5, 3.875], [5, None, 5])
    assert means(micro) == [(11 + 5) / 5, 5, (11 + 20 + 5) / 9]
    assert means(macro) == [(2.75 + 5) / 2, 5, (3.875 + 5) / 2]
    assert [counts(cell) for cell in macro.cells] == [counts(cell) for cell in micro.cells]
    assert y.cells[0].lower_bound.mean == (5 + 3 * 1) / 4
    assert micro.cells[0].lower_bound.mean == (11 + 5 + 3) / 8
    assert macro.cells[0].lower_bound.mean == (2.75 + 2) / 2


def test_what_is_still_to_come_is_asked_and_neither_scored_nor_failed(ledger: Ledger) -> None:
    run = run_of(ledger, [("x", {}), ("x", {}), ("y", {})], {"totals": ["micro", "macro"]})
    x, y, micro, macro = scored(run, 4).tables[0].rows

    assert [counts(row.cells[0]) for row in (x, y, micro, macro)] == [(2, 1, 0), (1, 0, 0), (3, 1, 0), (3, 1, 0)]
    assert [row.cells[0].mean for row in (x, y, micro, macro)] == [4, None, 4, 4]
    assert [row.cells[0].lower_bound.mean for row in (x, y, micro, macro)] == [4, None, 4, 4]


def test_a_failed_score_keeps_the_numbers_that_it_has_and_fails_in_the_others(ledger: Ledger) -> None:
    run = run_of(ledger, [("x", {"both": 1})], {})
    run.edit("k-0")
    claim = run.start_score("k-0", "judge")
    run.ledger.fail(claim, Failure(FailureKind.UNPARSED, "no", detail={"criteria": {"b": 4}}))

    a, b, both = official(run).tables[0].rows[0].cells

    assert [counts(cell) for cell in (a, b, both)] == [(1, 0, 1), (1, 1, 0), (2, 1, 1)]
    assert (both.mean, both.lower_bound.mean) == (4, 2.5)


def test_a_number_that_is_not_asked_of_a_sample_is_not_its_number(ledger: Ledger) -> None:
    """A judge may say more than it was asked; what of it the rubric has no place for is in no table."""
    run = run_of(ledger, [("x", {})], {})

    (row,) = scored(run, {"a": 3, "b": 5}).tables[0].rows

    assert [counts(cell) for cell in row.cells] == [(1, 1, 0), (0, 0, 0), (1, 1, 0)]
    assert means(row) == [3, None, 3]


def test_only_the_samples_of_a_run_are_in_its_tables(ledger: Ledger) -> None:
    samples: list[tuple[str, Mapping[str, Any]]] = [("x", {}), ("y", {}), ("x", {}), ("z", {})]
    run = run_of(ledger, samples, {"totals": ["micro"]}, categories=["x", "y"], limit=2)

    rows = scored(run, 2, 4).tables[0].rows

    assert [(row.name, row.edits, row.cells[0].mean) for row in rows] == [
        ("x", 1, 2),
        ("y", 1, 4),
        ("all (micro)", 2, 3),
    ]


def test_scorers_without_a_rubric_have_no_tables_and_each_judge_has_its_own(ledger: Ledger) -> None:
    scorers = [{"name": "psnr"}, JUDGE, {**JUDGE, "label": "other"}]
    run = run_of(ledger, [("x", {})], {}, scorers=scorers)

    assert [table.scorer for table in official(run).tables] == ["judge", "other"]


# -- which samples -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "values", "taken"),
    [
        (True, [True, "True", "true", False, "False", "yes", 0], [0, 1, 2]),
        (False, [False, "FALSE", True, "True", "no"], [0, 1]),
        (2, [2, 2.0, "2", "2.0", 3, "two", True], [0, 1, 2, 3]),
        ("2", ["2", 2, "2.0"], [0]),
        ("en", ["en", "EN"], [0]),
    ],
)
def test_where_takes_numbers_and_truth_values_as_tables_have_them(
    ledger: Ledger, wanted: object, values: Sequence[object], taken: list[int]
) -> None:
    samples = [(f"c-{number}", {"field": value}) for number, value in enumerate(values)]
    run = run_of(ledger, [*samples, ("without", {})], {"where": {"field": wanted}})

    assert [row.name for row in official(run).tables[0].rows] == [f"c-{number}" for number in taken]


def test_each_value_of_a_field_has_a_table_and_each_of_another_a_row(ledger: Ledger) -> None:
    fields: list[Mapping[str, Any]] = [
        {"level": 2, "flag": True},
        {"level": 1.5, "flag": True},
        {"level": 2, "flag": False},
        {"level": 2},
        {"flag": True},
    ]
    run = run_of(ledger, [("x", one) for one in fields], {"each": "flag", "rows": "level", "totals": ["macro"]})

    tables = scored(run, 1, 2, 3, 4, 5).tables

    found = {table.title: [(row.name, row.cells[0].mean) for row in table.rows] for table in tables}
    assert found == {
        "T0, True": [("2", 1), ("1.5", 2), ("rows (macro)", 1.5)],
        "T0, False": [("2", 3), ("rows (macro)", 3)],
    }
    assert tables[0].rows_are == "level"


def test_a_table_by_groups_is_about_their_categories_alone(ledger: Ledger) -> None:
    groups = {"empty": ["nothing"], "second": ["y"], "first": ["x", "z"]}
    table = {"rows": "group", "groups": groups, "totals": ["micro", "macro"]}
    run = run_of(ledger, [("x", {}), ("y", {}), ("z", {}), ("other", {})], table)

    rows = scored(run, 1, 2, 4, 5).tables[0].rows

    assert [(row.name, row.edits, row.cells[0].mean) for row in rows] == [
        ("second", 1, 2),
        ("first", 2, 2.5),
        ("all (micro)", 3, 7 / 3),
        ("rows (macro)", 3, 2.25),
    ]


def test_a_group_has_only_the_samples_that_its_table_is_about(ledger: Ledger) -> None:
    table = {"rows": "group", "groups": {"g": ["x"], "h": ["y"]}, "each": "flag"}
    run = run_of(ledger, [("x", {"flag": "p"}), ("x", {"flag": "q"}), ("y", {"flag": "q"})], table)

    tables = scored(run, 1, 2, 4).tables

    found = {table.title: [(row.name, row.edits, row.cells[0].mean) for row in table.rows] for table in tables}
    assert found == {"T0, p": [("g", 1, 1)], "T0, q": [("g", 1, 2), ("h", 1, 4)]}


def test_tables_that_are_about_nothing_of_the_run_are_told_and_not_shown(ledger: Ledger) -> None:
    tables = [
        {"rows": "group", "groups": {"g": ["nothing"]}},
        {"rows": "level", "each": "flag", "where": {"level": 3}},
        {"each": "flag"},
        {},
    ]

    found = official(run_of(ledger, [("x", {"level": 2})], *tables))

    assert [table.title for table in found.tables] == ["T3"]
    assert found.notes == [
        "T0: no sample is what it is about, a category of its groups",
        "T1: no sample is what it is about, level, flag, level: 3",
        "T2: no sample is what it is about, flag",
    ]
