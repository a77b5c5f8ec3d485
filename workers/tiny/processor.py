"""The files of a Qwen-VL processor, as the real repositories have them; written without making a processor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def write_processor(
    folder: Path, tokenizer: Any, class_name: str, *, patch_size: int, most_tokens: int, mean: float = 0.5
) -> None:
    """Write tokenizer and image processor; an image becomes at most so many tokens of 2 x 2 patches."""
    side = 2 * patch_size
    image = {
        "image_processor_type": "Qwen2VLImageProcessorFast",
        "processor_class": class_name,
        "size": {"shortest_edge": side * side, "longest_edge": most_tokens * side * side},
        "min_pixels": side * side,
        "max_pixels": most_tokens * side * side,
        "patch_size": patch_size,
        "temporal_patch_size": 2,
        "merge_size": 2,
        "image_mean": [mean] * 3,
        "image_std": [0.5] * 3,
    }
    video = {name: value for name, value in image.items() if name != "image_processor_type"}
    video["video_processor_type"] = class_name.replace("Processor", "VideoProcessor")
    tokenizer.save_pretrained(folder)
    for name, content in (("preprocessor_config", image), ("video_preprocessor_config", video)):
        (folder / f"{name}.json").write_text(json.dumps(content, indent=1))
