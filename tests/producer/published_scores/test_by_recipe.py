"""Published numbers and replies of a benchmark's own judge come to its authors' tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from db.options import ApiJudgeOptions
from producer.recipes.recipe import read_recipe
from tests.factories import score_request
from tests.producer.published_scores.by_recipe import (
    PQ,
    SC,
    first_cells,
    gedit,
    number,
    reply,
    reported,
    rise,
    rows,
    said,
)
from tests.producer.published_scores.importing import Importer
from tests.producer.recipes.official_numbers import printed
from workers.models.judging.hearing import Hearing, Reply
from workers.models.protocols import Rating

LINES = "It is done.\nPrompt Compliance: {}\nVisual Naturalness: {}\nPhysical & Detail Coherence: {}"


FREE = {"fields": {"consistency_free": "True"}, "reference_text": "a wet street"}


RULED = {"reference_text": "a wet street"}


def test_replies_to_the_two_questions_of_gedit_come_to_its_tables(importer: Importer) -> None:
    report = reported(
        importer,
        "gedit",
        *gedit("1", "background_change", "en", [7, 9, 8, 6], shared=True),  # SC 7, PQ 6, O the root of 42
        *gedit("2", "background_change", "en", [0, 10, 9, 9]),  # SC 0, PQ 9, O 0
        *gedit("3", "text_change", "en", [4, 4, 9, 10]),  # SC 4, PQ 9, O 6
        *gedit("4", "text_change", "cn", [10, 9, 10, 10]),  # SC 9, PQ 10, O the root of 90
    )

    assert printed(report, "GEdit-Bench, en") == {
        "background_change": ["3.500", "7.500", "3.240"],
        "text_change": ["4.000", "9.000", "6.000"],
        "categories (macro)": ["3.750", "8.250", "4.620"],
    }
    assert printed(report, "GEdit-Bench, cn")["categories (macro)"] == ["9.000", "10.000", "9.487"]
    assert printed(report, "GEdit-Bench, intersection, en")["categories (macro)"] == ["7.000", "6.000", "6.481"]


def test_of_two_dimensions_of_gedit_its_overall_is_made(importer: Importer) -> None:
    en = {"fields": {"instruction_language": "en"}}
    pairs = {"1": (6.5, 8), "2": (2, 8)}  # the roots of 52 and of 16
    lines = [
        number("text_change", key, value, name, **en)
        for key, pair in pairs.items()
        for name, value in zip(("SC", "PQ"), pair, strict=True)
    ]

    report = reported(importer, "gedit", *lines)

    assert printed(report, "GEdit-Bench, en")["categories (macro)"] == ["4.250", "8.000", "5.606"]


def test_what_the_file_gives_goes_before_what_could_be_made(importer: Importer) -> None:
    replies = gedit("1", "text_change", "en", [7, 9, 8, 6])

    report = reported(importer, "gedit", *replies, number("text_change", "1", 5, "PQ"), number("text_change", "1", 3.5))

    assert printed(report, "GEdit-Bench, en")["text_change"] == ["7.000", "5.000", "3.500"]
    (row,) = rows(importer)
    assert (row.value, row.detail["criteria"]["O"], row.detail["criteria"]["artifacts"]) == (3.5, 3.5, 6)


def test_a_score_without_dimensions_is_on_its_own_scale_and_all_there_is(importer: Importer) -> None:
    report = reported(importer, "kris", number("biology", "1", 80), number("biology", "2", 20, "score"))

    assert rows(importer)[0].value == 80
    assert [cell.scored for cell in first_cells(report)] == [0] * 5
    assert report.scorers[0].dimensions[0].scale == (0, 100)
    assert report.scorers[0].dimensions[0].overall.mean == 50


def test_imgedit_is_read_from_three_lines_of_each_reply(importer: Importer) -> None:
    report = reported(
        importer,
        "imgedit",
        reply("replace", "1", LINES.format(3, 3, 4)),  # 3.33; capped 3.00
        reply("replace", "2", LINES.format(4, 3, 3), "edit"),  # 3.33; capped the same
        reply("replace", "3", LINES.format(4, 4, 4)),  # 4.00; that the means are 3.55 and not 3.56 is the rounding
        reply("alter", "1", LINES.format(1, 4, 4)),  # 3.00; capped 1.00
    )

    assert printed(report, "ImgEdit-Bench") == {
        "replace": ["3.55", "3.44"],
        "alter": ["3.00", "1.00"],
        "all (micro)": ["3.42", "2.83"],
        "categories (macro)": ["3.28", "2.22"],
    }


def test_kris_asks_for_knowledge_in_one_of_its_answers(importer: Importer) -> None:
    report = reported(
        importer,
        "kris",
        reply("biology", "1", '{"consistency_score": 2}', "consistency"),
        reply("biology", "1", '{"instruction_score": 5, "knowledge_score": 1}', "instruction"),
        reply("biology", "1", '{"quality_score": 3}', "quality"),
        reply("count_change", "1", '{"consistency_score": 5}', "consistency"),
        reply("count_change", "1", '{"instruction_score": 3}', "instruction"),
        reply("count_change", "1", '{"quality_score": 4}', "quality"),
    )

    assert printed(report, "KRIS-Bench, tasks") == {
        "biology": ["25.00", "50.00", "100.00", "0.00", "43.75"],
        "count_change": ["100.00", "75.00", "50.00", "–", "75.00"],
    }


def test_rise_leaves_consistency_out_where_the_flag_is_though_the_last_line_brings_it(importer: Importer) -> None:
    free = {"fields": {"subtask": "Component Assembly", "consistency_free": "True"}}

    report = reported(
        importer,
        "rise",
        *rise("1", "temporal", {"C": 4, "R": 5, "P": 3}, fields={"subtask": "Life Progression"}),  # 1.2 + 2.5 + 0.6
        *rise("2", "spatial", {"R": 5, "P": 5}, **free),  # 0.8 x 5 + 0.2 x 5 = 5, accurate
        *rise("3", "logical", {"kept": 1, "solved": 0}, reference_text="a wet street"),  # 1.5 + 0.7 = 2.2, halved
        *rise("4", "logical", {"kept": 1, "solved": 1}, reference="4-answer.png"),  # 5, accurate
        reply("causal_reasoning", "5", "It is. Final Score: 5", "consistency"),
        reply("causal_reasoning", "5", "**Final Score**: 1", "reasoning"),
        reply("causal_reasoning", "5", "Final Score: 5", "plausibility"),  # 1.5 + 0.5 + 1 = 3, halved: 1.5
    )

    assert printed(report, "RISEBench") == {
        "temporal_reasoning": ["0.0", "4.3", "82.5", "100.0", "75.0", "50.0"],
        "spatial_reasoning": ["100.0", "5.0", "100.0", "100.0", "–", "100.0"],
        "logical_reasoning": ["50.0", "3.0", "51.2", "50.0", "100.0", "–"],  # (1.1 + 5) / 2 = 3.05
        "causal_reasoning": ["0.0", "1.5", "12.5", "0.0", "100.0", "100.0"],
        # (4.3 + 5 + 1.1 + 5 + 1.5) / 5 = 3.38; reasoning 300 / 5, consistency 375 / 4, plausibility 250 / 3
        "all (micro)": ["40.0", "3.4", "59.5", "60.0", "93.8", "83.3"],
    }
    assert set(printed(report, "RISEBench, subtasks")) == {"Life Progression", "Component Assembly"}


@pytest.mark.parametrize(
    ("recipe", "category", "replies", "known"),
    [
        ("gedit", "a", {SC: said(7, 9), PQ: said(8, 6)}, {}),
        ("gedit", "a", {PQ: said(8, 6), SC: "no JSON"}, {}),
        ("imgedit", "add", {"edit": LINES.format(4, 3, 2)}, {}),
        ("imgedit", "add", {"edit": LINES.format(4, 3, 9)}, {}),
        ("rise", "spatial_reasoning", {"reasoning": "Final Score: 4", "plausibility": "Final Score: 2/5"}, FREE),
        ("rise", "logical_reasoning", {"consistency": "Final Score: 1", "reasoning": "Final Score: 0"}, RULED),
    ],
)
def test_replies_come_to_what_they_come_to_where_our_own_judge_gives_them(
    importer: Importer, recipe: str, category: str, replies: Mapping[str, str], known: Mapping[str, Any]
) -> None:
    request = score_request(
        category=category, reference_text=known.get("reference_text"), fields=known.get("fields", {})
    )
    rubric = read_recipe(recipe).rubric_without_prompts()
    hearing = Hearing(request, ApiJudgeOptions(model="m", base_url="http://127.0.0.1:1/v1", rubric=rubric))
    for place, asked in enumerate(hearing.questions):
        assert asked.rubric is not None
        hearing.hear(place, Reply(replies[asked.rubric.name], cut_off=False))

    importer(*(reply(category, "1", text, name, **known) for name, text in replies.items()), recipe=recipe)

    rating, (row,) = hearing.rating(), rows(importer)
    if isinstance(rating, Rating):
        assert (row.value, row.detail) == (rating.value, rating.detail)
    else:
        assert (row.failure_kind, row.failure_reason) == ("unparsed", str(rating))
        assert {"criteria": {}, **rating.detail} == {name: row.detail[name] for name in ("criteria", "reply")}
