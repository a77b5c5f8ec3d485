"""Scores by a recipe of which a part failed, or that nobody gave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.producer.published_scores.by_recipe import (
    PQ,
    SC,
    first_cells,
    gedit,
    number,
    reply,
    reported,
    rows,
    said,
)
from tests.producer.published_scores.importing import Importer, line
from tests.producer.recipes.official_numbers import printed


def test_a_reply_that_cannot_be_read_fails_the_score_and_is_kept(importer: Importer) -> None:
    fields = {"instruction_language": "en"}
    broken = [
        reply("text_change", "2", "I cannot say.", PQ),
        reply("text_change", "2", said(6, 7), SC, fields=fields),
    ]

    report = reported(importer, "gedit", *gedit("1", "text_change", "en", [8, 8, 8, 8]), *broken)

    _, row = rows(importer)
    assert (row.value, row.failure_kind) == (None, "unparsed")
    assert row.failure_reason == "perceptual quality: the reply gives no score[0]"
    assert row.detail["reply"] == "I cannot say."
    assert row.detail["criteria"] == {"success": 6, "restraint": 7}
    assert printed(report, "GEdit-Bench, en") == {
        "text_change": ["8.000", "8.000", "8.000"],
        "categories (macro)": ["8.000", "8.000", "8.000"],
        "failures as the least, macro": ["4.000", "4.000", "4.000"],
    }
    assert [(cell.n, cell.scored, cell.failed) for cell in first_cells(report)] == [(2, 1, 1)] * 3


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"failure": "refused"}, "refused"),
        ({"failure": "judge_failed", "dimension": "SC"}, "model"),
        ({"failure": "unparsed", "question": PQ, "reason": "it says so"}, "unparsed"),
    ],
)
def test_a_published_failure_of_the_score_or_a_part_fails_the_score(
    importer: Importer, given: Mapping[str, Any], kind: str
) -> None:
    report = reported(
        importer,
        "gedit",
        *gedit("1", "text_change", "en", [8, 8, 8, 8]),
        line(category="text_change", sample="2", value=None, fields={"instruction_language": "en"}, **given),
    )

    assert rows(importer)[1].failure_kind == kind
    assert rows(importer)[1].failure_reason == given.get("reason", f"published as {given['failure']}")
    assert [(cell.n, cell.failed) for cell in first_cells(report)] == [(2, 1)] * 3


def test_a_published_score_stands_though_a_part_of_it_failed(importer: Importer) -> None:
    lines = [number("a", "1", 5, "overall"), line(category="a", sample="1", value=None, failure="lost", dimension="SC")]

    importer(*lines, reply("a", "1", "cannot be read", PQ), recipe="gedit")

    (row,) = rows(importer)
    assert (row.value, row.failure_kind) == (5, None)
    assert row.detail == {"reasoning": "", "criteria": {"O": 5}, "reply": "cannot be read"}


def test_why_the_score_itself_failed_goes_before_why_a_part_did(importer: Importer) -> None:
    failing = {"category": "a", "sample": "1", "value": None}

    importer(line(**failing, failure="lost", dimension="SC"), line(**failing, failure="refused"), recipe="gedit")

    assert rows(importer)[0].failure_kind == "refused"


def test_the_failure_of_the_first_question_is_told_however_the_lines_are_ordered(importer: Importer) -> None:
    importer(reply("a", "1", "second", PQ), reply("a", "1", "first", SC), recipe="gedit")

    (row,) = rows(importer)
    assert row.failure_reason.startswith(f"{SC}: ")
    assert row.detail["reply"] == "first"


def test_what_is_missing_is_named_down_to_the_number_that_nobody_gave(importer: Importer) -> None:
    half = [reply("text_change", "2", said(6, 7), SC, fields={"instruction_language": "en"})]
    lines = [*gedit("1", "text_change", "en", [8, 8, 8, 8]), *half]

    (found,) = importer.faults(*lines, recipe="gedit")

    assert found == (
        "line 3: editor 'model-x', sample '2' (text_change): no score by 'gpt-4o': it has no 'artifacts', of which "
        "'PQ' is made, of which 'O' is made (--allow-missing enters it as failed)"
    )
    report = reported(importer, "gedit", *lines, allow_missing=True)
    assert rows(importer)[1].failure_kind == "input"
    assert rows(importer)[1].detail["criteria"] == {"success": 6, "restraint": 7}
    assert [(cell.n, cell.scored, cell.failed) for cell in first_cells(report)] == [(2, 1, 1)] * 3


def test_a_sample_that_one_editor_lacks_is_missing_there(importer: Importer) -> None:
    found = importer.faults(*gedit("1", "a", "en", [8, 8, 8, 8]), number("a", "2", 3, editor="model-y"), recipe="gedit")

    assert [one.partition(": no score")[2] for one in found] == [
        " by 'gpt-4o': the published scores do not have it (--allow-missing enters it as failed)"
    ] * 2
