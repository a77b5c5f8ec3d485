"""What the recipes' tables say, held against numbers worked out by hand, to the digit that is printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from db.images import digest_of
from db.ledger import Ledger
from db.rubric import Rubric, there_is
from db.tables import FailureKind
from producer.recipes.follow import Following
from producer.report.document import report_document
from producer.report.gather import gather_report
from producer.report.official_grids import official_grids
from producer.report.schema import Report
from tests.producer.by_hand import RunByHand
from tests.producer.recipes.copies import recipe_and_copy

REFERENCE = digest_of(b"reference")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What tables are made of is read alike from both databases, which the tests of imports show."""
    return sqlite_url


@dataclass(frozen=True)
class Judged:
    """A sample, and what a judge gave each criterion; None where its reply could not be read."""

    category: str
    given: Mapping[str, float] | None
    fields: Mapping[str, Any] | None = None
    reference_text: str | None = None
    reference_image: str | None = None


def judged_run(ledger: Ledger, folder: Path, name: str, samples: Sequence[Judged]) -> Report:
    """Return the report of a run that follows a recipe, with what the judge gave."""
    recipe, copy = recipe_and_copy(folder, name)
    following = Following(recipe, recipe.rubric(copy))
    entry = {"name": "api", "label": "judge", "options": {"base_url": "http://127.0.0.1:1/v1", "batch_size": 1}}
    run = RunByHand(
        ledger,
        [(sample.category, f"k-{number}") for number, sample in enumerate(samples)],
        sources=[f"source {number}" for number in range(len(samples))],
        extras=[
            {
                "fields": dict(sample.fields or {}) or None,
                "reference_text": sample.reference_text,
                "reference_image": sample.reference_image,
            }
            for sample in samples
        ],
        scorers=following.scorers([entry]),
        recipe=following.followed,
    )
    for number, sample in enumerate(samples):
        key = f"k-{number}"
        run.edit(key)
        if sample.given is None:
            run.fail_score(key, "judge", kind=FailureKind.UNPARSED)
        else:
            values = values_of(following.rubric, sample)
            run.score(key, "judge", values[recipe.score], **values)
    return gather_report(ledger.engine, run.id)


def values_of(rubric: Rubric, sample: Judged) -> dict[str, float]:
    """Return what a worker makes of a judge's numbers; they are all that the sample's questions ask for."""
    there = there_is(
        sample.fields or {},
        reference=sample.reference_image is not None,
        reference_text=sample.reference_text,
    )
    asked = rubric.asked(sample.category, there)
    assert sorted(one.name for question in asked for one in question.answer.criteria) == sorted(sample.given or {})
    return rubric.values_of(sample.category, there, sample.given or {})


def printed(report: Report, title: str) -> dict[str, list[str]]:
    """Return the figures of a table as they are printed, row by row."""
    (grid,) = (grid for grid in official_grids(report, wide=False) if grid.title.startswith(f"{title}, as"))
    return {row[0]: list(row[3:]) for row in (*grid.rows, *grid.footers)}


# -- GEdit -------------------------------------------------------------------------------------------------------------


def gedit(category: str, language: str, numbers: Sequence[float] | None, *, shared: bool = False) -> Judged:
    names = ("success", "restraint", "naturalness", "artifacts")
    given = None if numbers is None else dict(zip(names, numbers, strict=True))
    return Judged(category, given, {"instruction_language": language, "Intersection_exist": shared})


def test_gedit_is_averaged_over_groups_and_never_over_languages(ledger: Ledger, tmp_path: Path) -> None:
    report = judged_run(
        ledger,
        tmp_path,
        "gedit",
        [
            gedit("background_change", "en", [7, 9, 8, 6], shared=True),  # SC 7, PQ 6, O the root of 42
            gedit("background_change", "en", [0, 10, 9, 9]),  # SC 0, PQ 9, O 0
            gedit("text_change", "en", [4, 4, 9, 10]),  # SC 4, PQ 9, O 6
            gedit("text_change", "cn", [10, 9, 10, 10]),  # SC 9, PQ 10, O the root of 90
        ],
    )

    assert printed(report, "GEdit-Bench, en") == {
        "background_change": ["3.500", "7.500", "3.240"],
        "text_change": ["4.000", "9.000", "6.000"],
        "categories (macro)": ["3.750", "8.250", "4.620"],
    }
    assert printed(report, "GEdit-Bench, cn")["categories (macro)"] == ["9.000", "10.000", "9.487"]
    assert printed(report, "GEdit-Bench, intersection, en") == {
        "background_change": ["7.000", "6.000", "6.481"],
        "categories (macro)": ["7.000", "6.000", "6.481"],
    }


