"""`import-scores --recipe`: others' numbers and replies come to the tables that the benchmark's authors would print."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import select

from db.engine import reading
from db.errors import WrongCall
from db.images import FolderStore
from db.ledger import Ledger
from db.options import ApiJudgeOptions
from db.outcomes import asked_scorers
from db.queries import all_runs, find_run
from db.tables import samples, scores
from db.upkeep.finding import Inspection
from db.upkeep.fsck import findings
from producer.recipes.recipe import read_recipe
from producer.report.gather import gather_report
from producer.report.schema import OfficialCell, Report
from tests.factories import score_request
from tests.producer.recipes.test_official_numbers import printed
from tests.producer.shell import Shell
from tests.producer.test_import_scores import Importer, line, only, scores_file
from workers.models.judging.hearing import Hearing, Reply
from workers.models.protocols import Rating

SC, PQ = "semantic consistency", "perceptual quality"

LINES = "It is done.\nPrompt Compliance: {}\nVisual Naturalness: {}\nPhysical & Detail Coherence: {}"

FREE = {"fields": {"consistency_free": "True"}, "reference_text": "a wet street"}
RULED = {"reference_text": "a wet street"}


@pytest.fixture
def importer(tmp_path: Path, ledger: Ledger, images: FolderStore) -> Importer:
    return Importer(tmp_path, ledger, images)


def number(category: str, key: str, value: float, dimension: str | None = None, **given: Any) -> dict[str, Any]:
    return line(category=category, sample=key, value=value, dimension=dimension, **given)


def reply(category: str, key: str, text: str, question: str | None = None, **given: Any) -> dict[str, Any]:
    return line(category=category, sample=key, value=None, reply=text, question=question, **given)


def said(*numbers: float) -> str:
    return json.dumps({"score": numbers, "reasoning": f"as {numbers[0]}"})


def gedit(key: str, category: str, language: str, numbers: Sequence[float], *, shared: bool = False) -> list[Any]:
    """Return both questions' replies for one edit."""
    fields = {"instruction_language": language, "Intersection_exist": shared}
    first, second = said(*numbers[:2]), said(*numbers[2:])
    return [reply(category, key, first, SC, fields=fields), reply(category, key, second, PQ, fields=fields)]


def reported(importer: Importer, recipe: str, *lines: Any, **given: Any) -> Report:
    run_id = only(importer(*lines, recipe=recipe, **given))
    return gather_report(importer.ledger.engine, run_id)


def rows(importer: Importer) -> list[Any]:
    """Return value, why it failed, and the detail of every score, in the order in which they were entered."""
    columns = (scores.c.value, scores.c.failure_kind, scores.c.failure_reason, scores.c.detail)
    with reading(importer.ledger.engine) as connection:
        return list(connection.execute(select(*columns).order_by(scores.c.id)).all())


def first_cells(report: Report) -> list[OfficialCell]:
    assert report.official is not None
    return list(report.official.tables[0].rows[0].cells)


# -- the tables --------------------------------------------------------------------------------------------------------


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


def rise(key: str, kind: str, numbers: Mapping[str, float], **given: Any) -> list[Any]:
    """Return a line for each number; what else is known of the sample stands on the last."""
    lines = [number(f"{kind}_reasoning", key, value, name) for name, value in numbers.items()]
    return [*lines[:-1], {**lines[-1], **given}]


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


# -- failures ----------------------------------------------------------------------------------------------------------


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


# -- the run -----------------------------------------------------------------------------------------------------------


def test_the_run_keeps_the_recipe_and_each_scorer_the_rubric_without_its_prompts(importer: Importer) -> None:
    lines = gedit("1", "text_change", "en", [7, 9, 8, 6])

    run_id = only(importer(*lines, number("text_change", "1", 4, scorer="human"), recipe="gedit"))

    configuration = find_run(importer.ledger.engine, run_id).configuration
    assert (configuration["recipe"]["name"], configuration["recipe"]["judge"]) == ("gedit", "gpt-4.1")
    assert configuration["imported"]["scale"] == [0, 10]
    with reading(importer.ledger.engine) as connection:
        asked = asked_scorers(connection, run_id)
    assert [scorer.label for scorer in asked] == ["gpt-4o", "human"]
    for scorer in asked:
        assert scorer.rubric is not None
        assert [question.prompt.user for question in scorer.rubric.questions] == [
            '{{ "semantic consistency: not known" }}',
            '{{ "perceptual quality: not known" }}',
        ]


