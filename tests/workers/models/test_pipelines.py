"""Every preset fits the signature of the pipeline that it is for, as the installed diffusers has it."""

from __future__ import annotations

import diffusers
import pytest
from PIL import Image

from db.catalogue import EDITORS
from db.options import DiffusersEditorOptions
from db.presets import EDITOR_PRESETS
from workers.models.diffusion.pipelines import MANNERS, CallArguments
from workers.models.errors import InputFault

PIPELINES = {
    "qwen-image-edit": "QwenImageEditPipeline",
    "qwen-image-edit-2509": "QwenImageEditPlusPipeline",
    "qwen-image-edit-2511": "QwenImageEditPlusPipeline",
    "qwen-image-2.1": "QwenImage21Pipeline",
    "flux-kontext": "FluxKontextPipeline",
    "instruct-pix2pix": "StableDiffusionInstructPix2PixPipeline",
}
SOURCE = Image.new("RGB", (300, 200))


def arguments_of(preset: str) -> CallArguments:
    family = preset.partition("-lightning-")[0]
    options = EDITORS[preset].options.model_validate(EDITORS[preset].preset)
    assert isinstance(options, DiffusersEditorOptions)
    return CallArguments(getattr(diffusers, PIPELINES[family]), options)


@pytest.mark.parametrize("preset", EDITOR_PRESETS)
def test_a_preset_says_nothing_that_its_pipeline_does_not_take(preset: str) -> None:
    arguments = arguments_of(preset).for_edit("make it rain", [SOURCE], 16)

    assert arguments["num_inference_steps"] == EDITOR_PRESETS[preset].options["num_inference_steps"]


@pytest.mark.parametrize("name", MANNERS)
def test_every_pipeline_that_is_spoken_of_exists_and_takes_an_image(name: str) -> None:
    CallArguments(getattr(diffusers, name), DiffusersEditorOptions(model="any"))


@pytest.mark.parametrize(
    ("name", "argument", "is_list"),
    [
        ("QwenImageEditPipeline", "image", False),
        ("QwenImageEditPlusPipeline", "image", True),
        ("OmniGenPipeline", "input_images", True),
        ("JoyImageEditPlusPipeline", "images", True),
    ],
)
def test_the_image_goes_in_under_the_pipelines_own_name_and_meaning(name: str, argument: str, is_list: bool) -> None:
    arguments = CallArguments(getattr(diffusers, name), DiffusersEditorOptions(model="any"))

    given = arguments.for_edit("make it rain", [SOURCE], 16)[argument]

    assert given == ([SOURCE] if is_list else SOURCE)


def test_several_sources_go_in_together_where_a_pipeline_takes_them_and_are_refused_elsewhere() -> None:
    several, one = (
        CallArguments(getattr(diffusers, name), DiffusersEditorOptions(model="any"))
        for name in ("QwenImageEditPlusPipeline", "QwenImageEditPipeline")
    )
    other = Image.new("RGB", (8, 8))

    assert several.for_edit("join them", [SOURCE, other], 16)["image"] == [SOURCE, other]
    with pytest.raises(InputFault, match="has 2 source images, and QwenImageEditPipeline takes one"):
        one.for_edit("join them", [SOURCE, other], 16)


def test_an_argument_has_the_pipelines_own_name() -> None:
    options = DiffusersEditorOptions(model="any", image_guidance_scale=1.6)

    given = CallArguments(diffusers.OmniGenPipeline, options).for_edit("make it rain", [SOURCE], 16)

    assert given["img_guidance_scale"] == 1.6


def test_kontext_is_told_to_keep_a_size_that_is_asked_for() -> None:
    given = arguments_of("flux-kontext").for_edit("make it rain", [SOURCE], 16)

    assert (given["width"], given["height"]) == (1248, 832)  # 3 : 2 at a megapixel
    assert (given["max_area"], given["_auto_resize"]) == (1248 * 832, False)


def test_arguments_of_the_call_may_be_given_by_name() -> None:
    options = DiffusersEditorOptions(model="any", arguments={"max_sequence_length": 256})

    given = CallArguments(diffusers.FluxKontextPipeline, options).for_edit("make it rain", [SOURCE], 16)

    assert given["max_sequence_length"] == 256
