"""Benchmark files with as many samples, and as large, as a measurement wants; seeded, so they repeat themselves."""

from __future__ import annotations

import base64
import csv
import io
import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.drawn_work.drawing import CATEGORIES

PHOTO_SIDE = 1024
TINY_SIDE = 16

_GRID = 16  # cells a side: what is large in a photo
_GRAIN = 1.5  # standard deviation of the noise, of 255: a PNG of about 1.2 MB
_IEND = 12  # bytes of a PNG's last chunk


def photo_png(seed: int, side: int = PHOTO_SIDE) -> bytes:
    """Return a PNG as hard to encode as a photo: soft shapes under a grain."""
    draw = np.random.default_rng(seed)
    cells = draw.integers(0, 256, (_GRID, _GRID, 3), dtype=np.uint8)
    shapes = np.asarray(Image.fromarray(cells).resize((side, side), Image.Resampling.BICUBIC), dtype=np.float32)
    grain = draw.normal(0, _GRAIN, shapes.shape)
    buffer = io.BytesIO()
    Image.fromarray(np.clip(shapes + grain, 0, 255).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def tiny_png(seed: int) -> bytes:
    """Return a PNG of a few hundred bytes."""
    draw = np.random.default_rng(seed)
    buffer = io.BytesIO()
    Image.fromarray(draw.integers(0, 256, (TINY_SIDE, TINY_SIDE, 3), dtype=np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def with_remark(png: bytes, remark: str) -> bytes:
    """Return the same picture as another file, by a text before the end of the PNG: drawing anew takes far longer."""
    content = b"Comment\0" + remark.encode()
    kind = b"tEXt" + content
    chunk = len(content).to_bytes(4) + kind + zlib.crc32(kind).to_bytes(4)
    return png[:-_IEND] + chunk + png[-_IEND:]


def write_lines(folder: Path, samples: int, *, images: list[bytes], name: str = "benchmark") -> Path:
    """Write JSON Lines whose samples take these images by path, in turns; return the file.

    `name` is in every key, so that another name makes another benchmark.
    """
    paths = write_images(folder, images)
    path = folder / f"{name}.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number in range(samples):
            row = sample_row(name, number, paths[number % len(paths)])
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return path


def write_csv(folder: Path, samples: int, *, images: list[bytes], name: str = "benchmark") -> Path:
    """Write a table likewise."""
    paths = write_images(folder, images)
    path = folder / f"{name}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, sample_row(name, 0, paths[0]))
        writer.writeheader()
        writer.writerows(sample_row(name, number, paths[number % len(paths)]) for number in range(samples))
    return path


def write_images(folder: Path, images: list[bytes]) -> list[str]:
    """Write these PNG images below the folder; return their paths as seen from it."""
    (folder / "images").mkdir(exist_ok=True)
    paths = [f"images/{number}.png" for number in range(len(images))]
    for path, content in zip(paths, images, strict=True):
        (folder / path).write_bytes(content)
    return paths


def sample_row(name: str, number: int, image: str) -> dict[str, str]:
    """Return what a benchmark of this name says of its sample of that number."""
    categories = list(CATEGORIES)
    return {
        "key": f"{name}-{number}",
        "category": categories[number % len(categories)],
        "instruction": "make it rain",
        "image": image,
    }


def write_original(path: Path, megabytes: float, *, drawn: int = 8) -> list[slice]:
    """Write the original layout with base64 photos until it is so large; return where in the file each photo stands.

    So many photos are drawn, and the others are theirs with a remark of their own: different files for the farm.
    """
    photos = [photo_png(seed) for seed in range(drawn)]
    places: list[slice] = []
    with path.open("wb") as file:
        file.write('{"name": "original", "categories": [{"name": "物理", "pairs": ['.encode())
        for number in _until(lambda: file.tell() < megabytes * 1e6):
            image = base64.b64encode(with_remark(photos[number % drawn], f"number {number}"))
            file.write(b", " if number else b"")
            file.write(
                f'{{"pair_id": "p-{number}", "edit_instruction": "make it rain", "original_image_b64": "'.encode()
            )
            places.append(slice(file.tell(), file.tell() + len(image)))
            file.write(image + b'"}')
        file.write(b"]}]}")
    return places


def _until(goes_on: Callable[[], bool]) -> Iterator[int]:
    number = 0
    while goes_on():
        yield number
        number += 1
