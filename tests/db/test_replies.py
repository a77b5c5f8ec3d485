"""A judge's reply: its JSON, an aggregate of its criteria, its thinking, and what of it was cut off."""

from __future__ import annotations

import json

import pytest

from db.aggregate import read_aggregate
from db.replies import Unreadable, Verdict, read_reply
from tests.db.replying import complaint, value

# -- an aggregate of criteria ------------------------------------------------------------------------------------------

BOTH = '{"reasoning": "fine", "sc": 9, "pq": 4, "score": 8}'


def aggregated(reply: str, text: str = "sqrt(sc*pq)", *, cut_off: bool = False) -> Verdict:
    return read_reply(reply, cut_off=cut_off, aggregate=read_aggregate(text))


def test_an_aggregate_makes_the_score_and_what_the_judge_said_is_kept() -> None:
    verdict = aggregated(BOTH)

    assert verdict == Verdict(6.0, {"sc": 9.0, "pq": 4.0}, "fine", said=8.0)
    assert verdict.detail() == {"reasoning": "fine", "criteria": {"sc": 9.0, "pq": 4.0}, "said": 8.0}


def test_with_an_aggregate_a_reply_needs_no_score() -> None:
    verdict = aggregated('{"sc": 9, "pq": 4}')

    assert (verdict.value, verdict.said, "said" in verdict.detail()) == (6.0, None, False)


def test_a_criterion_may_be_called_as_the_reasons_are() -> None:
    assert aggregated('{"reasoning": 7, "sc": 1}', "reasoning").value == 7


def test_of_several_objects_the_last_with_all_criteria_counts() -> None:
    assert aggregated('{"sc": 1, "pq": 1}\n{"sc": 9, "pq": 4}\n{"confidence": 3}').value == 6


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ('{"sc": 9, "score": 8}', "the reply gives no criterion 'pq', of which the score is made (sc given)"),
        ('{"sc": 9, "pq": "good", "score": 8}', "the reply gives no criterion 'pq'"),
        ('{"score": 8}', "the reply gives no criterion 'pq'"),
        ("Score: 8", "the reply gives no criteria"),
        ('{"sc": 9, "pq": 40}', "the reply's pq is 40, which is not from 0 to 10"),
        ('{"sc": 9, "pq": NaN}', "the reply's pq is nan"),
    ],
)
def test_a_reply_without_a_criterion_of_the_score_is_unparsed_and_kept(reply: str, reason: str) -> None:
    with pytest.raises(Unreadable) as caught:
        aggregated(reply)
    assert str(caught.value).startswith(reason)


def test_an_aggregate_of_all_criteria_needs_one() -> None:
    assert aggregated('{"sc": 9, "pq": 4}', "mean").value == 6.5
    with pytest.raises(Unreadable, match="no criteria, of which the score is made"):
        aggregated('{"score": 8}', "mean")


# -- JSON --------------------------------------------------------------------------------------------------------------


def test_a_json_reply_gives_score_criteria_and_reasons() -> None:
    reply = '{"reasoning": "The sky is grey.", "instruction_following": 9, "preservation": 7.5, "score": 8.5}'

    verdict = read_reply(reply)

    assert verdict == Verdict(8.5, {"instruction_following": 9.0, "preservation": 7.5}, "The sky is grey.")
    assert verdict.detail() == {
        "reasoning": "The sky is grey.",
        "criteria": {"instruction_following": 9.0, "preservation": 7.5},
    }


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param('{"score": 8}', id="bare"),
        pytest.param('```json\n{"score": 8}\n```', id="fenced"),
        pytest.param('```\n{"score": 8}\n```\n', id="fenced without a language"),
        pytest.param('Here is my verdict:\n{"score": 8}\nI hope that helps.', id="text around"),
        pytest.param('The {big} sky is {"bigger"} now. {"score": 8}', id="other braces around"),
        pytest.param('{"criteria": {"sky": {"grey": 3}}, "score": 8}', id="nested braces"),
        pytest.param('{"reasoning": "it says } and {\\"score\\": 2}", "score": 8}', id="braces within a string"),
        pytest.param('{"sky": {"score": 3}, "score": 8}', id="a nested score before"),
        pytest.param('{"score": 8, "sky": {"score": 3}}', id="a nested score behind"),
        pytest.param('{"verdict": {"score": 8}}', id="the only score is nested"),
        pytest.param('{"score": 3}\nOn second thoughts:\n{"score": 8}', id="the last object counts"),
        pytest.param('{"score": 8}\n{"confidence": 3}', id="the last object has no score"),
        pytest.param('{"Score": 8}', id="a capital"),
        pytest.param('{"score": 8.0}', id="a fraction"),
        pytest.param('{"score": "8"}', id="a number as text"),
        pytest.param('{"score": "8/10"}', id="of ten as text"),
        pytest.param('{"score": " 8 out of 10 "}', id="out of ten as text"),
        pytest.param("{'score': 8}", id="Python's quotes"),
        pytest.param('{"score": 8,}', id="a comma too many"),
        pytest.param('{"reasoning": "the "OPEN" sign is gone", "score": 8}', id="quotes that were not escaped"),
    ],
)
def test_a_score_is_found_in_json_however_it_is_wrapped(reply: str) -> None:
    assert value(reply) == 8


def test_line_breaks_within_a_string_are_taken_as_they_are() -> None:
    assert read_reply('{"reasoning": "first\n\tsecond", "score": 8}') == Verdict(8, {}, "first\n\tsecond")


