"""Mutated replies of judges: each gives a number that it says, or none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from db.replies import Unreadable, Verdict, read_reply
from tests.db.test_replies_of_any_kind import numbers_said
from tests.fuzz.mutator import FUZZ_INPUTS, FUZZ_SEED, Mutator, corpus_files, within_time

HOSTILE = tuple(
    text.encode()
    for text in (
        *(
            "{",
            "}",
            '{"score":',
            '"score": 3, ',
            '"score": "8/10"',
            '"score": [8]',
            '"Score": 2',
            '{"score": 3}',
            "/10",
        ),
        *("Score:", "score is", "评分：", "得分为", "分", "满分5分", "/5", "/100", " out of 10", "out of 5", "%", "％"),
        *("0", "3", "7.5", "8", "10", "11", "85", "-1", "+8", "8,5", "8.5.3", "1e1", "1E-1", "10.000000000000001"),
        *("8-9", "8 – 9", "8 to 9", "8~9", "7 or 8", "到9", "3/10/2026", "８", "８.５", "٨", "०", "²", "Ⅷ", "8．5"),
        *("<think>", "</think>", "</think", "```json", "```", "**", "__", "\\u0038", "\\n", '\\"', "//", "NaN", "-0"),
        *('"reasoning": "', '"preservation": 4, ', '"preservation": 99, ', '{"sky": {"score": 3}, ', "[" * 2000, "_8"),
        *(
            '{"a": ' * 500,
            "9 " * 5000,
            "8/" * 5000,
            "score " * 3000,
            " " * 20_000,
            "*" * 5000,
            "{}" * 5000,
            '{"' * 3000,
        ),
    )
)


def verdict_or_none(reply: str, *, cut_off: bool) -> Verdict | None:
    """Return the verdict; fail for anything that is neither a verdict nor a refusal which keeps the reply."""
    try:
        return read_reply(reply, cut_off=cut_off)
    except Unreadable as refused:
        assert str(refused)
        assert str(refused).isprintable()
        assert len(str(refused)) < 1000
        return None


def check(reply: str) -> bool:
    """Tell whether the reply gives a score; fail when that, or a criterion's, is one that it does not say."""
    whole, cut = (verdict_or_none(reply, cut_off=cut_off) for cut_off in (False, True))
    assert cut in (None, whole)  # nothing is read out of a reply only because it was cut off
    if whole is None:
        return False
    answer = reply.rpartition("</think>")[2]
    said = {whole.value, *whole.criteria.values()}
    assert all(0 <= value <= 10 for value in said)
    assert said <= numbers_said(answer)
    json.dumps(whole.detail(), allow_nan=False)
    return True


@pytest.mark.timeout(1200)
def test_a_mutated_reply_gives_a_number_that_it_says_or_none() -> None:
    mutator = Mutator([file.read_bytes() for file in corpus_files("replies", "*.txt")], HOSTILE)
    scored = 0
    for number in range(FUZZ_INPUTS):
        reply = mutator.content(number).decode("utf-8", "surrogateescape")  # bytes that are none make lone surrogates
        with within_time(f"input {number} of FUZZ_SEED={FUZZ_SEED}: {reply[:500]!a}"):
            scored += check(reply)
    assert scored > FUZZ_INPUTS / 20  # else nothing was tried but what is refused at once


@pytest.mark.parametrize("file", corpus_files("replies", "*.txt"), ids=lambda file: file.name)
def test_a_kept_reply_gives_a_score_or_none_as_its_name_says(file: Path) -> None:
    with within_time(file.name):
        assert check(file.read_bytes().decode("utf-8", "surrogateescape")) == file.name.startswith("good-")
