"""What a pipeline's weights are and how they are loaded: the folder, their dtype and size, low-rank weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from db.options import DiffusersEditorOptions
from tests.workers.models.conftest import Weights
from tests.workers.models.editors import edited, editor
from workers.models.diffusers_editor import DiffusersEditor
from workers.models.errors import ModelFault
from workers.models.loading import devices

pytestmark = pytest.mark.usefixtures("small_references")


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
def lora(weights: Weights, tmp_path: Path) -> Path:
    """Random low-rank weights for the tiny editor, in the form in which they are published."""
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict

    torch.manual_seed(0)
    pipeline = editor(weights("qwen-image-edit-plus"))._pipeline
    network = pipeline.transformer
    network.add_adapter(LoraConfig(r=4, init_lora_weights=False, target_modules=["to_q", "to_k"]), "made")
    layers = get_peft_model_state_dict(network, adapter_name="made")
    pipeline.save_lora_weights(tmp_path, transformer_lora_layers=layers, weight_name="made.safetensors")
    return tmp_path


def test_low_rank_weights_count_by_their_scale(weights: Weights, plus: DiffusersEditor, lora: Path) -> None:
    def with_scale(scale: float) -> bytes:
        adapter = {"model": str(lora), "weight_name": "made.safetensors", "scale": scale}
        return edited(editor(weights("qwen-image-edit-plus"), loras=[adapter]))

    plain = edited(plus)

    assert plain == with_scale(0.0)
    assert plain != with_scale(1.0) != with_scale(2.0)
