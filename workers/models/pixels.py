"""What is done to images on their way into a model."""

from __future__ import annotations

import math

from PIL.Image import Image, Resampling


def within_area(image: Image, pixels: int) -> Image:
    """Return the image scaled down, in its own proportions, to at most so many pixels; a smaller one as it is."""
    if image.width * image.height <= pixels:
        return image
    scale = math.sqrt(pixels / (image.width * image.height))
    size = (max(1, math.floor(image.width * scale)), max(1, math.floor(image.height * scale)))
    return image.resize(size, Resampling.LANCZOS)
