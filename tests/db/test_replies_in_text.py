"""A judge's reply in plain text: the score that it names, and what must not be taken for one."""

from __future__ import annotations

import pytest

from db.replies import Verdict, read_reply
from tests.db.replying import complaint, value


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
