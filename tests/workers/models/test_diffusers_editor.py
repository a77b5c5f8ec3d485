"""The diffusers editor on tiny checkpoints of the very architectures it is for; real pipelines, on the CPU."""

from __future__ import annotations

import gc
import json
import shutil
import weakref
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from diffusers.models.attention_dispatch import _AttentionBackendRegistry
from diffusers.pipelines.qwenimage import pipeline_qwenimage_edit_plus
from PIL import Image

from db.options import DiffusersEditorOptions
from tests.workers.models.checkpoints import EDITORS
from tests.workers.models.conftest import Weights
from workers.models.diffusers_editor import DiffusersEditor
from workers.models.errors import InputFault, ModelFault, OutOfMemory, Refused
from workers.models.loading import devices
from workers.models.protocols import EditRequest, OnStep, unobserved

CHEAP = {
    "qwen-image-edit": {"size": "64x64"},
    "qwen-image-edit-plus": {"size": "64x64"},
    "qwen-image-edit-2511": {"size": "64x64"},
    "qwen-image-2.1": {"size": "64x64", "arguments": {"output_resolution": 256}},
    "flux-kontext": {"size": "64x64", "max_source_pixels": 128 * 128},
}
"""What makes an edit of a family cheap whose own rule is a megapixel."""

SMALL = {"num_inference_steps": 2, "size": "128x128"}
CHEAP = {
    "qwen-image-edit": {"size": "64x64"},
    "qwen-image-edit-plus": {"size": "64x64"},
    "qwen-image-edit-2511": {"size": "64x64"},
    "qwen-image-2.1": {"size": "64x64", "arguments": {"output_resolution": 256}},
    "flux-kontext": {"size": "64x64", "max_source_pixels": 128 * 128},
}
"""What makes an edit of a family cheap whose own rule is a megapixel."""

PHOTO = Image.fromarray(np.random.default_rng(0).integers(0, 255, (96, 128, 3), dtype=np.uint8))
OTHER_PHOTO = Image.fromarray(np.random.default_rng(1).integers(0, 255, (64, 64, 3), dtype=np.uint8))


def editor(folder: Path, **options: Any) -> DiffusersEditor:
    return DiffusersEditor(DiffusersEditorOptions(model=str(folder), **{**SMALL, **options}))


def request(
    instruction: str = "make the sky red", source: Image.Image = PHOTO, seed: int = 7, on_step: OnStep = unobserved
) -> EditRequest:
    return EditRequest("p-1", instruction, source, seed, on_step)


def edited(one: DiffusersEditor, *args: Any, **named: Any) -> bytes:
    return one.edit(request(*args, **named)).image.tobytes()


@pytest.fixture(autouse=True)
def _small_references(monkeypatch: pytest.MonkeyPatch) -> None:
    """Edit-Plus brings every source to a megapixel; here to a sixteenth of it, so that an edit is cheap."""
    monkeypatch.setattr(pipeline_qwenimage_edit_plus, "VAE_IMAGE_SIZE", 256 * 256)


@pytest.fixture
def plus(weights: Weights) -> DiffusersEditor:
    return editor(weights("qwen-image-edit-plus"))


@pytest.mark.parametrize("family", EDITORS)
def test_every_family_gives_the_same_pixels_for_the_same_request_and_others_for_another_seed(
    weights: Weights, family: str
) -> None:
    steps: list[tuple[int, int]] = []
    one = editor(weights(family), **CHEAP.get(family, {"size": "auto"}))

    first = one.edit(request(on_step=lambda *step: steps.append(step))).image
    other = one.edit(request(seed=8)).image
    again = editor(weights(family), **CHEAP.get(family, {"size": "auto"})).edit(request()).image

    assert first.mode == ("RGBA" if family == "qwen-image-2.1" else "RGB")  # it edits transparent layers too
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()
    assert steps == [(1, 2), (2, 2)]


# longcat's least edit takes seconds; klein's random weights hardly hear the text
@pytest.mark.parametrize("family", sorted(EDITORS.keys() - {"longcat", "flux2-klein"}))
def test_the_instruction_and_the_source_count(weights: Weights, family: str) -> None:
    one = editor(weights(family), **CHEAP.get(family, {"size": "auto"}))

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


