"""How a recipe's tables count: by hand, of a rubric as small as can be, in runs that repeat, fail and are under way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from db.jobs import Failure
from db.ledger import Ledger
from db.tables import FailureKind
from producer.report.document import report_document
from producer.report.gather import gather_report
from producer.report.official_grids import official_grids
from producer.report.schema import OfficialCell, OfficialReport, OfficialRow
from tests.producer.by_hand import RunByHand

RUBRIC: Mapping[str, Any] = {
    "questions": [
        {
            "name": name,
            "prompt": {"user": name},
            "show": [{"what": "prompt"}],
            "answer": {"form": "json", "criteria": [{"name": name, "scale": (1, 5), "at": name}]},
            "when": when,
        }
        for name, when in (("a", {}), ("b", {"has": ["both"]}))
    ],
    "values": [{"name": "A", "of": "a * 20", "scale": (0, 100)}],
    "score": "a",
}
JUDGE: Mapping[str, Any] = {
    "name": "api",
    "label": "judge",
    "options": {"model": "m", "base_url": "http://127.0.0.1:1/v1", "batch_size": 1, "temperature": 1, "rubric": RUBRIC},
}

A, B, BOTH = ({"name": name, "of": of} for name, of in (("a", ["a"]), ("b", ["b"]), ("both", ["a", "b"])))


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What tables are made of is read alike from both databases, which the tests of imports show."""
    return sqlite_url


def run_of(
    ledger: Ledger,
    samples: Sequence[tuple[str, Mapping[str, Any]]],
    *tables: Mapping[str, Any],
    judge: Mapping[str, Any] = JUDGE,
    **given: Any,
) -> RunByHand:
    """Return a run of samples `k-0`, `k-1` and so on, each a category and fields, that follows these tables."""
    recipe = {
        **{"name": "mine", "digest": "0" * 64, "benchmark": "a benchmark", "judge": "m"},
        "tables": [{"title": f"T{number}", "columns": [A, B, BOTH], **table} for number, table in enumerate(tables)],
    }
    return RunByHand(
        ledger,
        [(category, f"k-{number}") for number, (category, _) in enumerate(samples)],
        sources=[str(fields.get("source", number)) for number, (_, fields) in enumerate(samples)],
        extras=[{"fields": dict(fields) or None, "reference_text": None} for _, fields in samples],
        **{"scorers": [judge], "recipe": recipe, **given},
    )


def scored(run: RunByHand, *numbers: float | Mapping[str, float]) -> OfficialReport:
    """Make every edit, give it these numbers (of `a`, where it is only one), and return the recipe's tables."""
    for place, given in enumerate(numbers):
        criteria = given if isinstance(given, Mapping) else {"a": given}
        run.edit(f"k-{place}")
        run.score(f"k-{place}", "judge", criteria["a"], **criteria)
    return official(run)


def official(run: RunByHand) -> OfficialReport:
    found = gather_report(run.ledger.engine, run.id).official
    assert found is not None
    return found


def counts(cell: OfficialCell) -> tuple[int, int, int]:
    return cell.n, cell.scored, cell.failed


def means(row: OfficialRow) -> list[float | None]:
    return [cell.mean for cell in row.cells]


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


# -- intervals ---------------------------------------------------------------------------------------------------------


def test_a_mean_over_one_source_image_has_no_interval_and_neither_has_a_macro_of_such(ledger: Ledger) -> None:
    several = [("x", {}), ("x", {}), ("y", {"source": "same"}), ("y", {"source": "same"})]
    run = run_of(ledger, several, {"totals": ["micro", "macro"]})

    x, y, micro, macro = scored(run, 1, 3, 2, 4).tables[0].rows

    assert [row.cells[0].ci is None for row in (x, y, micro, macro)] == [False, True, False, True]
    assert [row.cells[0].lower_bound.ci is None for row in (x, y, micro, macro)] == [False, True, False, True]
    ci = x.cells[0].ci
    assert ci is not None and (ci.low, ci.high) == (1, 3)


