"""Pictures to judge, whose statistics are known."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image


def noise(width: int, height: int, seed: int = 1) -> Image.Image:
    """Return what no two pixels of have to do with each other."""
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def landscape() -> Image.Image:
    """Return a picture with the statistics of a photo: large soft areas, a few edges, fine grain."""
    soft = noise(8, 6).resize((160, 120), Image.Resampling.BICUBIC)
    soft.paste("#203040", (30, 60, 90, 120))
    return Image.blend(soft, noise(160, 120, seed=2), 0.08)


def as_jpeg(image: Image.Image) -> Image.Image:
    """Return the picture with what JPEG does to it."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=20)
    return Image.open(file)