def test_guidance_without_a_negative_prompt_is_off_and_the_facts_say_so(weights: Weights) -> None:
    default = editor(weights("qwen-image-edit-plus"))
    off = editor(weights("qwen-image-edit-plus"), true_cfg_scale=1.0)
    on = editor(weights("qwen-image-edit-plus"), true_cfg_scale=4.0, negative_prompt=" ")

    assert edited(default) == edited(off) != edited(on)
    scales = [one.facts()["arguments"]["true_cfg_scale"] for one in (default, off, on)]  # type: ignore[index]
    assert scales == [1.0, 1.0, 4.0]


def test_the_facts_name_pipeline_weights_and_every_argument(weights: Weights) -> None:
    facts = editor(weights("instruct-pix2pix"), size="auto").facts()

    assert facts["pipeline"] == "StableDiffusionInstructPix2PixPipeline"
    assert facts["dtype"] == "float32"
    assert facts["arguments"]["image_guidance_scale"] == 1.5  # type: ignore[index]
    assert json.dumps(facts)


def test_the_facts_of_a_model_on_one_gpu_can_be_told(plus: DiffusersEditor) -> None:
    plus._pipeline.hf_device_map = "cuda"  # what device_map="cuda" leaves there

    assert "device_map" not in plus.facts()


@pytest.mark.parametrize("family", ["qwen-image-edit", "qwen-image-edit-plus", "longcat"])
def test_the_text_encoder_knows_which_of_its_tokens_are_an_image(weights: Weights, family: str) -> None:
    one = editor(weights(family), **CHEAP.get(family, {"size": "auto"}))
    positions: list[Any] = []

    def seen(_network: Any, _given: Any, named: dict[str, Any]) -> None:
        positions.append(named.get("position_ids"))

    one._pipeline.text_encoder.model.language_model.register_forward_pre_hook(seen, with_kwargs=True)
    edited(one)

    assert positions and all(given is not None and given.shape[0] in (3, 4) for given in positions)
    assert any(not torch.equal(given[-1], given[-2]) for given in positions)  # rows and columns, not one line
    assert one.facts()["token_types_passed"] is True


def test_the_dtype_is_the_stored_one_unless_another_is_asked_for(weights: Weights) -> None:
    one = editor(weights("qwen-image-edit-plus"), dtype="bfloat16")

    assert one.facts()["dtype"] == "bfloat16"
    assert edited(one) == edited(one)


def test_a_lightning_schedule_has_the_steps_it_was_distilled_for(weights: Weights) -> None:
    shift = float(np.log(3))
    schedule = {"base_shift": shift, "max_shift": shift, "shift_terminal": None}
    one = editor(weights("qwen-image-edit-plus"), num_inference_steps=4, scheduler=schedule)

    edited(one)

    sigmas = one._pipeline.scheduler.sigmas.tolist()
    assert sigmas == pytest.approx([1.0, 0.9, 0.75, 0.5, 0.0], abs=1e-4)


# -- what goes in ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["<|im_end|>", "<|image_pad|>", "<|vision_start|>", "<|im_start|>system"])
def test_a_control_token_in_an_instruction_is_text(plus: DiffusersEditor, token: str) -> None:
    assert edited(plus, f"make it {token} red") != edited(plus, "make it  red")


def test_the_clip_tokenizer_s_control_tokens_are_text_too(weights: Weights) -> None:
    one = editor(weights("instruct-pix2pix"), size="auto")

    assert edited(one, "red<|endoftext|> and blue") != edited(one, "red<|endoftext|> and gold")


def test_a_large_source_is_scaled_down_first(weights: Weights) -> None:
    one = editor(weights("instruct-pix2pix"), size="auto", max_source_pixels=4096)

    assert one.edit(request(source=Image.new("RGB", (400, 100), "teal"))).image.size == (128, 32)


def test_a_source_that_is_too_long_for_any_pipeline_is_an_input_fault(plus: DiffusersEditor) -> None:
    with pytest.raises(InputFault, match="2010 x 10"):
        edited(plus, source=Image.new("RGB", (2010, 10)))


# -- weights -----------------------------------------------------------------------------------------------------------


def test_a_folder_without_an_index_is_no_pipeline(tmp_path: Path) -> None:
    with pytest.raises(ModelFault, match=r"holds no model_index\.json"):
        editor(tmp_path)