def test_every_dimension_has_its_own_scale_and_the_reasons_their_questions(importer: Importer) -> None:
    report = reported(importer, "gedit", *gedit("1", "text_change", "en", [7, 9, 8, 6]))
    ruled = reported(importer, "kris", *[number("biology", "1", 3, name) for name in KRIS], name="kris")

    (row, _) = rows(importer)
    assert row.detail["reasoning"] == f"{SC}: as 7\n{PQ}: as 8"
    assert list(row.detail["criteria"].items()) == [
        *(("success", 7), ("restraint", 9), ("naturalness", 8), ("artifacts", 6)),
        *(("SC", 7), ("PQ", 6), ("O", 42**0.5)),
    ]
    assert {one.name: one.scale for one in report.scorers[0].dimensions}["SC"] == (0, 10)
    scales = {one.name: one.scale for one in ruled.scorers[0].dimensions}
    assert (scales["overall"], scales["KP"], scales["knowledge"]) == ((0, 100), (0, 100), (1, 5))


KRIS = ("consistency", "quality", "instruction", "knowledge")


def test_what_is_known_of_a_sample_is_in_its_row(importer: Importer) -> None:
    importer(
        number("a", "1", 5, fields={"n": 1, "instruction_language": " en "}, description="a street"),
        number("a", "1", 5, scorer="human", fields={"n": 1, "wet": True, "none": None}, reference="1.png"),
        number("a", "2", 5, reference_text="a wet street", reference="1.png", description=""),
        number("a", "2", 5, scorer="human"),
        recipe="gedit",
    )

    with reading(importer.ledger.engine) as connection:
        first, second = connection.execute(select(samples).order_by(samples.c.position)).all()
    assert first.fields == {"n": 1, "instruction_language": "en", "wet": True}
    assert (first.description, second.description) == ("a street", None)
    assert (second.reference_text, second.fields) == ("a wet street", None)
    assert first.reference_image == second.reference_image != first.source_image
    assert importer.images.fault(first.reference_image) is None
    assert list(findings(Inspection(importer.ledger, importer.images))) == []


def test_a_file_that_is_imported_twice_finds_the_same_runs(importer: Importer) -> None:
    lines = gedit("1", "text_change", "en", [7, 9, 8, 6])

    first = importer(*lines, recipe="gedit")
    second = importer(*lines, recipe="gedit")
    other = importer(*gedit("1", "text_change", "en", [7, 9, 8, 5]), recipe="gedit")

    assert second.run_ids == first.run_ids
    assert (len(first.new), second.new, len(other.new)) == (1, [], 1)
    assert len(all_runs(importer.ledger.engine)) == 2


def test_the_same_numbers_by_a_recipe_and_without_one_are_two_runs(importer: Importer) -> None:
    ruled = only(importer(number("a", "1", 5), recipe="gedit"))

    assert only(importer(number("a", "1", 5))) != ruled


def test_without_a_recipe_what_recipes_read_is_passed_over(importer: Importer) -> None:
    """So that files that were imported before recipes were known are the runs that they were."""
    more = {"fields": {"a": 1}, "description": "d", "reference_text": "t", "reference": "r", "question": "q"}

    plain = importer(line(), line(editor="model-y", dimension="SC"))
    told = importer(line(**more), line(editor="model-y", dimension="SC"))

    assert told.run_ids == plain.run_ids == {"model-x": "4c87ccc6272b", "model-y": "66201242af8f"}


