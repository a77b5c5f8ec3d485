"""A judge's reply: which score is read out of it, and what is refused rather than guessed."""

from __future__ import annotations

import json
import re
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from db.aggregate import read_aggregate
from db.replies import Unreadable, Verdict, read_reply


def value(reply: str, *, cut_off: bool = False) -> float:
    return read_reply(reply, cut_off=cut_off).value


def complaint(reply: str, *, cut_off: bool = False) -> str:
    """Return why no score could be read; the reply is kept beside every such reason."""
    with pytest.raises(Unreadable) as caught:
        read_reply(reply, cut_off=cut_off)
    return str(caught.value)


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
    ("name", "shown"),
    [("pre\\n\\u001b[2J", r"pre\n\x1b[2J"), ("\\ud800", r"\ud800"), ("x" * 100_000, "x" * 80)],
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


# -- text --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [
        "Score: 8.5",
        "score=8.5",
        "SCORE : 8.5",
        "The score is 8.5.",
        "**Score:** 8.5",
        "**Score: 8.5**",
        "Score: **8.5**",
        "*Score*: _8.5_",
        "Score:\n8.5",
        '"score": "8.5"',
        "Score: 8.5/10",
        "Score: 8.5 / 10.0",
        "Score: 8.5 out of 10",
        "Score: 8.5, which is fair.",
        "I give it 8.5/10.",
        "8.5/10",
        "(8.5 / 10)",
        "8.5/10.0!",
        "评分：8.5",
        "评分:8.5分",
        "得分为 8.5 分",
        "分数是8.5",
        "打分=8.5",
        "**评分**：8.5/10",
        "最终评分: 8.5",
        "Score: 8.5\nScore: 8.50",
        "The sky is 9/10, the ground 7/10.\nScore: 8.5",
        "I looked at 3 things in 2026-03-04.\nScore: 8.5\n1. sky\n2. ground",
        "评分：８.５",
    ],
)
def test_a_score_is_found_in_text(reply: str) -> None:
    assert value(reply) == 8.5


def test_the_whole_text_is_the_reasons() -> None:
    assert read_reply("\nThe sky is grey.\nScore: 8\n") == Verdict(8, {}, "The sky is grey.\nScore: 8")


@pytest.mark.parametrize("reply", ["Score: 8\nScore: 6.5", "8/10 for the sky, 6.5/10 below", "评分：8，得分：6.5"])
def test_several_scores_that_differ_are_none(reply: str) -> None:
    assert complaint(reply) == "the reply names several scores: 6.5, 8"


def test_of_many_scores_that_differ_a_few_are_repeated() -> None:
    reply = "\n".join(f"Score: {number / 1000}" for number in range(1000))

    assert complaint(reply) == (
        "the reply names several scores: 0, 0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.007, 0.008, 0.009, ..."
    )


def test_a_long_number_is_repeated_in_part() -> None:
    assert len(complaint(f"Score: {'9' * 300}/{'8' * 300}")) < 300


@pytest.mark.parametrize("reply", ["Score: 11", "Score: -1", "Score: 85", "评分：10.5", "-1/10", "11/10", "100/10"])
def test_a_number_out_of_range_in_text_is_no_score(reply: str) -> None:
    assert complaint(reply).endswith("which is not from 0 to 10")


@pytest.mark.parametrize("reply", ["Score: 4/5", "Score: 85/100", "评分：4/5", "Score: 4 out of 5", "Score: 8/10.5"])
def test_a_score_of_another_scale_in_text_is_not_converted(reply: str) -> None:
    assert complaint(reply).endswith("which is not from 0 to 10")


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param("", id="nothing"),
        pytest.param("The edit is excellent.", id="no number"),
        pytest.param("8", id="a number without a word"),
        pytest.param("I see 8 birds and 2 trees.", id="numbers of other things"),
        pytest.param("Score: 8-9", id="a range"),
        pytest.param("Score: 8 - 9", id="a range with spaces"),
        pytest.param("Score: 8–9", id="a range with a dash"),
        pytest.param("评分：8~9", id="a range with a tilde"),
        pytest.param("Score: 8,5", id="a decimal comma"),
        pytest.param("Score: between eight and nine", id="words"),
        pytest.param("3/10/2026", id="a date"),
        pytest.param("2026/3/10", id="a date, year first"),
        pytest.param("10/10/2026", id="a date of tens"),
        pytest.param("8/100", id="of a hundred"),
        pytest.param("8/10.5", id="of ten and a half"),
        pytest.param("4/5", id="of five"),
        pytest.param("version 1.8.5/10", id="a version"),
        pytest.param("Score (0-10): see above", id="the scale alone"),
        pytest.param("Underscore: 8", id="another word"),
        pytest.param("Score: $8", id="a price"),
    ],
)
def test_what_names_no_score_is_refused(reply: str) -> None:
    assert complaint(reply) == "the reply names no score"


