"""Small pictures of the images in the store: WebP, made on several threads, each of them once."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from db.decode import decode_image
from db.errors import ImageFault, StoreAway, StoreRefused
from db.images import ImageMissing, ImageSource

SIDE_PIXELS = 384
"""The longer side of a thumbnail."""

_QUALITY = 80
_METHOD = 2  # of 0 to 6: a thirtieth larger than at 4, in half the time


class PictureFault(StrEnum):
    """Why there is nothing to show."""

    MISSING = "missing"  # the store has no such image
    DAMAGED = "damaged"  # its bytes are not what was stored, or no image


@dataclass(frozen=True)
class Picture:
    """A thumbnail: its size in pixels and, where the page is to hold it, its content as a data: URI."""

    width: int = 0
    height: int = 0
    fault: PictureFault | None = None
    uri: str | None = None


def make_thumbnails(digests: Iterable[str], images: ImageSource, folder: Path) -> dict[str, Picture]:
    """Make `<digest>.webp` in the folder for each image, where it is not there yet; return them by their digests."""
    folder.mkdir(parents=True, exist_ok=True)
    return _on_threads(digests, lambda digest: _in_folder(digest, images, folder / f"{digest}.webp"))


def embed_thumbnails(digests: Iterable[str], images: ImageSource, side: int) -> dict[str, Picture]:
    """Return the images by their digests as data: URIs, `side` pixels on the longer side."""
    return _on_threads(digests, lambda digest: _embedded(digest, images, side))


def _on_threads(digests: Iterable[str], make: Callable[[str], Picture]) -> dict[str, Picture]:
    """Pillow decodes and encodes without the interpreter's lock, so threads are enough."""
    wanted = list(dict.fromkeys(digests))
    with ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="thumbnail") as threads:
        return dict(zip(wanted, threads.map(make, wanted), strict=True))


def _in_folder(digest: str, images: ImageSource, path: Path) -> Picture:
    size = _size_of(path)
    if size is None:
        made = _thumbnail(digest, images, SIDE_PIXELS)
        if isinstance(made, PictureFault):
            return Picture(fault=made)
        unfinished = path.with_name(f".{digest}-{os.getpid()}")
        unfinished.write_bytes(made[0])
        unfinished.replace(path)
        size = made[1]
    return Picture(*size)


def _embedded(digest: str, images: ImageSource, side: int) -> Picture:
    made = _thumbnail(digest, images, side)
    if isinstance(made, PictureFault):
        return Picture(fault=made)
    content, size = made
    return Picture(*size, uri=f"data:image/webp;base64,{base64.b64encode(content).decode()}")


def _size_of(path: Path) -> tuple[int, int] | None:
    """Return the size of a thumbnail that is there and is one; only its header is read."""
    try:
        with Image.open(path, formats=("WEBP",)) as thumbnail:
            return thumbnail.size
    except (OSError, UnidentifiedImageError, SyntaxError):
        return None


def _thumbnail(digest: str, images: ImageSource, side: int) -> tuple[bytes, tuple[int, int]] | PictureFault:
    """Return a thumbnail's WebP bytes and size, or why there is none."""
    try:
        image = decode_image(images.get(digest), at_least=side)
    except ImageMissing as error:
        return PictureFault(error.fault)
    except (StoreAway, StoreRefused):
        raise  # a page of nothing but faults would say what is not so
    except (OSError, ImageFault, MemoryError):
        return PictureFault.DAMAGED
    image.thumbnail(
        (side, side), Image.Resampling.BICUBIC, reducing_gap=1.0
    )  # whole factors first: a fifth of the time
    written = io.BytesIO()
    image.save(written, "WEBP", quality=_QUALITY, method=_METHOD)
    return written.getvalue(), image.size
