"""Brings the two images that a scorer compares to one size."""

from __future__ import annotations

from PIL.Image import Image, Resampling


def bring_to_size(image: Image, size: tuple[int, int]) -> tuple[Image, dict[str, object]]:
    """Return the image at `size` (width, height, in px) and what a rating's detail says of it.

    An image of another size is resized by Lanczos, whatever its proportions, and the detail holds `resized_from`; one
    that has the size is returned as it is, with nothing to say.
    """
    if image.size == size:
        return image, {}
    return image.resize(size, Resampling.LANCZOS), {"resized_from": list(image.size)}
