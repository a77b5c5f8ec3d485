"""What a report tells of the recipe that its run followed."""

from __future__ import annotations

from pathlib import Path

import pytest

from db.ledger import Ledger
from producer.report.document import report_document
from producer.report.gather import gather_report
from tests.producer.by_hand import RunByHand
from tests.producer.recipes.official_numbers import gedit, imgedit, judged_run, kris, rise


def test_every_number_has_its_own_scale(ledger: Ledger, tmp_path: Path) -> None:
    report = judged_run(ledger, tmp_path, "kris", [kris("count_change", [1, 5, 3])])

    scales = {dimension.name: dimension.scale for dimension in report.scorers[0].dimensions}
    assert scales["overall"] == scales["VC"] == (0, 100)
    assert scales["consistency"] == (1, 5)
    (consistency,) = (one for one in report.scorers[0].dimensions if one.name == "consistency")
    assert consistency.histogram[0] == 1  # the least of 1 to 5


def test_a_run_without_a_recipe_has_no_official_tables(ledger: Ledger) -> None:
    run = RunByHand(ledger)

    assert gather_report(ledger.engine, run.id).official is None


@pytest.mark.parametrize("name", ["gedit", "imgedit", "kris", "rise"])
def test_markdown_and_tables_tell_the_recipe_and_its_judge(ledger: Ledger, tmp_path: Path, name: str) -> None:
    sample = {
        "gedit": gedit("text_change", "en", [1, 2, 3, 4]),
        "imgedit": imgedit("add", 1, 2, 3),
        "kris": kris("biology", [1, 2, 3, 4]),
        "rise": rise("causal", {"C": 1, "R": 2, "P": 3}),
    }[name]

    document = report_document(judged_run(ledger, tmp_path, name, [sample, sample.__class__(**sample.__dict__)]))

    for format_name in ("table", "md"):
        assert f"recipe {name}: " in document.as_text(format_name)
        assert "as its authors count (scorer judge)" in document.as_text(format_name)
