"""A benchmark's own prompts, as templates and as format strings."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.prompts import RenderedPrompt
from tests.db.prompt_subject import NAMES, SUBJECT, own


def test_a_benchmarks_template_is_taken_as_it_is() -> None:
    system, user = "Judge {{ category }}.", "{% if description %}{{ description }}: {% endif %}{{ instruction }}"

    assert own(system, user) == RenderedPrompt("Judge 物理.", "a street: make it rain")


def test_a_benchmarks_format_string_is_read_as_python_reads_it() -> None:
    user = 'Of "{original_description}" in {category}: {edit_instruction}\nAnswer {{"score": 0-10}}, 100% sure.'

    assert own(None, user).user == user.format(
        original_description="a street", category="物理", edit_instruction="make it rain"
    )


@given(st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"])))
def test_any_text_may_stand_literally_in_a_format_string(literal: str) -> None:
    user = literal.replace("{", "{{").replace("}", "}}") + "{instruction}."

    assert own(None, user).user == user.format(instruction="make it rain")


@pytest.mark.parametrize("name", NAMES)
def test_every_name_may_stand_in_a_format_string(name: str) -> None:
    assert own(None, f"{{instruction}} [{{{name}}}]").user == f"make it rain [{SUBJECT.names()[name]}]"


@pytest.mark.parametrize(
    "literal",
    ["}} %} #}", "100 % } done", "a \\ b \\n c", "'single' \"double\"", "换行\n\t制表", "😀", "`tick`", "{ {x} }"],
)
def test_what_a_format_string_says_literally_is_said(literal: str) -> None:
    escaped = literal.replace("{", "{{").replace("}", "}}")

    assert own(None, f"{escaped} {{instruction}} {escaped}").user == f"{literal} make it rain {literal}"


OPENINGS = ["{% raw %}", "{# hidden #}", "{{ category }}", "{{ nobody }}", '{{"score": 8}}', "{%", "{{"]


@pytest.mark.parametrize("literal", OPENINGS)
def test_a_format_string_that_escapes_a_templates_marks_opens_nothing(literal: str) -> None:
    escaped = literal.replace("{", "{{").replace("}", "}}")

    assert own(None, f"{escaped} {{instruction}}").user == f"{literal} make it rain"


def test_a_field_may_stand_in_literal_braces() -> None:
    assert own(None, "{instruction} {{{category}}}").user == "make it rain {物理}"


@pytest.mark.parametrize(
    "user",
    [
        pytest.param('{instruction} Answer {"score": 8}', id="JSON in single braces"),
        pytest.param("{instruction} Answer {'score': 8}", id="a dict in single braces"),
        pytest.param("{instruction} {0}", id="a position"),
        pytest.param("{instruction} {1 + 1}", id="a sum"),
        pytest.param("{instruction} {instruction.upper}", id="an attribute"),
    ],
)
def test_a_format_string_with_another_field_is_refused(user: str) -> None:
    with pytest.raises(ValueError):
        own(None, user)


@pytest.mark.parametrize(
    ("user", "named"),
    [
        ("{instruction} {nobody}", "nobody"),
        ("{instruction} {} and {", "it reads like a format string, but Single '{'"),
        ("{instruction} {", "it reads like a format string, but Single '{'"),
        ("{instruction} }", "it reads like a format string, but Single '}'"),
        ("{instruction} {% if key", "it reads like a format string, but expected '}'"),
    ],
)
def test_a_format_string_that_python_would_not_take_is_refused(user: str, named: str) -> None:
    with pytest.raises(ValueError, match=re.escape(named)):
        own(None, user)


def test_a_text_in_single_braces_that_names_no_field_is_only_text() -> None:
    assert own(None, 'Answer {"score": X}').user == 'Instruction: make it rain\n\nAnswer {"score": X}'


@pytest.mark.parametrize("user", ["Was it done?", "What of {{ category }}?", "What of {category}?", ""])
def test_a_prompt_that_names_no_instruction_gets_it_in_front(user: str) -> None:
    assert own(None, user).user.startswith("Instruction: make it rain\n")


@pytest.mark.parametrize(
    "user",
    [
        "Do {{ instruction }}",
        "Do {{ edit_instruction }}",
        "Do {{instruction}}",
        "Do {instruction}",
        "Do {edit_instruction}",
        "Do {{ instruction | upper }}",
    ],
)
def test_a_prompt_that_names_the_instruction_does_not_get_it_twice(user: str) -> None:
    assert own(None, user).user.lower() == "do make it rain"


def test_a_benchmark_with_only_a_system_prompt_keeps_the_built_in_question() -> None:
    assert own("Be kind to {category}.", None) == RenderedPrompt("Be kind to 物理.", "built in: make it rain")


def test_a_benchmark_with_only_a_user_prompt_asks_its_own_question() -> None:
    assert own(None, "Do {instruction}").user == "Do make it rain"


def test_what_a_benchmark_does_not_bring_is_the_built_in_one() -> None:
    assert own(None, "Do {instruction}").system == "built in"


@pytest.mark.parametrize(("system", "user"), [("{{ nobody }}", "x"), ("x", "{{ nobody }}"), ("{{ nobody }}", None)])
def test_a_bad_template_of_a_benchmark_is_a_value_error(system: str, user: str | None) -> None:
    with pytest.raises(ValueError, match="'nobody' is undefined"):
        own(system, user)