def test_a_recipe_may_call_its_score_overall(importer: Importer, tmp_path: Path) -> None:
    path = own_recipe(tmp_path, "mark", "overall", score="overall")

    importer(number("a", "1", 3, "mark"), number("a", "1", 1, "overall"), recipe=str(path))

    (row,) = rows(importer)
    assert (row.value, row.detail["criteria"]) == (1, {"mark": 3, "overall": 1})


def own_recipe(folder: Path, *criteria: str, score: str) -> Path:
    """Write a recipe of one question, whose name would be no template, for numbers from 1 to 3 behind `Mark`."""
    given = [{"name": name, "scale": [1, 3]} for name in criteria]
    question = {
        "name": "asked {{ anew",
        "prompt": {"parts": [{"files": ["prompts.json"], "keys": ["asked"]}]},
        "show": [{"what": "edited"}],
        "answer": {"form": "labelled", "label": "Mark", "criteria": given},
    }
    own = {
        **{"name": "own", "benchmark": "ours", "follows": "nobody", "judge": "a judge"},
        **{"questions": [question], "score": score},
        "tables": [{"title": "Ours", "columns": [{"name": "mark", "of": ["mark"]}]}],
    }
    path = folder / "own.yaml"
    path.write_text(yaml.safe_dump(own), encoding="utf-8")
    return path


def test_a_recipe_of_ones_own_is_a_file(importer: Importer, tmp_path: Path) -> None:
    path = own_recipe(tmp_path, "mark", score="mark")

    report = reported(importer, str(path), reply("a", "1", "Mark: 3"), number("a", "2", 2))

    assert printed(report, "Ours")["a"] == ["2.50"]


# -- faults ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recipe", "wrong", "fault"),
    [
        (
            "gedit",
            number("a", "1", 5, "beauty"),
            "dimension: recipe gedit has no 'beauty'; it has success, restraint, naturalness, artifacts, SC, PQ, O",
        ),
        (
            "gedit",
            number("a", "1", 11, "SC"),
            "value is 11, which is not from 0 to 10 (the scale of 'SC' in recipe gedit)",
        ),
        (
            "imgedit",
            number("add", "1", 0, "first"),
            "value is 0, which is not from 1 to 5 (the scale of 'first' in rec",
        ),
        (
            "kris",
            number("biology", "1", 101),
            "value is 101, which is not from 0 to 100 (the scale of 'score' in recipe",
        ),
        ("gedit", number("a", "1", True, "SC"), "value: expected a number, found a truth value"),
        (
            "gedit",
            reply("a", "1", said(1, 2), "beauty"),
            "question: recipe gedit has no 'beauty'; it has semantic consistency, perceptual quality",
        ),
        (
            "gedit",
            reply("a", "1", said(1, 2)),
            "question: is missing, and there are several for sample '1' of category 'a': semantic consistency, percep",
        ),
        (
            "rise",
            reply("logical_reasoning", "1", "Final Score: 5", "plausibility", reference_text="t"),
            "question: 'plausibility' is not asked of sample '1' of category 'logical_reasoning', of which there is "
            "reference_text: consistency, reasoning",
        ),
        (
            "rise",
            number("spatial_reasoning", "1", 5, "C", fields={"consistency_free": True}),
            "dimension: the recipe comes to no 'C' for sample '1' of category 'spatial_reasoning', of which there is "
            "consistency_free, but to R, P, reasoning, plausibility, weighted, score, percent, ",
        ),
        ("imgedit", number("dance", "1", 5), "the recipe asks nothing of sample '1' of category 'dance'"),
        ("imgedit", reply("dance", "1", "x"), "the recipe asks nothing of sample '1' of category 'dance'"),
        ("gedit", number("a", "1", 5, "SC", question=SC), "expected either a value or a question, found both: a ques"),
        (
            "gedit",
            reply("a", "1", said(1, 2), SC, dimension="SC"),
            "expected either a reply or a dimension, found both",
        ),
        (
            "gedit",
            line(value=None, failure="lost", dimension="SC", question=SC),
            "expected either a question or a dimension, found both",
        ),
        (
            "gedit",
            line(reply="a", question=SC),
            "expected one of a value, a failure and a reply, found value and reply",
        ),
        ("gedit", line(value=None), "expected one of a value, a failure and a reply, found none"),
        ("gedit", line(fields=[1]), "fields: expected an object, found a list"),
        ("gedit", line(fields={"a": {}}), "a: expected a text, a number or a truth value, found an object"),
        ("gedit", line(fields={"a\nb": 1}), "a name in fields contains a control character"),
        ("gedit", line(fields={" ": 1}), "fields: a name is empty"),
    ],
    ids=str,
)
def test_a_line_that_does_not_fit_the_recipe_is_named_and_nothing_is_entered(
    importer: Importer, recipe: str, wrong: Any, fault: str
) -> None:
    (found,) = importer.faults(wrong, recipe=recipe)

    assert found.startswith(f"line 1: {fault}")


