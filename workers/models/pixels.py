"""What is done to images on their way into a model."""

from __future__ import annotations

import math

from PIL.Image import Image, Resampling

from db.rubric import Resize


def within_area(image: Image, pixels: int) -> Image:
    """Return the image scaled down, in its own proportions, to at most so many pixels; a smaller one as it is."""
    if image.width * image.height <= pixels:
        return image
    scale = math.sqrt(pixels / (image.width * image.height))
    size = (max(1, math.floor(image.width * scale)), max(1, math.floor(image.height * scale)))
    return image.resize(size, Resampling.LANCZOS)


def resized(image: Image, resize: Resize) -> Image:
    """Return the image in its own proportions, bicubic: at an area, sides rounded down, or within a width and a height.

    An image that lies within them already is returned as it is.
    """
    if resize.area is not None:
        ratio = image.width / image.height
        width = math.sqrt(resize.area * ratio)
        return image.resize((max(1, int(width)), max(1, int(width / ratio))), Resampling.BICUBIC)
    smaller = image.copy()
    smaller.thumbnail(resize.within or image.size, Resampling.BICUBIC)
    return smaller
