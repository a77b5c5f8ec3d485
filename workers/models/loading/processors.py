"""Processors of vision-language models for still images, with or without torchvision.

Images go through transformers' Pillow backend on every machine: torchvision resizes a little differently, and scores
from two machines must be comparable. Without torchvision transformers (5.x) has no video processors, which the Qwen-VL
classes insist on; a stand-in that refuses videos takes that place.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import transformers
from transformers.models.auto.processing_auto import PROCESSOR_MAPPING_NAMES
from transformers.video_processing_utils import VideoProcessorMixin

_WHERE_NAMED = ("processor_config.json", "preprocessor_config.json", "tokenizer_config.json")


def load_processor(folder: Path) -> Any:
    """Return the processor of the folder: tokenizer, padding on the left, and Pillow image processor."""
    base = getattr(transformers, _class_name(folder))
    takes_video = "video_processor" in base.get_attributes()
    processor = (_for_still_images(base) if takes_video else base).from_pretrained(
        folder, trust_remote_code=False, **_backend(takes_video)
    )
    processor.tokenizer.padding_side = "left"  # a padded row would otherwise go on after its padding
    return processor


def is_processor(class_name: str) -> bool:
    """Tell whether this is a processor class of transformers that needs the above."""
    base = getattr(transformers, class_name, None)
    return isinstance(base, type) and issubclass(base, transformers.ProcessorMixin)


def _backend(takes_video: bool) -> dict[str, str]:
    return {} if takes_video else {"backend": "pil"}


def _class_name(folder: Path) -> str:
    for name in _WHERE_NAMED:
        file = folder / name
        if file.is_file() and (found := json.loads(file.read_text()).get("processor_class")):
            return str(found)
    model_type = json.loads((folder / "config.json").read_text())["model_type"]
    return str(PROCESSOR_MAPPING_NAMES[model_type])


class _NoVideo(VideoProcessorMixin):  # type: ignore[misc]
    """Stands where a video processor is wanted."""

    merge_size = temporal_patch_size = 2

    def __call__(self, *_args: Any, **_named: Any) -> None:
        raise RuntimeError("videos are not processed here")


def _for_still_images(base: type[Any]) -> type[Any]:
    class StillImages(base):  # type: ignore[misc]
        def check_argument_for_proper_class(self, name: str, argument: Any) -> Any:
            if name == "video_processor":
                return type(argument)
            return super().check_argument_for_proper_class(name, argument)

        @classmethod
        def _get_arguments_from_pretrained(cls, path: Any, *_: Any, **named: Any) -> list[Any]:
            named.pop("processor_dict", None)
            parts = {
                "image_processor": transformers.AutoImageProcessor.from_pretrained(path, backend="pil", **named),
                "tokenizer": transformers.AutoTokenizer.from_pretrained(path, **named),
                "video_processor": _NoVideo(),
            }
            return [parts[name] for name in cls.get_attributes()]  # classes differ in their order

    StillImages.__name__ = StillImages.__qualname__ = base.__name__
    return StillImages
