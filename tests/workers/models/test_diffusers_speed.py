"""A run's speed options, in effect on a tiny pipeline and on no other."""

from __future__ import annotations

import gc
import shutil
import weakref
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from diffusers.models.attention_dispatch import _AttentionBackendRegistry

from tests.workers.models.conftest import Weights
from tests.workers.models.editors import OTHER_PHOTO, edited, editor, request
from workers.models.diffusers_editor import DiffusersEditor
from workers.models.errors import ModelFault

pytestmark = pytest.mark.usefixtures("small_references")


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
def test_compiled_blocks_are_warmed_up_before_the_first_edit(weights: Weights, plus: DiffusersEditor) -> None:
    from torch._dynamo.utils import counters

    one = editor(weights("qwen-image-edit-plus"), compile=True)
    graphs = counters["stats"]["unique_graphs"]
    images = [np.asarray(each.edit(request()).image, dtype=int) for each in (one, plus)]

    assert counters["stats"]["unique_graphs"] == graphs > 0
    assert np.abs(images[0] - images[1]).max() <= 1  # another order of the same sums
