"""Whatever a judge replies: never a crash, and never a number that was not said."""

from __future__ import annotations

import re
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from db.replies import Unreadable, read_reply
from tests.db.replying import complaint


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
