"""The networks of Qwen-Image-Edit and Qwen3-VL in their real sizes with random weights, and tiny ones of their classes.

The configurations are those of the published repositories; nothing is downloaded. Random weights take the time that
trained ones do; zeros would not: a card draws less power for them and clocks higher. A random router is less even than
a trained one: 32 rows that decode reached about half of 128 experts, in two layers of that width on a CPU.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import AutoencoderKLQwenImage, QwenImageTransformer2DModel
from torch import nn
from transformers import (
    AutoModelForImageTextToText,
    Qwen2_5_VLConfig,
    Qwen3VLConfig,
    Qwen3VLMoeConfig,
)

from benchmarks.figures.machine import the_device

DTYPE = torch.bfloat16

END_OF_TURN, PADDING = 151645, 151643
"""Ids of Qwen's control tokens; those of the image tokens are the configuration's defaults."""

_NO_CHOICE: Mapping[str, str] = {}
_VOCABULARY = 151936
_TEXT_ROPE = {"rope_type": "default", "rope_theta": 5e6, "mrope_section": [24, 20, 20], "mrope_interleaved": True}
_VISION = {
    "depth": 27,
    "hidden_size": 1152,
    "intermediate_size": 4304,
    "num_heads": 16,
    "deepstack_visual_indexes": [8, 16, 24],
}


@dataclass(frozen=True)
class EditorSize:
    """An editor of the Qwen-Image-Edit family: arguments of its three networks."""

    name: str
    transformer: Mapping[str, Any]
    text_encoder: Mapping[str, Any]
    vae: Mapping[str, Any]


@dataclass(frozen=True)
class JudgeSize:
    """A judge of the Qwen3-VL family: configuration class, text part, vision tower."""

    name: str
    configuration: Callable[..., Any]
    text: Mapping[str, Any]
    vision: Mapping[str, Any]


EDITOR = EditorSize(
    "Qwen-Image-Edit",
    transformer={},  # the class's defaults are the published configuration, and so are the VAE's
    text_encoder={
        "text_config": {
            "vocab_size": 152064,
            "hidden_size": 3584,
            "intermediate_size": 18944,
            "num_hidden_layers": 28,
            "num_attention_heads": 28,
            "num_key_value_heads": 4,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [16, 24, 24]},
        },
        "vision_config": {
            "depth": 32,
            "hidden_size": 1280,
            "intermediate_size": 3420,
            "num_heads": 16,
            "out_hidden_size": 3584,
            "window_size": 112,
            "fullatt_block_indexes": [7, 15, 23, 31],
        },
    },
    vae={},
)

TINY_EDITOR = EditorSize(
    "tiny editor",
    transformer={
        "in_channels": 16,
        "out_channels": 4,
        "num_layers": 2,
        "attention_head_dim": 128,
        "num_attention_heads": 2,
        "joint_attention_dim": 32,
    },
    text_encoder={
        "text_config": {
            "vocab_size": 1024,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [2, 2, 4]},
        },
        "vision_config": {
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 32,
            "num_heads": 2,
            "out_hidden_size": 32,
            "fullatt_block_indexes": [1],
        },
    },
    vae={
        "base_dim": 4,
        "z_dim": 4,
        "dim_mult": [1] * 4,
        "num_res_blocks": 0,
        "attn_scales": [],
        "latents_mean": [0.0] * 4,
        "latents_std": [1.0] * 4,
    },
)

JUDGE_30B = JudgeSize(
    "Qwen3-VL-30B-A3B",
    Qwen3VLMoeConfig,
    text={
        "vocab_size": _VOCABULARY,
        "hidden_size": 2048,
        "intermediate_size": 6144,
        "num_hidden_layers": 48,
        "num_attention_heads": 32,
        "num_key_value_heads": 4,
        "head_dim": 128,
        "num_experts": 128,
        "num_experts_per_tok": 8,
        "moe_intermediate_size": 768,
        "decoder_sparse_step": 1,
        "rope_parameters": _TEXT_ROPE,
    },
    vision={**_VISION, "out_hidden_size": 2048},
)

JUDGE_8B = JudgeSize(
    "Qwen3-VL-8B",
    Qwen3VLConfig,
    text={
        "vocab_size": _VOCABULARY,
        "hidden_size": 4096,
        "intermediate_size": 12288,
        "num_hidden_layers": 36,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "rope_parameters": _TEXT_ROPE,
    },
    vision={**_VISION, "out_hidden_size": 4096},
)

TINY_JUDGE = JudgeSize(
    "tiny judge",
    Qwen3VLMoeConfig,
    text={
        "vocab_size": _VOCABULARY,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "num_experts": 8,
        "num_experts_per_tok": 2,
        "moe_intermediate_size": 32,
        "decoder_sparse_step": 1,
        "rope_parameters": {**_TEXT_ROPE, "mrope_section": [4, 2, 2]},
    },
    vision={
        "depth": 2,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_heads": 2,
        "out_hidden_size": 64,
        "deepstack_visual_indexes": [0],
    },
)


def make_transformer(size: EditorSize, device: torch.device | None = None) -> Any:
    """Return the network that denoises; on the GPU if there is one, unless a device is named."""
    with _made_on(device or the_device()):
        return _at_rest(QwenImageTransformer2DModel(**size.transformer))


def make_vae(size: EditorSize, device: torch.device | None = None) -> Any:
    """Return the network between pixels and latents; where, as above."""
    with _made_on(device or the_device()):
        return _at_rest(AutoencoderKLQwenImage(**size.vae))


def make_text_encoder(size: EditorSize, device: torch.device | None = None) -> Any:
    """Return the network that reads the instruction; where, as above."""
    return _from_configuration(Qwen2_5_VLConfig(**size.text_encoder, tie_word_embeddings=False), device)


def make_judge(
    size: JudgeSize, device: torch.device | None = None, *, implementations: Mapping[str, str] = _NO_CHOICE
) -> Any:
    """Return the judge; where, as above. Implementations: `attn_implementation`, `experts_implementation`, or none."""
    configuration = size.configuration(
        text_config=dict(size.text), vision_config=dict(size.vision), tie_word_embeddings=False
    )
    network = _from_configuration(configuration, device, implementations)
    network.generation_config.eos_token_id = END_OF_TURN
    network.generation_config.pad_token_id = PADDING
    return network


def weight_bytes(network: nn.Module) -> int:
    """Return the size of the weights and buffers, in bytes."""
    return sum(tensor.nbytes for tensor in (*network.parameters(), *network.buffers()))


def _from_configuration(
    configuration: Any, device: torch.device | None, implementations: Mapping[str, str] = _NO_CHOICE
) -> Any:
    with device or the_device():
        return _at_rest(AutoModelForImageTextToText.from_config(configuration, dtype=DTYPE, **implementations))


def _at_rest(network: Any) -> Any:
    return network.eval().requires_grad_(requires_grad=False)


@contextmanager
def _made_on(device: torch.device) -> Iterator[None]:
    """Let weights be drawn where they stay and as they stay: on the host 40 GB would take minutes."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(DTYPE)
    try:
        with device:
            yield
    finally:
        torch.set_default_dtype(before)
