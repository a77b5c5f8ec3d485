"""The built-in prompts: what they ask of each category."""

from __future__ import annotations

import re
from typing import Any

import pytest

from db.categories import ENGLISH_ALIASES
from db.judge_prompts import built_in_prompts
from db.prompts import PromptSubject, prompt_of, render_prompt
from tests.db.prompt_subject import SUBJECT

CRITERIA = ("instruction_following", "preservation", "visual_quality")


CATEGORIES = [*ENGLISH_ALIASES, *ENGLISH_ALIASES.values(), "weather"]


@pytest.mark.parametrize("has_reference", [False, True], ids=["no reference", "reference"])
@pytest.mark.parametrize("description", [None, "a street"], ids=["no description", "description"])
@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.parametrize("mode", ["generate", "expected"])
def test_a_built_in_prompt_says_what_the_sample_has_and_names_the_criteria(
    mode: Any, category: str, description: str | None, has_reference: bool
) -> None:
    subject = PromptSubject("p", category, "make it rain", description, has_reference)

    prompt = render_prompt(prompt_of(built_in_prompts(mode), category), subject)

    assert "Instruction: make it rain\n" in prompt.user
    assert f"Category: {category}\n" in prompt.user
    assert ("The source shows: a street\n" in prompt.user) is (description is not None)
    assert ("The source shows" in prompt.user) is (description is not None)
    assert ("third" in prompt.user) is has_reference
    assert re.findall(r"^- (\w+): ", prompt.user, re.MULTILINE) == [
        *CRITERIA,
        *(["plausibility"] if category != "weather" else []),
    ]
    assert not re.search(r"{[{%#]|[}%#]}|\n\n\n|\s$", prompt.system + prompt.user)
    assert "strict and fair judge" in prompt.system


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_reasoning_prompt_asks_for_reasons_before_every_criterion_and_the_score(category: str) -> None:
    user = render_prompt(prompt_of(built_in_prompts("generate"), category), SUBJECT).user

    criteria = re.findall(r"^- (\w+): ", user, re.MULTILINE)
    assert re.findall(r'"(\w+)": \.\.\.', user.replace('"..."', "...")) == ["reasoning", *criteria, "score"]


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_one_digit_prompt_asks_for_nothing_but_a_digit(category: str) -> None:
    user = render_prompt(prompt_of(built_in_prompts("expected"), category), SUBJECT).user

    assert user.endswith('{"score": D}')
    assert "reasoning" not in user
    assert "10" not in user


def test_each_reasoning_category_asks_another_question() -> None:
    prompts = built_in_prompts("generate")

    assert set(prompts) == {"default", *ENGLISH_ALIASES}
    assert len({prompt.user for prompt in prompts.values()}) == len(prompts)
