"""What a recipe asks its judge about a sample, and what it shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from db.rubric import Rubric, there_is
from producer.recipes.recipe import recipe_names
from tests.producer.recipes.copies import recipe_and_copy


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_holds_together_with_a_copy_of_its_prompts(tmp_path: Path, name: str) -> None:
    recipe, copy = recipe_and_copy(tmp_path, name)

    rubric = recipe.rubric(copy)

    assert recipe.name == name
    assert Rubric.model_validate(rubric.model_dump(mode="json")) == rubric


def asked_of(
    folder: Path, name: str, category: str, *fields: str, image: bool = False, text: bool = False
) -> list[str]:
    """Return what is asked of a sample: each question's first word in the recipe's file, its prompt and images."""
    recipe, copy = recipe_and_copy(folder, name)
    there = there_is(dict.fromkeys(fields, "True"), reference=image, reference_text="a rule" if text else None)
    asked = recipe.rubric(copy).asked(category, there)
    constants = {copy.template(one.prompt): one.prompt.parts[-1].constants[0] for one in recipe.questions}
    shown = [", ".join(part.what for part in one.show if part.what != "prompt") for one in asked]
    return [f"{constants[one.prompt.user]}: {images}" for one, images in zip(asked, shown, strict=True)]


LOGICAL = "logical_reasoning"


@pytest.mark.parametrize(
    ("category", "there", "asked"),
    [
        (
            "causal_reasoning",
            {"text": True},
            ["prompt_consist: source, edited", "prompt_reasoning: edited", "prompt_generation: edited"],
        ),
        (
            "temporal_reasoning",
            {"text": True, "fields": ["reasoning_img"]},
            ["prompt_consist: source, edited", "prompt_reasoning_w_input: source, edited", "prompt_generation: edited"],
        ),
        (
            "spatial_reasoning",
            {"image": True},
            [
                "prompt_spatial_cons: reference, edited",
                "prompt_spatial_ref_img: reference, edited",
                "prompt_spatial_qual: edited",
            ],
        ),
        (
            "spatial_reasoning",
            {"text": True, "fields": ["consistency_free", "reasoning_img"]},
            ["prompt_spatial_ref_w_input: source, edited", "prompt_spatial_qual: edited"],
        ),
        (
            "spatial_reasoning",
            {"text": True},
            [
                "prompt_spatial_cons: source, edited",
                "prompt_spatial_ref: edited",
                "prompt_spatial_qual: edited",
            ],
        ),
        (
            LOGICAL,
            {"text": True, "image": True},
            ["prompt_logical_cons_ans: source, edited", "prompt_logical_txt: edited"],
        ),
        (LOGICAL, {"image": True}, ["prompt_logical_cons: reference, edited", "prompt_logical_img: reference, edited"]),
        (
            LOGICAL,
            {"image": True, "fields": ["reasoning_wo_ins"]},
            ["prompt_logical_cons: reference, edited", "prompt_logical_img_wo_q: reference, edited"],
        ),
    ],
)
def test_rise_asks_by_category_reference_and_flags(
    tmp_path: Path, category: str, there: dict[str, Any], asked: list[str]
) -> None:
    given = dict(there)
    assert asked_of(tmp_path, "rise", category, *given.pop("fields", []), **given) == asked


@pytest.mark.parametrize(
    ("category", "asked"),
    [
        ("anomaly_correction", ["prompt_consist: source, edited", "prompt_instruction_following: source, edited"]),
        ("physics", ["prompt_consist: source, edited", "prompt_dual_evaluation: source, edited"]),
        (
            "viewpoint_change",
            ["prompt_consist: source, edited", "prompt_view_instruction_following: source, edited, reference"],
        ),
        ("temporal_prediction", ["prompt_consist_temporal: frames", "prompt_instruction_temporal: frames"]),
        (
            "multi-element_composition",
            ["prompt_consist_multi: sources, edited", "prompt_instruction_multi: sources, edited"],
        ),
    ],
)
def test_kris_asks_by_category(tmp_path: Path, category: str, asked: list[str]) -> None:
    assert asked_of(tmp_path, "kris", category) == [*asked, "prompt_quality: edited"]
