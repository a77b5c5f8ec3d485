"""Official tables: intervals of their means, and how they read as text."""

from __future__ import annotations

from db.ledger import Ledger
from producer.report.document import report_document
from producer.report.gather import gather_report
from producer.report.official_grids import official_grids
from tests.producer.recipes.official_runs import means, official, run_of, scored

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