def test_a_failure_is_in_no_mean_and_the_least_in_the_row_below(ledger: Ledger, tmp_path: Path) -> None:
    samples = [gedit("text_change", "en", [8, 8, 8, 8]), gedit("text_change", "en", None)]

    report = judged_run(ledger, tmp_path, "gedit", samples)

    assert printed(report, "GEdit-Bench, en") == {
        "text_change": ["8.000", "8.000", "8.000"],
        "categories (macro)": ["8.000", "8.000", "8.000"],
        "failures as the least, macro": ["4.000", "4.000", "4.000"],
    }
    assert report.official is not None
    cell = report.official.tables[0].rows[0].cells[0]
    assert (cell.n, cell.scored, cell.failed) == (2, 1, 1)


def test_samples_without_the_fields_of_a_table_leave_a_note(ledger: Ledger, tmp_path: Path) -> None:
    report = judged_run(ledger, tmp_path, "gedit", [Judged("text_change", gedit("", "", [1, 1, 1, 1]).given)])

    assert report.official is not None and not report.official.tables
    assert report.official.notes[-2:] == [
        "GEdit-Bench: no sample is what it is about, instruction_language",
        "GEdit-Bench, intersection: no sample is what it is about, instruction_language, Intersection_exist: True",
    ]
    assert "GEdit-Bench: no sample is what it is about" in report_document(report).as_text("table")


# -- ImgEdit -----------------------------------------------------------------------------------------------------------


def imgedit(category: str, *numbers: float) -> Judged:
    return Judged(category, dict(zip(("first", "second", "third"), numbers, strict=True)))


def test_imgedit_rounds_each_sample_before_it_is_averaged(ledger: Ledger, tmp_path: Path) -> None:
    report = judged_run(
        ledger,
        tmp_path,
        "imgedit",
        [
            imgedit("replace", 3, 3, 4),  # 3.33; capped 3.00
            imgedit("replace", 4, 3, 3),  # 3.33; capped the same
            imgedit("replace", 4, 4, 4),  # 4.00; that the means are 3.55 and not 3.56 is the rounding
            imgedit("alter", 1, 4, 4),  # 3.00; capped 1.00
        ],
    )

    assert printed(report, "ImgEdit-Bench") == {
        "replace": ["3.55", "3.44"],
        "alter": ["3.00", "1.00"],
        "all (micro)": ["3.42", "2.83"],  # (3.33 + 3.33 + 4 + 3) / 4 = 3.415, (3 + 3.33 + 4 + 1) / 4 = 2.8325
        "categories (macro)": ["3.28", "2.22"],  # (3.5533 + 3) / 2, (3.4433 + 1) / 2
    }


# -- KRIS --------------------------------------------------------------------------------------------------------------


def kris(category: str, numbers: Sequence[float], **fields: Any) -> Judged:
    names = ("consistency", "quality", "instruction", "knowledge")[: len(numbers)]
    return Judged(category, dict(zip(names, numbers, strict=True)), fields, "a rule")


def test_kris_averages_all_numbers_so_that_knowledge_weighs_more(ledger: Ledger, tmp_path: Path) -> None:
    report = judged_run(
        ledger,
        tmp_path,
        "kris",
        [
            kris("count_change", [5, 4, 3]),  # 100, 75, 50
            kris("biology", [2, 3, 5, 1]),  # 25, 50, 100, 0
            kris("temporal_prediction", [1, 1, 2], frame=2),  # 0, 0, 25
        ],
    )

    assert printed(report, "KRIS-Bench, dimensions") == {
        "Attribute Perception": ["100.00", "75.00", "50.00", "–", "75.00"],
        "Temporal Prediction": ["0.00", "0.00", "25.00", "–", "8.33"],
        "Natural Science": ["25.00", "50.00", "100.00", "0.00", "43.75"],
        "all (micro)": ["41.67", "41.67", "58.33", "0.00", "42.50"],  # 425 / 10; by samples it would be 42.36
    }
    assert printed(report, "KRIS-Bench, types of knowledge") == {
        "Factual Knowledge": ["41.67"],  # 250 / 6
        "Conceptual Knowledge": ["43.75"],
        "all (micro)": ["42.50"],
    }
    assert printed(report, "KRIS-Bench, tasks")["biology"] == ["25.00", "50.00", "100.00", "0.00", "43.75"]