def test_a_lower_bound_has_an_interval_by_the_images_that_failed_too(ledger: Ledger) -> None:
    run = run_of(ledger, [("x", {}), ("x", {})], {"totals": ["micro", "macro"]})
    run.edit("k-0")
    run.score("k-0", "judge", 5, a=5)
    run.fail_edit("k-1")

    for row in official(run).tables[0].rows:
        cell = row.cells[0]
        assert cell.ci is None
        assert cell.lower_bound.ci is not None and (cell.lower_bound.ci.low, cell.lower_bound.ci.high) == (1, 5)


def test_a_macro_is_of_the_rows_that_have_a_mean_and_so_is_its_interval(ledger: Ledger) -> None:
    run = run_of(ledger, [("x", {}), ("x", {}), ("y", {}), ("y", {})], {"totals": ["macro"]})

    *_, macro = scored(run, 1, 5).tables[0].rows

    ci = macro.cells[0].ci
    assert ci is not None and (macro.cells[0].mean, ci.low, ci.high) == (3, 1, 5)


def test_a_macro_moves_with_all_its_rows(ledger: Ledger) -> None:
    run = run_of(ledger, [("x", {}), ("x", {}), ("y", {}), ("y", {})], {"totals": ["micro", "macro"]})

    x, y, micro, macro = scored(run, 1, 5, 3, 3).tables[0].rows

    assert (means(micro)[0], means(macro)[0]) == (3, 3)
    for row, low, high in ((x, 1, 5), (y, 3, 3), (micro, 2, 4), (macro, 2, 4)):
        ci = row.cells[0].ci
        assert ci is not None and (ci.low, ci.high) == (low, high)


# -- as text -----------------------------------------------------------------------------------------------------------


def test_a_row_tells_of_how_many_edits_it_is_and_what_share_of_its_numbers_there_is(ledger: Ledger) -> None:
    run = run_of(ledger, [("x", {"both": 1}), ("x", {}), ("y", {})], {"digits": 1, "totals": ["micro"]})
    scored(run, {"a": 4, "b": 2}, 3)
    run.fail_edit("k-2")

    (narrow, wide) = (
        next(official_grids(gather_report(run.ledger.engine, run.id), wide=is_wide)) for is_wide in (False, True)
    )

    assert narrow.columns == ["category", "n", "coverage", "a", "b", "both"]
    assert [*narrow.rows, *narrow.footers] == [
        ["x", "2", "100.0%", "3.5", "2.0", "3.0"],
        ["y", "1", "0.0%", "–", "–", "–"],
        ["all (micro)", "3", "75.0%", "3.5", "2.0", "3.0"],
        ["failures as the least, micro", "", "", "2.7", "2.0", "2.5"],
    ]
    assert wide.columns == ["category", "n", "coverage", "a", "95 % CI", "b", "95 % CI", "both", "95 % CI"]
    assert wide.rows[0] == ["x", "2", "100.0%", "3.5", "3.0–4.0", "2.0", "–", "3.0", "3.0–3.0"]


def test_a_category_has_its_alias_beside_it_and_nothing_else_has(ledger: Ledger) -> None:
    run = run_of(ledger, [("物理", {"field": "物理"})], {}, {"rows": "field"})

    by_category, by_field, _ = official_grids(gather_report(run.ledger.engine, run.id), wide=False)

    assert by_category.rows[0][0] != "物理" and "物理" in by_category.rows[0][0]
    assert by_field.rows[0][0] == "物理"


def test_names_of_a_recipe_are_shown_as_they_are(ledger: Ledger) -> None:
    column = {"name": "[/a] [bold]b", "of": ["a"]}
    run = run_of(ledger, [("x", {})], {"title": "[red]T[/red]", "columns": [column]})

    text = report_document(gather_report(run.ledger.engine, run.id)).as_text("table")

    assert "[/a] [bold]b" in text and "[red]T[/red], as its authors count" in text
