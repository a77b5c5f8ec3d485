"""Runs that follow one recipe, in its benchmark's own tables: a row for each, as in its own report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from db.ledger import Ledger
from producer.report.gather import gather_report
from tests.producer.by_hand import RunByHand
from tests.producer.comparison.conftest import compared, printed

QUESTION: Mapping[str, Any] = {
    "name": "a",
    "prompt": {"user": "a"},
    "show": [{"what": "prompt"}],
    "answer": {"form": "json", "criteria": [{"name": "a", "scale": (1, 5), "at": "a"}]},
}
JUDGE: Mapping[str, Any] = {
    **{"name": "api", "label": "judge"},
    "options": {
        **{"model": "m", "base_url": "http://127.0.0.1:1/v1", "batch_size": 1, "temperature": 1},
        "rubric": {"questions": [QUESTION], "score": "a"},
    },
}


def following(ledger: Ledger, editor: str, *scores: float, digest: str = "0") -> RunByHand:
    """Return a run of this editor that follows a recipe with one table, and was given these scores."""
    table = {"title": "T", "columns": [{"name": "A", "of": ["a"]}], "totals": ["micro", "macro"]}
    recipe = {"name": "mine", "digest": digest * 64, "benchmark": "b", "judge": "m", "tables": [table]}
    run = RunByHand(
        ledger,
        [("x", "k-0"), ("x", "k-1"), ("y", "k-2")],
        sources=["0", "1", "2"],
        **{"scorers": [JUDGE], "recipe": recipe, "editor": {"name": "simulated", "label": editor}, "fresh": True},
    )
    for place, score in enumerate(scores):
        run.edit(f"k-{place}")
        run.score(f"k-{place}", "judge", score, a=score)
    return run


def test_runs_of_one_recipe_stand_in_its_tables_as_in_their_reports(ledger: Ledger) -> None:
    runs = [following(ledger, "old", 2, 3, 5), following(ledger, "new", 4, 4)]

    tables = {table.total: table for table in compared(*runs).official}

    assert list(tables) == ["micro", "macro"]
    for run in runs:
        report = gather_report(ledger.engine, run.id).official
        assert report is not None
        for row in report.tables[0].rows[-2:]:
            (same,) = [one for one in tables[str(row.total)].rows if one.run == run.id]
            assert (same.edits, same.cells) == (row.edits, row.cells)
    rows = [line.split() for line in printed(compared(*runs)).partition("(scorer judge): macro")[2].splitlines()]
    assert [row for row in rows if row[:1] in (["old"], ["new"])] == [
        ["old", "3", "100.0%", "3.75"],
        ["new", "3", "66.7%", "4.00"],
    ]


def test_runs_of_different_recipes_have_no_common_table(ledger: Ledger) -> None:
    assert compared(following(ledger, "old", 2), following(ledger, "new", 4, digest="1")).official == []
