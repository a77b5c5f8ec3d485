"""Editors of tiny checkpoints, and edits by them that are cheap."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from db.options import DiffusersEditorOptions
from workers.models.diffusers_editor import DiffusersEditor
from workers.models.protocols import EditRequest, OnStep, unobserved

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


def cheap_editor(folder: Path) -> DiffusersEditor:
    """The editor of a family, whose name is the folder's."""
    return editor(folder, **CHEAP.get(folder.name, {"size": "auto"}))


def request(
    instruction: str = "make the sky red", source: Image.Image = PHOTO, seed: int = 7, on_step: OnStep = unobserved
) -> EditRequest:
    return EditRequest("p-1", instruction, source, seed, on_step)


def edited(one: DiffusersEditor, *args: Any, **named: Any) -> bytes:
    return one.edit(request(*args, **named)).image.tobytes()
