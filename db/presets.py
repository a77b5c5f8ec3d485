"""The real models by name: what each is, where its weights are, and every value a run of it uses.

Values are those of the models' own cards. Nothing is left to a library's default that may change below us: guidance
comes with its negative prompt, distilled weights with their scheduler.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Preset:
    """The options of one named model, all of which a user may override; `licence` is that of the weights."""

    summary: str
    licence: str
    options: Mapping[str, Any]


_APACHE = "Apache-2.0"


def _lightning(preset: Preset, *, steps: int, repository: str, weight_name: str) -> Preset:
    """Return the preset with step-distilled LoRA weights: few steps, no guidance, and the scheduler they were made for.

    They were distilled with a constant shift of 3, whatever the size, and without a terminal shift; their authors write
    it as base_shift = max_shift = ln 3 (github.com/ModelTC/Qwen-Image-Lightning, generate_with_diffusers.py).
    """
    return Preset(
        summary=f"{preset.summary}, distilled to {steps} steps (Lightning LoRA)",
        licence=preset.licence,
        options={
            **preset.options,
            "num_inference_steps": steps,
            "true_cfg_scale": 1.0,
            "loras": [{"model": repository, "weight_name": weight_name, "revision": "main", "scale": 1.0}],
            "scheduler": {"base_shift": math.log(3), "max_shift": math.log(3), "shift_terminal": None},
        },
    )


def _qwen_edit(name: str, *, steps: int, summary: str) -> Preset:
    return Preset(
        summary=summary,
        licence=_APACHE,
        options={
            "model": f"Qwen/{name}",
            "revision": "main",
            "dtype": "bfloat16",
            "num_inference_steps": steps,
            "true_cfg_scale": 4.0,
            "negative_prompt": " ",
            "size": "auto",
        },
    )


_QWEN_EDIT = _qwen_edit("Qwen-Image-Edit", steps=50, summary="Qwen-Image-Edit, 20 B parameters, about 1 megapixel")
_QWEN_EDIT_2509 = _qwen_edit("Qwen-Image-Edit-2509", steps=40, summary="Qwen-Image-Edit of September 2025")
_QWEN_EDIT_2511 = _qwen_edit("Qwen-Image-Edit-2511", steps=40, summary="Qwen-Image-Edit of November 2025")

EDITOR_PRESETS: Mapping[str, Preset] = {
    "qwen-image-edit": _QWEN_EDIT,
    "qwen-image-edit-2509": _QWEN_EDIT_2509,
    "qwen-image-edit-2511": _QWEN_EDIT_2511,
    **{
        f"{name}-lightning-{steps}": _lightning(
            preset,
            steps=steps,
            repository=repository,
            weight_name=f"{stem}-Lightning-{steps}steps-V1.0-bf16.safetensors",
        )
        for name, preset, repository, stem in (
            ("qwen-image-edit", _QWEN_EDIT, "lightx2v/Qwen-Image-Lightning", "Qwen-Image-Edit"),
            (
                "qwen-image-edit-2509",
                _QWEN_EDIT_2509,
                "lightx2v/Qwen-Image-Lightning",
                "Qwen-Image-Edit-2509/Qwen-Image-Edit-2509",
            ),
            (
                "qwen-image-edit-2511",
                _QWEN_EDIT_2511,
                "lightx2v/Qwen-Image-Edit-2511-Lightning",
                "Qwen-Image-Edit-2511",
            ),
        )
        for steps in (4, 8)
    },
    "qwen-image-2.1": Preset(
        summary="Qwen-Image 2.1, 7 B parameters, generates and edits",
        licence="Qwen Research License (non-commercial)",
        options={
            "model": "Qwen/Qwen-Image-2.1",
            "revision": "main",
            "dtype": "bfloat16",
            "num_inference_steps": 40,
            "true_cfg_scale": 1.0,
            "size": "auto",
        },
    ),
    "flux-kontext": Preset(
        summary="FLUX.1 Kontext [dev], 12 B parameters, about 1 megapixel",
        licence="FLUX.1 [dev] Non-Commercial License",
        options={
            "model": "black-forest-labs/FLUX.1-Kontext-dev",
            "revision": "main",
            "dtype": "bfloat16",
            "num_inference_steps": 28,
            "guidance_scale": 2.5,
            "true_cfg_scale": 1.0,
            "size": f"{1024 * 1024}px",  # its own rule makes every edit a square
            "max_source_pixels": 1024 * 1024,
        },
    ),
    "instruct-pix2pix": Preset(
        summary="InstructPix2Pix on Stable Diffusion 1.5, 1 B parameters; for small cards and comparisons",
        licence="MIT",
        options={
            "model": "timbrooks/instruct-pix2pix",
            "revision": "main",
            "dtype": "float16",
            "num_inference_steps": 100,
            "guidance_scale": 7.5,
            "image_guidance_scale": 1.5,
            "negative_prompt": "",
            "size": "auto",
            "max_source_pixels": 512 * 512,
        },
    ),
}


def _judge(model: str, summary: str) -> Preset:
    return Preset(
        summary=summary,
        licence=_APACHE,
        options={"model": model, "revision": "main", "dtype": "bfloat16", "attention": "sdpa", "mode": "generate"},
    )


JUDGE_PRESETS: Mapping[str, Preset] = {
    "qwen3-vl-30b-a3b": _judge("Qwen/Qwen3-VL-30B-A3B-Instruct", "Qwen3-VL, mixture of experts, 3 B of 31 B active"),
    "qwen3-vl-32b": _judge("Qwen/Qwen3-VL-32B-Instruct", "Qwen3-VL, dense, 33 B parameters"),
    "qwen3-vl-8b": _judge("Qwen/Qwen3-VL-8B-Instruct", "Qwen3-VL, dense, 9 B parameters"),
    "qwen2.5-vl-7b": _judge("Qwen/Qwen2.5-VL-7B-Instruct", "Qwen2.5-VL, dense, 8 B parameters"),
}
