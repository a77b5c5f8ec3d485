"""`import-scores`: every line that does not hold is named, and nothing is entered."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import pytest

from db.errors import WrongCall
from producer.benchmark.faults import MAX_FAULTS
from tests.producer.published_scores.importing import Importer, line, only


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ('{"sample": ', "line 2: is not valid JSON: "),
        ("[1]", "line 2: expected an object, found a list"),
        (line(sample=None), "line 2: sample is missing"),
        (line(editor=""), "line 2: editor is empty"),
        (line(category=5), "line 2: category: expected a text, found a number"),
        (line(scorer=None), "line 2: scorer is missing"),
        (line(scorer="a\x00"), "line 2: scorer contains a NUL character"),
        (line(value=None), "line 2: expected either a value or a failure, found neither"),
        (line(failure="refused"), "line 2: expected either a value or a failure, found both"),
        (line(value="7.5"), "line 2: value: expected a number, found a text"),
        (line(value=True), "line 2: value: expected a number, found a truth value"),
        (json.dumps(line(value=math.nan)), "line 2: is not valid JSON: NaN is no value of JSON; expected a number"),
        (json.dumps(line(value=math.inf)), "line 2: is not valid JSON: Infinity is no value of JSON; "),
        (line(value=10.5), "line 2: value is 10.5, which is not from 0 to 10 (--scale)"),
        (line(value=-1), "line 2: value is -1, which is not from 0 to 10"),
        (json.dumps(line(value=7)).replace(": 7}", ": 1e999}"), "line 2: value is beyond all bounds"),
        (line(value=10**400), "line 2: value is beyond all bounds"),
        (line(value=None, failure="boredom"), "line 2: failure: expected one of edit_failed, missing, judge_failed, "),
        (line(value=None, failure=5), "line 2: failure: expected one of "),
        (line(repeat=-1), "line 2: repeat: expected a whole number from 0 to 999, found -1"),
        (line(repeat=1.5), "line 2: repeat: expected a whole number from 0 to 999, found 1.5"),
        (line(judge_repeat=100), "line 2: judge_repeat: expected a whole number from 0 to 99, found 100"),
        (line(judge_repeat="1"), "line 2: judge_repeat: expected a whole number from 0 to 99, found a text"),
        (line(sample="p-0"), "line 2: says again what line 1 says of the same score"),
        (line(sample="p-0", dimension="overall", value=3), "line 2: says again what line 1 says of the same score"),
        (
            line(sample="p-0", scorer="human", instruction="b"),
            "line 2: instruction of sample 'p-0' of category '物理' is another one than on an earlier line",
        ),
        (
            line(sample="p-0", scorer="human", value=None, failure="edit_failed"),
            "line 1: scores an edit that has failed, as line 2 says",
        ),
    ],
    ids=str,
)
def test_a_line_that_does_not_hold_is_named_and_nothing_is_entered(importer: Importer, wrong: Any, fault: str) -> None:
    first = line(sample="p-0", instruction="a")

    found = importer.faults(first, wrong)

    assert len(found) == 1
    assert found[0].startswith(fault)


def test_every_fault_is_named_at_once(importer: Importer) -> None:
    found = importer.faults(line(), "5", line(value=11), "", line(scorer=None))

    assert [fault.partition(":")[0] for fault in found] == ["line 2", "line 3", "line 5"]


def test_of_very_many_faults_the_others_are_counted(importer: Importer) -> None:
    found = importer.faults(*["5"] * (MAX_FAULTS + 234))

    assert (len(found), found[-1]) == (MAX_FAULTS + 1, "and 234 more")


def test_a_file_without_lines_has_no_scores(importer: Importer) -> None:
    assert importer.faults("") == ("it has no scores",)


def test_a_score_that_the_file_does_not_have_is_a_fault(importer: Importer) -> None:
    lines = [line(), line(scorer="human"), line(sample="p-2"), line(sample="p-2", repeat=1)]

    found = importer.faults(*lines)

    assert found[0] == (
        "editor 'model-x', sample 'p-1' (物理), repeat 1: no score by 'gpt-4o': the published scores do not have it "
        "(--allow-missing enters it as failed)"
    )
    assert len(found) == 4


def test_a_score_that_is_not_there_fails_where_that_is_allowed(importer: Importer) -> None:
    imported = importer(line(), line(sample="p-2", scorer="human"), allow_missing=True)

    assert importer.given(only(imported)) == {
        ("物理", "p-1", 0, "gpt-4o", 0): 7.5,
        ("物理", "p-1", 0, "human", 0): "input",
        ("物理", "p-2", 0, "gpt-4o", 0): "input",
        ("物理", "p-2", 0, "human", 0): 7.5,
    }
    assert imported.missing == 2


def test_scores_of_one_scorer_are_made_alike_or_missing(importer: Importer) -> None:
    whole = [line(dimension="SC"), line(dimension="PQ")]

    lacking = importer.faults(*whole, line(sample="p-2", dimension="SC"))
    without_score = importer.faults(line(), line(sample="p-2", dimension="SC"))
    of_an_unknown = importer.faults(*whole, aggregate="min(SC, IF)")

    assert "line 3: editor 'model-x', sample 'p-2' (物理): no score by 'gpt-4o': it has no dimension 'PQ'" in lacking[0]
    assert "it has dimensions, but not the score itself, which this scorer gives elsewhere" in without_score[0]
    assert "it has no criterion 'IF', of which the score is made (PQ, SC given)" in of_an_unknown[0]


def test_a_misnumbered_repeat_is_one_fault_and_not_a_million(importer: Importer) -> None:
    lines = [line(sample=f"p-{number}") for number in range(300)]

    found = importer.faults(*lines, line(repeat=999))

    assert len(found) == 1
    assert "is a repeat misnumbered?" in found[0]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"scale": (5.0, 1.0)}, "--scale 5 1: expected two numbers from 0 to 100"),
        ({"scale": (-1.0, 1.0)}, "--scale -1 1: expected"),
        ({"scale": (0.0, math.inf)}, "--scale 0 inf: expected"),
        ({"aggregate": "SC + PQ"}, "--aggregate: 'SC + PQ' can give 0 to 20"),
        ({"name": " "}, "--name: the benchmark's name is empty"),
        ({"name": "a\nb"}, "--name: the benchmark's name contains a control character"),
    ],
    ids=str,
)
def test_a_wrong_call_is_named(importer: Importer, given: dict[str, Any], said: str) -> None:
    with pytest.raises(WrongCall, match=re.escape(said)):
        importer(line(), **given)
