"""Tells a pipeline's vision-language text encoder which of its tokens are an image's.

transformers 5 computes the three-dimensional positions of Qwen2.5-VL from `mm_token_type_ids` alone, and diffusers
0.42's pipelines for Qwen-Image-Edit and LongCat do not pass them (diffusers issue 14194): the image would be read as if
it were text, in one line. What a pipeline passes itself is left alone.
"""

from __future__ import annotations

import inspect
from typing import Any

from torch import nn


def pass_token_types(text_encoder: Any) -> bool:
    """Let the encoder be given what it lacks; False where it does not take it, or has no images."""
    if not isinstance(text_encoder, nn.Module) or getattr(text_encoder.config, "image_token_id", None) is None:
        return False
    if "mm_token_type_ids" not in inspect.signature(text_encoder.forward).parameters:
        return False
    text_encoder.register_forward_pre_hook(_with_token_types, with_kwargs=True)
    return True


def _with_token_types(encoder: Any, given: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    tokens, grid = named.get("input_ids"), named.get("image_grid_thw")
    if tokens is not None and grid is not None and named.get("mm_token_type_ids") is None:
        named = {**named, "mm_token_type_ids": (tokens == encoder.config.image_token_id).int()}
    return given, named
