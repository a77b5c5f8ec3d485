"""The recipes' tables, worked out by hand to the printed digit."""

from __future__ import annotations

from pathlib import Path

from db.ledger import Ledger
from producer.report.document import report_document
from tests.producer.recipes.official_numbers import Judged, gedit, imgedit, judged_run, kris, printed, rise

# -- GEdit -------------------------------------------------------------------------------------------------------------


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
