"""Which prompts the judges of a run get: the user's, the benchmark's own, or the built-in ones."""

from __future__ import annotations

from typing import Any

import pytest

from db.catalogue import Role
from db.configuration import RunConfiguration, load_options
from db.judge_prompts import built_in_prompts
from db.options import JudgeOptions
from db.presets import JUDGE_PRESETS
from db.prompts import JudgePrompt
from tests.db.choices import API, complaint
from tests.factories import configuration


def prompts_of(found: RunConfiguration, position: int = 0) -> dict[str, JudgePrompt]:
    """Return the prompts that a run stores for one of its judges."""
    options = load_options(Role.SCORER, found.scorers[position])
    assert isinstance(options, JudgeOptions)
    assert options.prompts is not None
    return dict(options.prompts)


OWN = {"天气": JudgePrompt(user="own: {{ instruction }}"), "物理": JudgePrompt(user="own physics: {{ instruction }}")}


GIVEN = {"default": {"user": "given: {{ instruction }}"}}


def test_every_judge_gets_the_built_in_prompts_written_out() -> None:
    found = configuration(scorers=["qwen3-vl-8b", API]).with_prompts({})

    assert prompts_of(found, 0) == prompts_of(found, 1) == built_in_prompts("generate")


def test_a_judge_of_one_digit_gets_the_prompts_for_it() -> None:
    found = configuration(scorers=[{"name": "qwen3-vl-8b", "mode": "expected"}]).with_prompts({})

    assert prompts_of(found) == built_in_prompts("expected")


def test_what_is_no_judge_gets_no_prompts() -> None:
    before = configuration(scorers=["reference", "simulated", "psnr", "preservation"])

    assert before.with_prompts(OWN) == before


def test_a_benchmarks_prompts_go_before_the_built_in_ones() -> None:
    found = configuration(scorers=[API]).with_prompts(OWN)

    assert prompts_of(found) == built_in_prompts("generate") | OWN


def test_a_users_prompts_are_kept() -> None:
    found = configuration(scorers=[{**API, "prompts": GIVEN}]).with_prompts(OWN)

    assert prompts_of(found) == {"default": JudgePrompt(user="given: {{ instruction }}")}


def test_prompts_that_were_written_out_are_kept() -> None:
    first = configuration(scorers=[API]).with_prompts({})

    assert first.with_prompts(OWN) == first


def test_the_prompts_are_in_the_digest() -> None:
    bare = configuration(scorers=[API])
    variants = [bare, bare.with_prompts({}), bare.with_prompts(OWN), configuration(scorers=[{**API, "prompts": GIVEN}])]

    assert len({variant.digest() for variant in variants}) == len(variants)


@pytest.mark.parametrize("prompts", [{}, {"物理": {"user": "x"}}, {"Default": {"user": "x"}}])
def test_prompts_without_a_default_are_refused(prompts: dict[str, Any]) -> None:
    assert complaint(scorers=[{**API, "prompts": prompts}]) == (
        "scorer 'api': prompts: there is no `default` prompt for categories without one of their own"
    )


@pytest.mark.parametrize("name", ["api", "transformers", *JUDGE_PRESETS])
def test_a_users_bad_template_is_named_with_its_category(name: str) -> None:
    prompts = {"default": {"user": "x"}, "物理": {"user": "{{ nobody }}"}}
    given = {**(API if name == "api" else {"model": "m"}), "name": name, "prompts": prompts}

    said = complaint(scorers=[given])

    assert said.startswith(
        f"scorer '{name}': prompts.物理: the user prompt is no usable template: 'nobody' is undefined"
    )
