"""How the editing pipelines of diffusers differ from outside, as data: names of arguments, what a list of images means.

A pipeline that is not named here works too, as long as it takes an image, a prompt and a generator.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from PIL.Image import Image

from db.options import DiffusersEditorOptions
from workers.models.errors import InputFault, ModelFault

_NAMES: Mapping[str, tuple[str, ...]] = {
    "image": ("image", "input_images", "images"),
    "image_guidance_scale": ("image_guidance_scale", "img_guidance_scale"),
}
"""What pipelines call an argument, where they do not agree; the first that one takes is used."""

_OPTIONAL = ("num_inference_steps", "true_cfg_scale", "guidance_scale", "image_guidance_scale", "negative_prompt")
"""Options handed to the call under their own names when they are set."""

_LARGEST_ASPECT = 200
"""Width over height, or the reverse, beyond which the pipelines' image processors give up."""


@dataclass(frozen=True)
class Manner:
    """What is particular to one pipeline class.

    `image_list`: its image argument is a list of references for one edit; elsewhere a list is a batch, or taken badly.
    `with_size`: what must be said besides a width and a height for the pipeline to keep them.
    """

    image_list: bool = False
    with_size: Callable[[int, int], Mapping[str, Any]] = field(default=lambda _width, _height: {})


MANNERS: Mapping[str, Manner] = {
    "QwenImageEditPipeline": Manner(),
    "QwenImageEditPlusPipeline": Manner(image_list=True),
    "QwenImage21Pipeline": Manner(image_list=True),
    # It turns any size into the nearest of its own, unless told otherwise.
    "FluxKontextPipeline": Manner(
        with_size=lambda width, height: {"max_area": width * height, "_auto_resize": False},
    ),
    "Flux2Pipeline": Manner(image_list=True),
    "Flux2KleinPipeline": Manner(image_list=True),
    "StableDiffusionInstructPix2PixPipeline": Manner(),
    "StableDiffusionXLInstructPix2PixPipeline": Manner(),
    "LongCatImageEditPipeline": Manner(),
    "JoyImageEditPlusPipeline": Manner(image_list=True),
    "OmniGenPipeline": Manner(image_list=True),
}


class CallArguments:
    """Builds the arguments of one pipeline's call; refuses, when made, an option that this pipeline does not take."""

    def __init__(self, pipeline_class: type[Any], options: DiffusersEditorOptions) -> None:
        self._class_name = pipeline_class.__name__
        self._manner = MANNERS.get(self._class_name, Manner())
        self._parameters = inspect.signature(pipeline_class.__call__).parameters
        self._options = options
        self._image_name = self._name_of("image", f"is no editor: its call takes no image ({self._class_name})")
        self._fixed = self._from_options()
        if options.size != "auto":
            self._check_size_is_taken()

    def effective(self) -> dict[str, object]:
        """Return what the call uses for every plain argument, the pipeline's own defaults included (JSON values)."""
        defaults = {
            name: parameter.default
            for name, parameter in self._parameters.items()
            if isinstance(parameter.default, int | float | str) and not name.startswith(("output_type", "return_dict"))
        }
        return {**defaults, **self._fixed}

    def for_edit(self, instruction: str, sources: Sequence[Image], multiple: int) -> dict[str, Any]:
        """Return the arguments for one edit; sizes are rounded down to multiples of `multiple` pixels.

        Where there are several sources, a size that depends on the source is the first one's.
        Raises InputFault for a source that no pipeline can take, or for more of them than this one takes.
        """
        for source in sources:
            if max(source.size) > _LARGEST_ASPECT * min(source.size):
                raise InputFault(f"the source is {source.width} x {source.height}: too long for its other side")
        if len(sources) > 1 and not self._manner.image_list:
            raise InputFault(f"the sample has {len(sources)} source images, and {self._class_name} takes one")
        image = list(sources) if self._manner.image_list else sources[0]
        return {"prompt": instruction, self._image_name: image, **self._fixed, **self._size(sources[0], multiple)}

    def _from_options(self) -> dict[str, Any]:
        given = {name: value for name in _OPTIONAL if (value := getattr(self._options, name)) is not None}
        named = {self._name_of(name, f"takes no {name} ({self._class_name})"): value for name, value in given.items()}
        for name in self._options.arguments:
            self._name_of(name, f"takes no {name} ({self._class_name})")
        return {**self._guidance_that_is_off(), **named, **self._options.arguments}

    def _guidance_that_is_off(self) -> dict[str, float]:
        """Say 1 where the pipeline's default is guidance that, without a negative prompt, it silently leaves off."""
        is_default = "true_cfg_scale" in self._parameters and self._options.true_cfg_scale is None
        return {"true_cfg_scale": 1.0} if is_default and self._options.negative_prompt is None else {}

    def _size(self, source: Image, multiple: int) -> dict[str, Any]:
        if self._options.size == "auto":
            return {}
        width, height = (max(multiple, int(side) // multiple * multiple) for side in self._wanted_size(source))
        return {"width": width, "height": height, **self._manner.with_size(width, height)}

    def _wanted_size(self, source: Image) -> tuple[float, float]:
        size = self._options.size
        if size == "source":
            return source.size
        if size.endswith("px"):
            scale = math.sqrt(int(size.removesuffix("px")) / (source.width * source.height))
            return source.width * scale, source.height * scale
        width, height = size.split("x")
        return float(width), float(height)

    def _check_size_is_taken(self) -> None:
        for name in ("width", "height"):
            self._name_of(name, f"takes no size; leave `size` at auto ({self._class_name})")

    def _name_of(self, argument: str, complaint: str) -> str:
        for name in _NAMES.get(argument, (argument,)):
            if name in self._parameters:
                return name
        raise ModelFault(f"the pipeline {complaint}")