def test_what_a_failed_sample_was_not_asked_does_not_count_as_failed(ledger: Ledger, tmp_path: Path) -> None:
    failed = [Judged("count_change", None, None, "a rule"), Judged("biology", None, None, "a rule")]

    report = judged_run(ledger, tmp_path, "kris", failed)

    assert report.official is not None
    cells = report.official.tables[0].rows[-1].cells
    assert [(cell.n, cell.failed) for cell in cells] == [(2, 2), (2, 2), (2, 2), (1, 1), (7, 7)]
    assert [cell.lower_bound.mean for cell in cells] == [0] * 5


# -- RISEBench ---------------------------------------------------------------------------------------------------------

TEMPORAL = {"subtask": "Life Progression"}


def rise(kind: str, given: Mapping[str, float], **more: Any) -> Judged:
    return Judged(f"{kind}_reasoning", given, **{"reference_text": "a rule", **more})


def test_rise_weighs_halves_and_counts_full_marks(ledger: Ledger, tmp_path: Path) -> None:
    free = {"subtask": "Component Assembly", "consistency_free": "True"}
    report = judged_run(
        ledger,
        tmp_path,
        "rise",
        [
            rise("temporal", {"C": 4, "R": 5, "P": 3}, fields=TEMPORAL),  # 1.2 + 2.5 + 0.6 = 4.3
            rise("temporal", {"C": 5, "R": 5, "P": 5}, fields=TEMPORAL),  # 5, accurate
            rise("causal", {"C": 5, "R": 1, "P": 5}),  # 1.5 + 0.5 + 1 = 3, halved: 1.5
            rise("causal", {"C": 1, "R": 1, "P": 1}),  # 1, halved and no less than 1
            rise("spatial", {"R": 5, "P": 5}, fields=free),  # 0.8 x 5 + 0.2 x 5 = 5, accurate
            rise("logical", {"kept": 1, "solved": 0}),  # consistency 5, reasoning 1: 1.5 + 0.7 = 2.2, halved: 1.1
            rise("logical", {"kept": 1, "solved": 1}),  # 5, accurate
        ],
    )

    assert printed(report, "RISEBench") == {
        "temporal_reasoning": ["50.0", "4.7", "91.2", "100.0", "87.5", "75.0"],  # 4.65 and 91.25, printed as floats are
        "causal_reasoning": ["0.0", "1.2", "6.2", "0.0", "50.0", "50.0"],  # 1.25 and 6.25
        "spatial_reasoning": ["100.0", "5.0", "100.0", "100.0", "–", "100.0"],
        "logical_reasoning": ["50.0", "3.0", "51.2", "50.0", "100.0", "–"],  # (1.1 + 5) / 2 = 3.05
        # 3 of 7; (4.3 + 5 + 1.5 + 1 + 5 + 1.1 + 5) / 7 = 3.271; reasoning 400 / 7, consistency 475 / 6
        "all (micro)": ["42.9", "3.3", "56.8", "57.1", "79.2", "70.0"],
    }
    assert printed(report, "RISEBench, subtasks") == {
        "Life Progression": ["50.0", "4.7", "91.2", "100.0", "87.5", "75.0"],
        "Component Assembly": ["100.0", "5.0", "100.0", "100.0", "–", "100.0"],
    }


def test_a_missing_consistency_flag_is_not_true(ledger: Ledger, tmp_path: Path) -> None:
    """One sample has the flag: the others' consistency counts all the same."""
    given = {"C": 1, "R": 5, "P": 5}
    free = rise("spatial", {"R": 5, "P": 5}, fields={"consistency_free": "True"})

    report = judged_run(ledger, tmp_path, "rise", [free, rise("spatial", given)])

    assert printed(report, "RISEBench")["all (micro)"][:2] == ["50.0", "4.4"]  # (5 + 0.3 + 2.5 + 1) / 2


# -- what reports are told ---------------------------------------------------------------------------------------------


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
