"""A judge's prompt: its template, its sandbox, and which one a category gets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from db.configuration import first_fault
from db.prompts import JudgePrompt, RenderedPrompt, prompt_of, render_prompt
from tests.db.prompt_subject import NAMES, SUBJECT, own


def rendered(user: str, **subject: Any) -> str:
    """Return what a user prompt of this template says of the subject."""
    return render_prompt(JudgePrompt(user=user), replace(SUBJECT, **subject)).user


def complaint(**prompt: Any) -> str:
    """Return what is said of a prompt that does not hold; always one line."""
    with pytest.raises(ValidationError) as caught:
        JudgePrompt(**prompt)
    said = first_fault(caught.value)
    assert "\n" not in said
    return said


# -- templates ---------------------------------------------------------------------------------------------------------


def test_a_template_may_name_all_of_a_sample_that_a_judge_may_know() -> None:
    template = "|".join(f"{{{{ {name} }}}}" for name in NAMES)

    assert rendered(template) == "p-1|物理|make it rain|make it rain|a street|a street|False||1"


def test_a_sample_without_a_description_has_an_empty_one() -> None:
    assert rendered("[{{ description }}]", description=None) == "[]"
    assert rendered("{% if description %}with{% else %}without{% endif %}", description=None) == "without"


def test_the_system_prompt_is_a_template_too() -> None:
    prompt = JudgePrompt(system="Judge {{ category }}.", user="x")

    assert render_prompt(prompt, SUBJECT) == RenderedPrompt("Judge 物理.", "x")


def test_a_system_prompt_may_be_left_out() -> None:
    assert render_prompt(JudgePrompt(user="x"), SUBJECT).system == ""


def test_a_line_that_holds_only_a_condition_leaves_no_line() -> None:
    assert rendered("one\n  {% if has_reference %}\ntwo\n  {% endif %}\nthree") == "one\nthree"


@pytest.mark.parametrize("part", ["system", "user"])
@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{{ instrucion }}", "'instrucion' is undefined"),
        ("{% if reference %}x{% endif %}", "'reference' is undefined"),
        ("{{ instruction.text }}", "has no attribute 'text'"),
        ("{{ instruction }", "unexpected '}'"),
        ("{% if instruction %}", "Unexpected end of template"),
        ("{% judge %}", "unknown tag 'judge'"),
        ("{{ instruction | loud }}", "No filter named 'loud'"),
    ],
)
def test_a_template_that_cannot_be_filled_in_is_refused_at_once_with_the_names_it_may_use(
    part: str, text: str, named: str
) -> None:
    said = complaint(**{"user": "x", part: text})

    assert said.startswith(f"the {part} prompt is no usable template: ")
    assert named in said
    assert said.endswith(f"it may name {', '.join(NAMES)}")


@pytest.mark.parametrize("text", ["{{ 1 // 0 }}", "{{ instruction + 1 }}", "{% include 'other' %}"])
def test_a_template_whose_computing_fails_is_refused_at_once(text: str) -> None:
    assert complaint(user=text).startswith("the user prompt cannot be rendered: ")


@pytest.mark.parametrize("condition", ["not has_reference", "not description", "category == '社会'"])
def test_a_name_that_only_some_samples_come_to_is_checked_too(condition: str) -> None:
    assert "'instrucion' is undefined" in complaint(user=f"{{% if {condition} %}}{{{{ instrucion }}}}{{% endif %}}")


@pytest.mark.parametrize("fields", [{}, {"user": ""}, {"system": "x"}, {"user": "x", "assistant": "y"}, {"user": 5}])
def test_a_prompt_is_a_user_prompt_and_maybe_a_system_prompt(fields: dict[str, Any]) -> None:
    assert complaint(**fields)


# -- the sandbox -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__ }}",
        "{{ instruction.__class__.__mro__ }}",
        "{{ ().__class__.__bases__[0].__subclasses__() }}",
        "{{ instruction['__class__'] }}",
        "{{ instruction | attr('__class__') }}",
        "{{ '{0.__class__}'.format(instruction) }}",
        "{{ '{x.__class__}'.format_map({'x': instruction}) }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ self._TemplateReference__context }}",
        "{{ [instruction] | map(attribute='__class__') | first }}",
        "{% set names = [] %}{{ names.append(1) }}",
        "{% for number in range(1000000) %}{% endfor %}",
        "{% import 'os' as os %}",
        "{% include '/etc/passwd' %}",
    ],
)
def test_a_template_cannot_look_behind_its_names(text: str) -> None:
    assert complaint(user=text)


INSTRUCTIONS = [
    "{{ 7 * 7 }}",
    "{{ category }}",
    "{% raw %}",
    "{# nothing #}",
    "{edit_instruction}",
    "{0.__class__}",
    "{{ ''.__class__ }}",
    "%s %(key)s $key <b>&amp;</b>",
]


@pytest.mark.parametrize("instruction", INSTRUCTIONS)
def test_an_instruction_is_never_evaluated(instruction: str) -> None:
    assert rendered("Do: {{ instruction }}", instruction=instruction) == f"Do: {instruction}"
    assert own(None, "Do: {instruction}", instruction=instruction).user == f"Do: {instruction}"
    assert own(None, "Was it done?", instruction=instruction).user == f"Instruction: {instruction}\n\nWas it done?"


@given(st.text())
def test_any_instruction_is_shown_as_it_is(instruction: str) -> None:
    assert rendered("<{{ instruction }}>", instruction=instruction) == f"<{instruction}>"


# -- choice ------------------------------------------------------------------------------------------------------------


def named_prompts(*names: str) -> dict[str, JudgePrompt]:
    """Return prompts that say only what they are called."""
    return {name: JudgePrompt(user=name) for name in ("default", *names)}


@pytest.mark.parametrize(
    ("category", "names", "chosen"),
    [
        ("物理", ["物理"], "物理"),
        ("physical", ["physical"], "physical"),
        ("物理", ["physical"], "physical"),
        ("physical", ["物理"], "物理"),
        ("Physical", ["物理"], "物理"),
        ("物理", ["physical", "物理"], "物理"),
        ("physical", ["physical", "物理"], "physical"),
        ("社会", ["物理", "physical"], "default"),
        ("weather", ["物理"], "default"),
        ("weather", ["weather"], "weather"),
        ("default", [], "default"),
    ],
)
def test_a_category_gets_its_own_prompt_or_its_aliass_or_the_default(
    category: str, names: list[str], chosen: str
) -> None:
    assert prompt_of(named_prompts(*names), category).user == chosen
