"""The diffusers editor on tiny checkpoints of the very architectures it is for; real pipelines, on the CPU."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from tests.workers.models.checkpoints import EDITORS
from tests.workers.models.conftest import Loaded, Weights
from tests.workers.models.editors import OTHER_PHOTO, PHOTO, cheap_editor, edited, editor, request
from workers.models.diffusers_editor import DiffusersEditor
from workers.models.errors import InputFault, ModelFault, Refused

pytestmark = pytest.mark.usefixtures("small_references")


@pytest.mark.parametrize("family", EDITORS)
def test_every_family_gives_the_same_pixels_for_the_same_request_and_others_for_another_seed(
    weights: Weights, loaded: Loaded, family: str
) -> None:
    steps: list[tuple[int, int]] = []
    one = loaded(family)

    first = one.edit(request(on_step=lambda *step: steps.append(step))).image
    other = one.edit(request(seed=8)).image
    again = cheap_editor(weights(family)).edit(request()).image

    assert first.mode == ("RGBA" if family == "qwen-image-2.1" else "RGB")  # it edits transparent layers too
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()
    assert steps == [(1, 2), (2, 2)]


# klein's random weights hardly hear the text
@pytest.mark.parametrize("family", sorted(EDITORS.keys() - {"longcat", "flux2-klein"}))
def test_the_instruction_and_the_source_count(loaded: Loaded, family: str) -> None:
    one = loaded(family)

    plain = edited(one)

    assert plain != edited(one, "remove the dog")
    assert plain != edited(one, source=PHOTO.transpose(Image.Transpose.FLIP_LEFT_RIGHT))


def test_an_edit_does_not_depend_on_the_edits_before_it(plus: DiffusersEditor, weights: Weights) -> None:
    edited(plus, "remove the dog", source=OTHER_PHOTO, seed=3)

    assert edited(plus) == edited(editor(weights("qwen-image-edit-plus")))


# -- options -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "options", "said"),
    [
        ("longcat", {"size": "64x64"}, "takes no size"),
        ("instruct-pix2pix", {"size": "source"}, "takes no size"),
        ("flux2-klein", {"size": "auto", "negative_prompt": "blur"}, "takes no negative_prompt"),
        ("longcat", {"size": "auto", "true_cfg_scale": 1.0}, "takes no true_cfg_scale"),
        ("flux-kontext", {"image_guidance_scale": 1.5}, "takes no image_guidance_scale"),
        ("qwen-image-edit-plus", {"arguments": {"eta": 1}}, "takes no eta"),
        ("qwen-image-edit-plus", {"attention": "nonsense"}, "attention 'nonsense' cannot be had"),
        ("instruct-pix2pix", {"size": "auto", "cache": "first-block"}, "cannot have the option cache"),
    ],
)
def test_an_option_that_the_pipeline_does_not_take_is_refused_and_never_dropped(
    weights: Weights, family: str, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(ModelFault, match=said):
        editor(weights(family), **options)


def test_an_option_is_refused_before_the_weights_are_read(weights: Weights, tmp_path: Path) -> None:
    shutil.copy(weights("longcat") / "model_index.json", tmp_path)

    with pytest.raises(ModelFault, match="takes no size"):
        editor(tmp_path, size="64x64")


@pytest.mark.parametrize(
    ("size", "expected"),
    [("128x64", (128, 64)), ("source", (128, 64)), ("16384px", (128, 64)), ("100x90", (64, 64))],
)
def test_the_size_is_the_one_asked_for_in_whole_latent_patches(
    weights: Weights, size: str, expected: tuple[int, int]
) -> None:
    source = Image.new("RGB", (150, 100), "teal")  # patches of the tiny pipelines are 64 px wide

    result = editor(weights("qwen-image-edit-plus"), size=size).edit(request(source=source)).image

    assert result.size == expected


def test_left_to_the_pipeline_an_edit_has_a_megapixel_in_the_shape_of_its_source(weights: Weights) -> None:
    result = editor(weights("qwen-image-edit-plus"), size="auto", num_inference_steps=1).edit(request()).image

    assert result.size == (1152, 896)  # 4 : 3, in whole patches of 64 px


def test_kontext_keeps_the_size_it_is_given(weights: Weights) -> None:
    assert editor(weights("flux-kontext"), size="64x128").edit(request()).image.size == (64, 128)


def test_guidance_without_a_negative_prompt_is_off_and_the_facts_say_so(
    weights: Weights, plus: DiffusersEditor
) -> None:
    default = plus
    off = editor(weights("qwen-image-edit-plus"), true_cfg_scale=1.0)
    on = editor(weights("qwen-image-edit-plus"), true_cfg_scale=4.0, negative_prompt=" ")

    assert edited(default) == edited(off) != edited(on)
    scales = [one.facts()["arguments"]["true_cfg_scale"] for one in (default, off, on)]  # type: ignore[index]
    assert scales == [1.0, 1.0, 4.0]


def test_the_facts_name_pipeline_weights_and_every_argument(loaded: Loaded) -> None:
    facts = loaded("instruct-pix2pix").facts()

    assert facts["pipeline"] == "StableDiffusionInstructPix2PixPipeline"
    assert facts["dtype"] == "float32"
    assert facts["arguments"]["image_guidance_scale"] == 1.5  # type: ignore[index]
    assert json.dumps(facts)


def test_the_facts_of_a_model_on_one_gpu_can_be_told(plus: DiffusersEditor, monkeypatch: pytest.MonkeyPatch) -> None:
    # what device_map="cuda" leaves there
    monkeypatch.setattr(plus._pipeline, "hf_device_map", "cuda", raising=False)

    assert "device_map" not in plus.facts()


@pytest.mark.parametrize("family", ["qwen-image-edit", "qwen-image-edit-plus", "longcat"])
def test_the_text_encoder_knows_which_of_its_tokens_are_an_image(loaded: Loaded, family: str) -> None:
    one = loaded(family)
    positions: list[Any] = []

    def seen(_network: Any, _given: Any, named: dict[str, Any]) -> None:
        positions.append(named.get("position_ids"))

    with one._pipeline.text_encoder.model.language_model.register_forward_pre_hook(seen, with_kwargs=True):
        edited(one)

    assert positions and all(given is not None and given.shape[0] in (3, 4) for given in positions)
    assert any(not torch.equal(given[-1], given[-2]) for given in positions)  # rows and columns, not one line
    assert one.facts()["token_types_passed"] is True


# -- what goes in ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["<|im_end|>", "<|image_pad|>", "<|vision_start|>", "<|im_start|>system"])
def test_a_control_token_in_an_instruction_is_text(plus: DiffusersEditor, token: str) -> None:
    assert edited(plus, f"make it {token} red") != edited(plus, "make it  red")


def test_the_clip_tokenizer_s_control_tokens_are_text_too(loaded: Loaded) -> None:
    one = loaded("instruct-pix2pix")

    assert edited(one, "red<|endoftext|> and blue") != edited(one, "red<|endoftext|> and gold")


def test_a_large_source_is_scaled_down_first(weights: Weights) -> None:
    one = editor(weights("instruct-pix2pix"), size="auto", max_source_pixels=4096)

    assert one.edit(request(source=Image.new("RGB", (400, 100), "teal"))).image.size == (128, 32)


def test_a_source_that_is_too_long_for_any_pipeline_is_an_input_fault(plus: DiffusersEditor) -> None:
    with pytest.raises(InputFault, match="2010 x 10"):
        edited(plus, source=Image.new("RGB", (2010, 10)))


def test_an_image_that_the_safety_checker_withheld_is_no_edit(loaded: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    one = loaded("instruct-pix2pix")
    monkeypatch.setattr(one._pipeline, "run_safety_checker", lambda image, device, dtype: (image, [True]))

    with pytest.raises(Refused, match="safety checker"):
        one.edit(request())
