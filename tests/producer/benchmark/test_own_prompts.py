"""A benchmark's own prompts: read, or a fault with its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from db.errors import BenchmarkInvalid
from db.prompts import OwnPrompt
from producer.benchmark import open_benchmark
from producer.benchmark.check import check_benchmark
from tests.factories import original_file, pair, without_bytes
from tests.producer.benchmark.with_prompts import category, keyed, listed

Layout = Callable[..., dict[str, Any]]


LAYOUTS = pytest.mark.parametrize(("layout", "place"), [(listed, "categories[0]"), (keyed, "categories['物理']")])


def prompts_in(folder: Path, content: dict[str, Any]) -> Mapping[str, OwnPrompt]:
    return open_benchmark(original_file(folder, content)).prompts


def faults_of(folder: Path, content: dict[str, Any]) -> list[str]:
    with pytest.raises(BenchmarkInvalid) as caught:
        check_benchmark(open_benchmark(original_file(folder, content)))
    return list(caught.value.faults)


# -- what is read ------------------------------------------------------------------------------------------------------


@LAYOUTS
@pytest.mark.parametrize("behind", [False, True], ids=["before the pairs", "behind the pairs"])
def test_a_category_may_bring_the_prompts_of_its_judge(
    tmp_path: Path, layout: Layout, place: str, behind: bool
) -> None:
    content = layout(category("物理", behind=behind, system_prompt="Be strict.", user_prompt="Was it done?"))

    assert prompts_in(tmp_path, content) == {"物理": OwnPrompt(place, "Be strict.", "Was it done?")}


@LAYOUTS
@pytest.mark.parametrize(
    ("prompts", "system", "user"),
    [({"system_prompt": "Be strict."}, "Be strict.", None), ({"user_prompt": "Was it done?"}, None, "Was it done?")],
)
def test_a_category_may_bring_one_prompt_of_the_two(
    tmp_path: Path, layout: Layout, place: str, prompts: dict[str, str], system: str | None, user: str | None
) -> None:
    assert prompts_in(tmp_path, layout(category("物理", **prompts))) == {"物理": OwnPrompt(place, system, user)}


@pytest.mark.parametrize("layout", [listed, keyed])
def test_each_category_has_its_own_prompts_or_none(tmp_path: Path, layout: Layout) -> None:
    content = layout(
        category("物理", "a", user_prompt="physics?"),
        category("社会", "b"),
        category("因果", "c", user_prompt="cause?"),
    )

    assert {name: own.user for name, own in prompts_in(tmp_path, content).items()} == {
        "物理": "physics?",
        "因果": "cause?",
    }


@pytest.mark.parametrize("layout", [listed, keyed])
@pytest.mark.parametrize("name", ["item", "pairs", "v1.0", "a.item", "user_prompt", "item.user_prompt", "x_prompt"])
def test_a_category_of_any_name_brings_its_prompts(tmp_path: Path, layout: Layout, name: str) -> None:
    content = layout(category(name, "a", user_prompt="mine?"), category("社会", "b", user_prompt="social?"))

    assert {known: own.user for known, own in prompts_in(tmp_path, content).items()} == {
        name: "mine?",
        "社会": "social?",
    }


@pytest.mark.parametrize("layout", [listed, keyed])
def test_the_prompts_belong_to_the_name_without_the_space_around_it(tmp_path: Path, layout: Layout) -> None:
    assert list(prompts_in(tmp_path, layout(category(" 物理\n", user_prompt="x")))) == ["物理"]


def test_prompts_that_stand_elsewhere_belong_to_no_category(tmp_path: Path) -> None:
    content = {
        "user_prompt": "of the file",
        "categories": [
            {
                "name": "物理",
                "pairs": [{**pair("a"), "user_prompt": "of a pair"}],
                "notes": {"user_prompt": "of the notes", "system_prompt": "of the notes"},
                "my_user_prompt": "of another name",
            }
        ],
    }

    assert prompts_in(tmp_path, content) == {}


def test_a_list_of_pairs_brings_no_prompts(tmp_path: Path) -> None:
    assert prompts_in(tmp_path, {"categories": {"物理": [pair("a")]}}) == {}


# -- faults ------------------------------------------------------------------------------------------------------------


@LAYOUTS
@pytest.mark.parametrize("part", ["system", "user"])
def test_a_bad_template_is_a_fault_with_its_place(tmp_path: Path, layout: Layout, place: str, part: str) -> None:
    (fault,) = faults_of(tmp_path, layout(category("物理", **{f"{part}_prompt": "{{ nobody }}"})))

    assert fault.startswith(f"{place}: prompt of category '物理': the {part} prompt is no usable template: ")
    assert "'nobody' is undefined" in fault
    assert "\n" not in fault


def test_a_bad_format_string_is_a_fault_with_its_place(tmp_path: Path) -> None:
    assert faults_of(tmp_path, listed(category("物理", user_prompt="{instruction} {"))) == [
        "categories[0]: prompt of category '物理': it reads like a format string, but Single '{' encountered in format "
        "string"
    ]


def test_every_bad_template_is_named_beside_every_bad_pair(tmp_path: Path) -> None:
    broken = {"name": "社会", "user_prompt": "{% x %}", "pairs": [pair("b", edit_instruction="")]}

    faults = faults_of(tmp_path, listed(category("物理", "a", user_prompt="{{ nobody }}"), broken))

    assert [without_bytes(fault.partition(": ")[0]) for fault in faults] == [
        "categories[1].pairs[0] (b)",
        "categories[0]",
        "categories[1]",
    ]


@pytest.mark.parametrize("layout", [listed, keyed])
@pytest.mark.parametrize("prompt", [5, ["Was it done?"], {"text": "Was it done?"}, True])
def test_a_prompt_that_is_no_text_is_a_fault(tmp_path: Path, layout: Layout, prompt: Any) -> None:
    (fault,) = faults_of(tmp_path, layout(category("物理", user_prompt=prompt)))

    assert "user_prompt: expected a text" in fault


@pytest.mark.parametrize(
    ("prompt", "complaint"),
    [
        ("a\0b", "user_prompt contains a NUL character"),
        ("x" * 20_001, "user_prompt has 20,001 characters; at most 20,000 are taken"),
        ("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "nested too deep"),
        ("{% if key %}" * 50 + "{% endif %}" * 50, "nested too deep; at most 40 levels are taken"),
        ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "For is not taken"),
        ("{{ 10 ** 10 ** 10 }}", "Pow is not taken"),
        ("{{ 'x' * 10 ** 10 }}", "Mul is not taken"),
        ("{{ 'x'.ljust(10 ** 10) }}", "Call is not taken"),
        ("{{ '%9999999999d' | format(1) }}", "the filter 'format' is not taken"),
        ("{{ key | tojson | tojson | tojson }}", "the filter 'tojson' is not taken"),
        ("{% set a = 'xx' %}{% set a = a ~ a %}", "Assign is not taken"),
        ("{{ instruction.__class__ }}", "Getattr is not taken"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else None,
)
@pytest.mark.timeout(10)
def test_a_prompt_that_does_more_than_name_and_choose_is_a_fault(tmp_path: Path, prompt: str, complaint: str) -> None:
    """Whoever submits a benchmark has not written it, and rendering may take all time and memory that there is."""
    (fault,) = faults_of(tmp_path, listed(category("物理", user_prompt=prompt)))

    assert fault.startswith("categories[0]: ")
    assert complaint in fault


def test_a_prompt_may_choose_and_trim(tmp_path: Path) -> None:
    prompt = (
        "{% if description and key != 'x' %}{{ description|trim }}{% elif has_reference is defined %}-{% endif %}"
        "{{ 'A' if category in ['a', 'b'] else instruction|default('none')|upper }}"
    )

    content = listed(category("物理", user_prompt=prompt))

    assert check_benchmark(open_benchmark(original_file(tmp_path, content))).sample_count == 1


@pytest.mark.parametrize("name", ["a\0b", "a\x1bb", "x" * 201])
def test_a_prompt_of_a_category_that_cannot_be_stored_is_a_fault(tmp_path: Path, name: str) -> None:
    without_pairs = {"name": name, "user_prompt": "Was it done?", "pairs": []}

    (fault,) = faults_of(tmp_path, listed(category("物理"), without_pairs))

    assert fault.startswith("categories[1]: the category's name ")


def test_of_several_prompts_that_are_no_text_each_is_named(tmp_path: Path) -> None:
    faults = faults_of(tmp_path, listed(category("物理", user_prompt=5), category("社会", system_prompt=[])))

    assert faults == [
        "categories[0]: user_prompt: expected a text, found a number",
        "categories[1]: system_prompt: expected a text, found a list",
    ]
