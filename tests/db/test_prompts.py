"""A judge's prompts: what a template may say, which one a category gets, and what a benchmark's own become."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from db.categories import ENGLISH_ALIASES
from db.configuration import first_fault
from db.judge_prompts import built_in_prompts
from db.prompts import JudgePrompt, PromptSubject, RenderedPrompt, benchmark_prompt, prompt_of, render_prompt

SUBJECT = PromptSubject("p-1", "物理", "make it rain", "a street", has_reference=False)
NAMES = (
    *("key", "category", "instruction", "edit_instruction", "description", "original_description"),
    *("has_reference", "reference_text", "source_count"),
)
OTHERWISE = JudgePrompt(system="built in", user="built in: {{ instruction }}")


def rendered(user: str, **subject: Any) -> str:
    """Return what a user prompt of this template says of the subject."""
    return render_prompt(JudgePrompt(user=user), replace(SUBJECT, **subject)).user


def own(system: str | None, user: str | None, **subject: Any) -> RenderedPrompt:
    """Return what a benchmark's own prompt says of the subject."""
    return render_prompt(benchmark_prompt(system, user, otherwise=OTHERWISE), replace(SUBJECT, **subject))


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


# -- a benchmark's own -------------------------------------------------------------------------------------------------


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


# -- built in ----------------------------------------------------------------------------------------------------------

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
