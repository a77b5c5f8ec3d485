"""Answers in the forms of other people's prompts: read as they were said, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.answers import joined, read_answer
from db.replies import Unreadable
from db.rubric import AnswerForm

LIST = AnswerForm.model_validate(
    {
        "form": "json",
        "criteria": [
            {"name": "success", "scale": (0, 10), "at": "score[0]"},
            {"name": "overediting", "scale": (0, 10), "at": "score[1]"},
        ],
    }
)
KEY = AnswerForm.model_validate(
    {"form": "json", "criteria": [{"name": "consistency", "scale": (1, 5), "at": "consistency_score"}]}
)
LINES = AnswerForm.model_validate(
    {"form": "lines", "criteria": [{"name": name, "scale": (1, 5)} for name in ("first", "second", "third")]}
)
LABELLED = AnswerForm.model_validate(
    {"form": "labelled", "label": "Final Score", "criteria": [{"name": "reasoning", "scale": (1, 5)}]}
)
TWO = AnswerForm.model_validate(
    {"form": "labelled", "label": "Final Score", "criteria": [{"name": name, "scale": (1, 5)} for name in "ab"]}
)
ONE_OF_A_LIST = AnswerForm.model_validate(
    {"form": "json", "criteria": [{"name": "success", "scale": (0, 10), "at": "score[0]"}]}
)
FORMS = {"list": LIST, "key": KEY, "lines": LINES, "labelled": LABELLED}

THREE = "Prompt Compliance: 4\nVisual Naturalness: 3\nPhysical & Detail Integrity: 5"


@pytest.mark.parametrize(
    ("reply", "form", "numbers"),
    [
        ('{"score": [8, 7.5], "reasoning": "fine"}', LIST, [8, 7.5]),
        ('```json\n{"score": ["8", 7]}\n```', LIST, [8, 7]),
        ('I think {"score": [8, 7], "reasoning": "it says "so""}', LIST, [8, 7]),
        ('{"consistency_score": 4, "reasoning": "1. good"}', KEY, [4]),
        ('{"consistency_score": 4 "reasoning": "1. good",}', KEY, [4]),
        ("1. good\nconsistency_score: 4/5", KEY, [4]),
        (f"Brief reasoning: fine.\n{THREE}", LINES, [4, 3, 5]),
        (THREE.replace(": 4", ": **4**").replace(": 3", ": 3/5").replace(": 5", ": 5."), LINES, [4, 3, 5]),
        ("It fits.\n**Final Score:** **4**", LABELLED, [4]),
        ("Final Score: 4/5", LABELLED, [4]),
        ("Final Score is 4. As said, Final Score: 4", LABELLED, [4]),
        ("Final Scores: 4", LABELLED, [4]),
        ("<think>Final Score: 1</think> Final Score: 4", LABELLED, [4]),
        ("Final Score: 4, 5", TWO, [4, 5]),
        ("Final Score: **4** and **5/5**.", TWO, [4, 5]),
        ("Final Score: 4; 5", TWO, [4, 5]),
        ('At first {"score": [1, 2]}, but then {"score": [8, 7]}', LIST, [8, 7]),
        ('{"score": 8}', ONE_OF_A_LIST, [8]),
        ('{"in_consistency_score": 2, "consistency_score": 4,}', KEY, [4]),
    ],
)
def test_what_was_said_is_read(reply: str, form: AnswerForm, numbers: list[float]) -> None:
    assert list(read_answer(reply, form).criteria.values()) == numbers


@pytest.mark.parametrize(
    ("reply", "form", "said"),
    [
        ("no JSON at all", LIST, "the reply gives no score[0]"),
        ('{"score": [8]}', LIST, "score[1]"),
        ('{"score": [11, 7]}', LIST, "success is 11, which is not from 0 to 10"),
        ('{"score": [true, 7]}', LIST, "success is true, which is no number"),
        ('{"score": [NaN, 7]}', LIST, "which is not from 0 to 10"),
        ("1. It is good.", KEY, "the reply gives no consistency_score"),
        ('"consistency_score": 4, "consistency_score": 3', KEY, "gives 2 different consistency_score"),
        ("A: 4\nB: 3", LINES, "has 2 lines with a number, where 3 are asked for"),
        (f"{THREE}\nOverall: 4", LINES, "has 4 lines with a number, where 3 are asked for"),
        (THREE.replace(": 4", ": 6"), LINES, "first is 6, which is not from 1 to 5"),
        (THREE.replace(": 4", ": 4/10"), LINES, "first is 4 of 10"),
        ("Final Score: 4 ... Final Score: 3", LABELLED, "several Final Score that differ"),
        ("Final Score: 4.", TWO, "gives fewer numbers behind Final Score than the 2 asked"),
        ("Final Score: 4, 9", TWO, "b is 9, which is not from 1 to 5"),
        (f'{{"consistency_score": 1{"0" * 400}}}', KEY, "which is no number"),
        ("The score is high.", LABELLED, "the reply gives no Final Score"),
        ("Final Score: 4,5", LABELLED, "the reply gives no Final Score"),
    ],
)
def test_what_was_not_said_is_not_guessed(reply: str, form: AnswerForm, said: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read_answer(reply, form)

    assert said in str(caught.value)


def test_an_answer_that_was_cut_off_says_so() -> None:
    with pytest.raises(Unreadable, match=r"it was cut off$"):
        read_answer('{"score": [8', LIST, cut_off=True)


def test_the_reasons_are_kept() -> None:
    assert read_answer('{"score": [8, 7], "reasoning": "fine"}', LIST).reasoning == "fine"
    assert read_answer(f"Brief reasoning: fine.\n{THREE}", LINES).reasoning == "Brief reasoning: fine."
    assert read_answer("It fits.\n\nFinal Score: 4", LABELLED).reasoning == "It fits."
    assert joined([("SC", "fine"), ("PQ", "sharp")]) == "SC: fine\nPQ: sharp"
    assert joined([("SC", "fine")]) == "fine"


@given(st.text(alphabet='0123456789{}[]":,./* \nscoreFinalS', max_size=80), st.sampled_from(sorted(FORMS)))
def test_any_reply_is_read_on_its_scale_or_refused(reply: str, form: str) -> None:
    asked = FORMS[form]
    try:
        answer = read_answer(reply, asked)
    except Unreadable as refused:
        assert str(refused)
        return
    for criterion in asked.criteria:
        assert criterion.scale[0] <= answer.criteria[criterion.name] <= criterion.scale[1]
