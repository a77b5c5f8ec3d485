"""Tiny editors of the Qwen-Image-Edit family: the real classes, a few thousand random weights.

The pipelines bring every source to about a megapixel, whatever its size. So the VAE here scales by 32 and not by 8:
that leaves 1/16 of the latent tokens, and an edit takes a fraction of a second on a CPU.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers import AutoencoderKLQwenImage, FlowMatchEulerDiscreteScheduler, QwenImageTransformer2DModel
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

from workers.tiny.processor import write_processor
from workers.tiny.tokenizer import make_tokenizer, special_ids

_HIDDEN = 32
_LATENT_CHANNELS = 4
_HALVINGS = 5  # 2**5 = 32


def make_editor(folder: Path, *, plus: bool = True, zero_cond_t: bool = False, seed: int = 0) -> None:
    """Write an editor: Qwen-Image-Edit-Plus (2509), with `zero_cond_t` as 2511 has it, or not `plus` the first one."""
    tokenizer = make_tokenizer()
    torch.manual_seed(seed)
    parts = {
        "transformer": _transformer(zero_cond_t=zero_cond_t),
        "vae": _vae(),
        "text_encoder": text_encoder(tokenizer),
        "scheduler": _scheduler(),
    }
    for name, part in parts.items():
        part.save_pretrained(folder / name)
    tokenizer.save_pretrained(folder / "tokenizer")
    write_processor(folder / "processor", tokenizer, "Qwen2VLProcessor", patch_size=14, most_tokens=16)
    pipeline = "QwenImageEditPlusPipeline" if plus else "QwenImageEditPipeline"
    write_index(
        folder,
        pipeline,
        parts,
        processor=("transformers", "Qwen2VLProcessor"),
        tokenizer=("transformers", "Qwen2Tokenizer"),
    )


def write_index(folder: Path, pipeline: str, parts: dict[str, Any], **others: tuple[str, str]) -> None:
    """Write `model_index.json`: the pipeline's class, and library and class of each part."""
    listed = {name: (type(part).__module__.partition(".")[0], type(part).__name__) for name, part in parts.items()}
    index = {"_class_name": pipeline, "_diffusers_version": diffusers.__version__, **listed, **others}
    (folder / "model_index.json").write_text(json.dumps(index, indent=1))


def text_encoder(tokenizer: Any) -> Any:
    """Return the vision-language model that reads instruction and image, hidden size 32."""
    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": _HIDDEN,
        "intermediate_size": 2 * _HIDDEN,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "max_position_embeddings": 32768,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [2, 2, 4]},
        "bos_token_id": None,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    vision = {
        "depth": 2,
        "hidden_size": 32,
        "intermediate_size": 32,
        "num_heads": 2,
        "patch_size": 14,
        "window_size": 56,
        "spatial_merge_size": 2,
        "temporal_patch_size": 2,
        "out_hidden_size": _HIDDEN,
        "fullatt_block_indexes": [1],
    }
    configuration = Qwen2_5_VLConfig(
        text_config=text, vision_config=vision, tie_word_embeddings=False, **special_ids(tokenizer)
    )
    return Qwen2_5_VLForConditionalGeneration(configuration)


def _transformer(*, zero_cond_t: bool) -> Any:
    return QwenImageTransformer2DModel(
        patch_size=2,
        in_channels=4 * _LATENT_CHANNELS,
        out_channels=_LATENT_CHANNELS,
        num_layers=2,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=_HIDDEN,
        axes_dims_rope=(8, 4, 4),
        zero_cond_t=zero_cond_t,
    )


def _vae() -> Any:
    return AutoencoderKLQwenImage(
        base_dim=4,
        z_dim=_LATENT_CHANNELS,
        dim_mult=[1] * (_HALVINGS + 1),
        num_res_blocks=0,
        attn_scales=[],
        temperal_downsample=[False] + [True] * (_HALVINGS - 1),
        latents_mean=[0.0] * _LATENT_CHANNELS,
        latents_std=[1.0] * _LATENT_CHANNELS,
    )


def _scheduler() -> Any:
    """Return the scheduler with Qwen-Image's own configuration."""
    return FlowMatchEulerDiscreteScheduler(
        base_image_seq_len=256,
        base_shift=0.5,
        max_image_seq_len=8192,
        max_shift=0.9,
        num_train_timesteps=1000,
        shift=1.0,
        shift_terminal=0.02,
        stochastic_sampling=False,
        time_shift_type="exponential",
        use_dynamic_shifting=True,
    )