@pytest.mark.parametrize(
    ("first", "second", "what"),
    [
        ({"fields": {"a": 1}}, {"fields": {"a": 2}}, "field 'a'"),
        ({"fields": {"a": 1}}, {"fields": {"a": True}}, "field 'a'"),
        ({"description": "a"}, {"description": "b"}, "description"),
        ({"reference_text": "a"}, {"reference_text": "b"}, "reference_text"),
        ({"reference": "a"}, {"reference": "b"}, "reference"),
    ],
)
def test_lines_that_disagree_about_a_sample_are_named(
    importer: Importer, first: Mapping[str, Any], second: Mapping[str, Any], what: str
) -> None:
    found = importer.faults(line(**first), line(scorer="human", **second), recipe="gedit")

    assert found == (f"line 2: {what} of sample 'p-1' of category '物理' is another one than on an earlier line",)


@pytest.mark.parametrize(
    "again",
    [
        reply("a", "1", "cannot be read", SC),
        number("a", "1", 5, "restraint"),
        line(category="a", sample="1", value=None, failure="lost", question=SC),
    ],
    ids=["reply", "number", "failure"],
)
def test_what_a_reply_has_said_is_not_said_again(importer: Importer, again: Any) -> None:
    found = importer.faults(reply("a", "1", said(1, 2), SC), number("a", "1", 5, "PQ"), again, recipe="gedit")

    assert found == ("line 3: says again what line 1 says of the same score",)


def test_the_score_by_its_name_is_the_score(importer: Importer) -> None:
    found = importer.faults(number("a", "1", 5), number("a", "1", 6, "O"), recipe="gedit")

    assert found == ("line 2: says again what line 1 says of the same score",)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"scale": (0.0, 10.0)}, "--scale beside --recipe gedit: a recipe says itself how its scores are made"),
        ({"aggregate": "mean"}, "--aggregate beside --recipe gedit: a recipe says itself"),
        ({"recipe": "nobody's"}, "--recipe nobody's: expected one of gedit, imgedit, kris, rise, or a file"),
    ],
)
def test_a_wrong_call_is_named(importer: Importer, given: Mapping[str, Any], said: str) -> None:
    with pytest.raises(WrongCall, match=re.escape(said)):
        importer(line(), **{"recipe": "gedit", **given})


# -- the command -------------------------------------------------------------------------------------------------------


@pytest.mark.integration
def test_the_command_needs_no_prompts_and_the_report_has_the_table(shell: Shell) -> None:
    path = scores_file(shell.folder, gedit("1", "text_change", "en", [7, 9, 8, 6]))

    done = shell("import-scores", path, "--recipe", "gedit")

    assert done.code == 0, done.err
    report = shell("report", done.out.strip())
    assert report.code == 0
    assert "GEdit-Bench, en, as its authors count" in report.out
    assert "6.481" in report.out
    assert shell("import-scores", path, "--recipe", "gedit").out == done.out
    refused = shell("import-scores", path, "--recipe", "gedit", "--scale", "0", "10")
    assert refused.code == 2
    assert refused.complaint.startswith("error: --scale beside --recipe gedit: ")
    assert shell("fsck").code == 0