@pytest.mark.parametrize("name", ["reasoning", "reason", "explanation", "rationale", "analysis"])
def test_reasons_may_come_under_another_name(name: str) -> None:
    assert read_reply(json.dumps({name: "天空变暗", "score": 8})).reasoning == "天空变暗"


def test_reasons_that_are_no_text_are_none() -> None:
    assert read_reply('{"reasoning": ["a", "b"], "score": 8}').reasoning == ""


def test_only_numbers_are_criteria() -> None:
    reply = '{"preservation": 7, "done": true, "notes": "fine", "left": [1], "why": {"a": 2}, "none": null, "score": 8}'

    assert read_reply(reply).criteria == {"preservation": 7.0}


def test_a_criterion_out_of_range_spoils_the_reply() -> None:
    assert complaint('{"preservation": 11, "score": 8}') == "the reply's preservation is 11, which is not from 0 to 10"


@pytest.mark.parametrize(
    ("name", "shown"), [("pre\\n\\u001b[2J", r"pre\n\x1b[2J"), ("\\ud800", r"\ud800"), ("x" * 100_000, "x" * 80)]
)
def test_a_criterions_name_is_repeated_in_one_short_line(name: str, shown: str) -> None:
    reply = f'{{"{name}": 11, "score": 8}}'

    assert complaint(reply) == f"the reply's {shown} is 11, which is not from 0 to 10"


@pytest.mark.parametrize("score", [0, 10, 0.0, 10.0])
def test_the_ends_of_the_scale_belong_to_it(score: float) -> None:
    assert value(json.dumps({"score": score})) == score


@pytest.mark.parametrize(
    "score", ["-1", "-0.01", "10.01", "11", "85", "1e2", "1e400", "-1e400", "NaN", "Infinity", "-Infinity", "9" * 4000]
)
def test_a_number_out_of_range_is_no_score(score: str) -> None:
    assert complaint(f'{{"score": {score}}}').endswith("which is not from 0 to 10")


@pytest.mark.parametrize("score", ["true", "false", "null", "[8]", '{"overall": 8}', '"high"', '"8 of the 10"', '""'])
def test_what_is_no_number_is_no_score(score: str) -> None:
    assert complaint(f'{{"score": {score}}}').endswith("which is no number")


@pytest.mark.parametrize("score", ['"8,5"', '"8-9"', '"8 - 9"', '"8–9"', '"8.5.3"', '"1e1"'])
def test_a_text_that_holds_more_than_a_number_is_no_score(score: str) -> None:
    assert complaint(f'{{"score": {score}}}') == f"the reply's score is {score}, which is no number".replace(
        "–", "\\u2013"
    )


@pytest.mark.parametrize("score", ['"4/5"', '"80 out of 100"', '"8/100"'])
def test_a_score_of_another_scale_is_not_converted(score: str) -> None:
    assert complaint(f'{{"score": {score}}}').endswith("which is not from 0 to 10")


# Skipping to where the decoder stopped, not to the next brace, would leave the inner objects out.
@pytest.mark.parametrize(
    ("reply", "cut_off"),
    [
        pytest.param('{"sky": {"score": 3}, "score": 8,}', False, id="a comma too many"),
        pytest.param('{"sky": {"score": 3}, "ground": {"score": 9}, "reas', True, id="cut off"),
        pytest.param('{"sky": {"score": 3}, "ground": {"score": 9}, "reas', False, id="ended too early"),
    ],
)
def test_a_nested_score_is_not_the_score_of_a_broken_object(reply: str, cut_off: bool) -> None:
    assert complaint(reply, cut_off=cut_off)


# -- thinking, and replies that were cut off ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [
        '<think>Maybe {"score": 3}? Score: 3.</think>{"score": 8}',
        'The template opened it. {"score": 3}</think>\n\n{"score": 8}',
        "<think>Score: 3</think>Score: 8",
        "<think>a</think><think>Score: 3</think>Score: 8",
    ],
)
def test_what_was_thought_is_not_the_answer(reply: str) -> None:
    assert value(reply) == 8


@pytest.mark.parametrize("cut_off", [False, True])
def test_thinking_without_an_end_holds_no_answer(cut_off: bool) -> None:
    reply = '<think>I would say {"score": 3}, or rather Score: 8'

    assert complaint(reply, cut_off=cut_off) == "the reply was cut off while the judge was thinking"


def test_thinking_alone_is_no_answer() -> None:
    assert complaint("<think>Score: 8</think>") == "the reply names no score"


@pytest.mark.parametrize(
    "reply", ['{"score": 8}', '{"score": 8}\nThis is beca', '```json\n{"score": 8}', '<think>.</think>{"score": 8} as']
)
def test_a_whole_object_counts_though_what_follows_was_cut_off(reply: str) -> None:
    assert value(reply, cut_off=True) == 8


@pytest.mark.parametrize(
    "reply", ['{"reasoning": "The sky is 8/10 and', '{"score": 8', '{"reasoning": "Score: 8", "scor', "```json\n{", "{"]
)
def test_an_object_that_was_cut_off_is_none(reply: str) -> None:
    assert complaint(reply, cut_off=True) == "the reply was cut off within its JSON"


@pytest.mark.parametrize("reply", ["Score: 8", "8/10", "First I compare {the sky} ", 'I will answer {"score": 8}', ""])
def test_a_text_that_was_cut_off_holds_no_score(reply: str) -> None:
    assert complaint(reply, cut_off=True) == "the reply was cut off before its score"