MISREAD = [
    pytest.param("8,5/10", id="a decimal comma of ten"),  # 5
    pytest.param("Score: 8,5/10", id="a labelled decimal comma of ten"),  # 5
    pytest.param("1,000/10", id="a thousand of ten"),  # 0
    pytest.param("8-9/10", id="a range of ten"),  # 9
    pytest.param("Score: 8-9/10", id="a labelled range of ten"),  # 9
    pytest.param("8 – 9/10", id="a range of ten with a dash"),  # 9
    pytest.param("7 or 8/10", id="a choice of ten"),  # 8
    pytest.param("-9/-9/10", id="a negative number behind a slash"),  # 9
    pytest.param("fine,-9/10", id="a negative number behind a comma"),  # 9
    pytest.param("8-91e4/10", id="a range up to a number with an exponent"),  # 4
    pytest.param("81e1.5/10", id="an exponent with a fraction"),  # 1.5
    pytest.param("Score: 8 to 9", id="a range in words"),  # 8
    pytest.param("评分：8到9分", id="a range in Chinese words"),  # 8
    pytest.param("Score: 8—9", id="a range with a long dash"),  # 8
    pytest.param("Score: 1e1", id="an exponent"),  # 1
    pytest.param("Score: 8%", id="a percentage"),  # 8
    pytest.param("Score: 8.5.3", id="a version"),  # 8.5
    pytest.param("Score: 8/10/2026", id="a date"),  # 8
    pytest.param("Score: **4**/5", id="of five, the number in bold"),  # 4
    pytest.param("Score: 4 (out of 5)", id="of five, in brackets"),  # 4
    pytest.param("评分：4分（满分5分）", id="of five, in Chinese"),  # 4
]
"""What is read as the number behind it: none of them was said."""


@pytest.mark.parametrize("reply", MISREAD)
def test_a_part_of_what_was_said_is_no_score(reply: str) -> None:
    assert complaint(reply)


def test_a_list_behind_the_score_does_not_make_it_a_range() -> None:
    assert value("Score: 8\n- 2 seams are left") == 8


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
    "reply",
    ['{"score": 8}', '{"score": 8}\nThis is beca', '```json\n{"score": 8}', '<think>.</think>{"score": 8} as'],
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


# -- never a crash, never a number that was not said -------------------------------------------------------------------


@pytest.mark.parametrize("digits", [300, 400, 4299, 4300, 4301, 100_000])
@pytest.mark.parametrize(
    "form", ['{"score": %s}', '{"score": "%s"}', '{"score": "8/%s"}', "Score: %s", "Score: 8/%s", "%s/10"]
)
def test_a_huge_number_is_no_crash(form: str, digits: int) -> None:
    assert complaint(form % ("9" * digits))


@pytest.mark.parametrize("opening", ["{", "[", '{"a":', '{"score":', "<think>{", "```json\n{"])
def test_deep_nesting_is_no_crash(opening: str) -> None:
    assert complaint(opening * 3000)


def test_no_depth_of_nesting_is_a_crash() -> None:
    for depth in range(sys.getrecursionlimit() + 10):
        assert complaint('{"score": ' + "[" * depth + "]" * depth + "}")


@pytest.mark.parametrize(
    "reply",
    [
        "score" * 20_000,
        "Score:" + " *" * 50_000,
        "9 " * 50_000,
        "8/" * 50_000,
        "8" + " " * 100_000 + "/11",
        '{"' * 9_000,
    ],
    ids=lambda reply: reply[:8],
)
@pytest.mark.timeout(10)
def test_a_long_reply_takes_no_longer_than_it_is_long(reply: str) -> None:
    with pytest.raises(Unreadable):
        read_reply(reply, cut_off=True)
    with pytest.raises(Unreadable):
        read_reply(reply)


NUMBER_SAID = re.compile(r"[-+]?\d+(?:[.,]\d+)*(?:[eE][-+]?\d+)?")
"""A number with all that belongs to it, so that the 5 of "8,5" is none."""

PIECES = (
    *("score", "Score:", "评分：", "得分为", "is", "/10", "/5", "out of 10", "**", "-", "–", ",", ".", " ", "\n", "e"),
    *('{"score":', '"sky":', '"reasoning": "', '"', "}", "{", "[", "]", ",", "null", "NaN", "```json", "</think>"),
    *("0", "3", "7.5", "8", "9", "10", "11", "85", "-1", "1e1", "0.001", "٨", "100000000000000000000"),
)
REPLIES = st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=14).map("".join) | st.text()


def numbers_said(reply: str) -> set[float]:
    said = set()
    for number in NUMBER_SAID.findall(reply):
        try:
            said.add(float(number))
        except ValueError:  # with a decimal comma, or with two points
            continue
    return said


@given(REPLIES, st.booleans())
@example("8,5/10", False)
@example("Score: 1e1", False)
@example("Score: 8.5.3", False)
def test_a_reply_gives_a_number_that_it_says_or_none(reply: str, cut_off: bool) -> None:
    try:
        verdict = read_reply(reply, cut_off=cut_off)
    except Unreadable as refused:
        assert str(refused)
    else:
        assert 0 <= verdict.value <= 10
        assert {verdict.value, *verdict.criteria.values()} <= numbers_said(reply)