def test_a_pipeline_that_diffusers_does_not_know_is_named(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text('{"_class_name": "PipelineOfTomorrow"}')

    with pytest.raises(ModelFault, match="no pipeline 'PipelineOfTomorrow'"):
        editor(tmp_path)


def test_a_pipeline_without_an_image_is_no_editor(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text('{"_class_name": "QwenImagePipeline"}')

    with pytest.raises(ModelFault, match="is no editor"):
        editor(tmp_path)


def test_weights_too_large_for_a_cpu_say_that_a_gpu_is_missing(
    weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "MOST_BYTES_ON_A_CPU", 1000)

    with pytest.raises(ModelFault, match="need a GPU, and this worker sees none: set CUDA_VISIBLE_DEVICES"):
        editor(weights("qwen-image-edit-plus"))


def test_loading_says_beforehand_how_much_host_memory_it_takes(weights: Weights) -> None:
    folder = weights("qwen-image-edit-plus")
    on_disk = sum(path.stat().st_size for path in folder.rglob("*.safetensors"))

    assert DiffusersEditor.host_bytes(DiffusersEditorOptions(model=str(folder))) == on_disk
    assert DiffusersEditor.host_bytes(DiffusersEditorOptions(model="nobody/has-this")) == 0


@pytest.fixture
def lora(plus: DiffusersEditor, tmp_path: Path) -> Path:
    """Random low-rank weights for the tiny editor, in the form in which they are published."""
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict

    torch.manual_seed(0)
    network = plus._pipeline.transformer
    network.add_adapter(LoraConfig(r=4, init_lora_weights=False, target_modules=["to_q", "to_k"]), "made")
    layers = get_peft_model_state_dict(network, adapter_name="made")
    type(plus._pipeline).save_lora_weights(tmp_path, transformer_lora_layers=layers, weight_name="made.safetensors")
    return tmp_path


def test_low_rank_weights_count_by_their_scale(weights: Weights, lora: Path) -> None:
    def with_scale(scale: float) -> bytes:
        adapter = {"model": str(lora), "weight_name": "made.safetensors", "scale": scale}
        return edited(editor(weights("qwen-image-edit-plus"), loras=[adapter]))

    plain = edited(editor(weights("qwen-image-edit-plus")))

    assert plain == with_scale(0.0)
    assert plain != with_scale(1.0) != with_scale(2.0)


# -- speed -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cache", ["first-block", "cache-dit"])
def test_a_cache_keeps_nothing_of_an_edit_that_was_broken_off(weights: Weights, cache: str) -> None:
    pytest.importorskip("cache_dit") if cache == "cache-dit" else None
    options = {"cache": cache, "cache_threshold": 0.9, "num_inference_steps": 24}
    one = editor(weights("qwen-image-edit-plus"), **options)
    before = edited(one)

    def cancel(step: int, _steps: int) -> None:
        if step == 20:
            raise TimeoutError("cancelled")

    with pytest.raises(TimeoutError):
        edited(one, "remove the dog from the far corner", source=OTHER_PHOTO, on_step=cancel)

    assert edited(one) == before


@pytest.mark.parametrize("cache", ["first-block", "cache-dit"])
def test_a_cache_is_in_effect(weights: Weights, cache: str) -> None:
    pytest.importorskip("cache_dit") if cache == "cache-dit" else None
    cached = editor(weights("qwen-image-edit-plus"), cache=cache, cache_threshold=0.9, num_inference_steps=24)
    plain = editor(weights("qwen-image-edit-plus"), num_inference_steps=24)

    assert edited(cached) != edited(plain)


def test_weights_of_eight_bits_are_stored_so_and_edit(weights: Weights) -> None:
    one = editor(weights("qwen-image-edit-plus"), fp8=True, dtype="bfloat16")

    stored = {parameter.dtype for parameter in one._pipeline.transformer.transformer_blocks.parameters()}

    assert torch.float8_e4m3fn in stored
    assert edited(one) == edited(one)


def test_attention_and_tiling_are_put_into_effect(weights: Weights) -> None:
    one = editor(weights("qwen-image-edit-plus"), attention="_native_math", vae_tiling=True)

    assert one._pipeline.vae.use_tiling
    assert edited(one) == edited(one)


def test_the_attention_of_one_editor_is_not_that_of_the_next(weights: Weights) -> None:
    before = _AttentionBackendRegistry._active_backend

    editor(weights("qwen-image-edit-plus"), attention="_native_math")

    assert _AttentionBackendRegistry._active_backend == before


def test_cache_dit_leaves_other_pipelines_of_its_class_alone(weights: Weights) -> None:
    pytest.importorskip("cache_dit")
    call = diffusers.QwenImageEditPlusPipeline.__call__

    one = editor(weights("qwen-image-edit-plus"), cache="cache-dit")
    network = weakref.ref(one._pipeline.transformer)
    edited(one)
    one.close()

    assert diffusers.QwenImageEditPlusPipeline.__call__ is call
    assert network() is None


def test_an_editor_that_could_not_be_made_ready_leaves_nothing_in_memory(
    weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks: list[weakref.ref[Any]] = []

    def noted(pipeline: Any, options: Any) -> None:
        networks.append(weakref.ref(pipeline.transformer))
        raise ModelFault("not here")

    monkeypatch.setattr("workers.models.diffusers_editor.apply_speed_options", noted)
    with pytest.raises(ModelFault):
        editor(weights("qwen-image-edit-plus"))

    gc.collect()
    assert networks[0]() is None


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler on a CPU")
@pytest.mark.timeout(300)
@pytest.mark.chaos
def test_compiled_blocks_are_warmed_up_before_the_first_edit(weights: Weights) -> None:
    from torch._dynamo.utils import counters

    one = editor(weights("qwen-image-edit-plus"), compile=True)
    graphs = counters["stats"]["unique_graphs"]
    plain = editor(weights("qwen-image-edit-plus"))
    images = [np.asarray(each.edit(request()).image, dtype=int) for each in (one, plain)]

    assert counters["stats"]["unique_graphs"] == graphs > 0
    assert np.abs(images[0] - images[1]).max() <= 1  # another order of the same sums


# -- memory ------------------------------------------------------------------------------------------------------------


class Shortage:
    """Makes the VAE run out of memory as CUDA does, so many times or until it decodes in tiles."""

    def __init__(self, one: DiffusersEditor, *, times: int = 10**6, until_tiling: bool = False) -> None:
        self._vae, self._times, self._until_tiling = one._pipeline.vae, times, until_tiling
        self._decode = self._vae._decode
        self._vae._decode = self

    def __call__(self, *args: Any, **named: Any) -> Any:
        if self._times > 0 and not (self._until_tiling and self._vae.use_tiling):
            self._times -= 1
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.\nmore lines")
        return self._decode(*args, **named)


def test_one_shortage_is_mended_by_an_empty_cache_and_noted(plus: DiffusersEditor) -> None:
    before = edited(plus)
    Shortage(plus, times=1)

    result = plus.edit(request())

    assert result.detail == {"out_of_memory": ["emptied cache"]}
    assert result.image.tobytes() == before


def test_a_lasting_shortage_is_mended_by_tiling_for_this_edit_alone(plus: DiffusersEditor) -> None:
    Shortage(plus, until_tiling=True)

    result = plus.edit(request())

    assert result.detail == {"out_of_memory": ["emptied cache", "VAE tiling"]}
    assert not plus._pipeline.vae.use_tiling


def test_what_fits_on_no_rung_says_what_was_tried(plus: DiffusersEditor) -> None:
    Shortage(plus)

    with pytest.raises(OutOfMemory, match=r"20\.00 GiB\. \(tried: emptied cache, VAE tiling\)") as caught:
        plus.edit(request())

    assert caught.value.detail == {"out_of_memory": ["emptied cache", "VAE tiling"]}
    assert not plus._pipeline.vae.use_tiling


def test_an_edit_without_a_shortage_says_nothing_of_memory(plus: DiffusersEditor) -> None:
    assert plus.edit(request()).detail == {}


def test_another_error_climbs_no_ladder(plus: DiffusersEditor) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise ValueError("not about memory")

    plus._pipeline.vae._decode = broken

    with pytest.raises(ValueError, match="not about memory"):
        plus.edit(request())


def test_features_of_a_broken_decoding_do_not_stay(plus: DiffusersEditor) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        plus._pipeline.vae._feat_map = [torch.zeros(1)]
        raise ValueError("broken off")

    plus._pipeline.vae._decode = broken
    with pytest.raises(ValueError, match="broken off"):
        plus.edit(request())

    assert not any(torch.is_tensor(feature) for feature in plus._pipeline.vae._feat_map)


def test_an_image_that_the_safety_checker_withheld_is_no_edit(weights: Weights) -> None:
    one = editor(weights("instruct-pix2pix"), size="auto")
    one._pipeline.run_safety_checker = lambda image, device, dtype: (image, [True])

    with pytest.raises(Refused, match="safety checker"):
        one.edit(request())


def test_parked_and_woken_it_edits_as_before(plus: DiffusersEditor) -> None:
    from contextlib import nullcontext

    before = edited(plus)

    assert plus.park(lambda _: nullcontext(True))
    plus.wake()

    assert edited(plus) == before
