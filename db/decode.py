"""Untrusted image bytes to an RGB image, within limits that are checked before anything is decoded."""

from __future__ import annotations

import io
import warnings

from PIL import Image, ImageOps, UnidentifiedImageError

from db.errors import ImageFault, first_line, one_line

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")
MAX_BYTES = 100 * 1024**2
MAX_PIXELS = 100_000_000
MAX_SIDE = 32_768
MAX_SCANNED_PIXELS = 100 * MAX_PIXELS
"""Pixels of a JPEG times its scans: each of these may be a hundred bytes long and goes over all of the image."""

_START_OF_SCAN = b"\xff\xda"


def decode_image(content: bytes, *, at_least: int | None = None) -> Image.Image:
    """Return the image as RGB, upright by its EXIF orientation, transparency over white, an animation's first frame.

    Of a JPEG that is only wanted with `at_least` so many pixels on a side, no more is decoded than that takes.
    Raises ImageFault for what is no image of a known format, is truncated, or exceeds MAX_BYTES, MAX_PIXELS, MAX_SIDE
    or MAX_SCANNED_PIXELS.
    """
    if not content:
        raise ImageFault("image is empty")
    if len(content) > MAX_BYTES:
        raise ImageFault(f"image has {len(content):,} bytes; at most {MAX_BYTES:,} are read")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own notices; our limits below decide
            image = Image.open(io.BytesIO(content), formats=FORMATS)
            _check_size(image)
            if image.format in ("JPEG", "MPO") or image.info.get("compression") == "jpeg":
                _check_scans(image, content)
            if at_least:
                image.draft("RGB", (at_least, at_least))
            image.load()
            ImageOps.exif_transpose(image, in_place=True)  # a copy would hold as much memory again
            return to_rgb(image)
    except (ImageFault, MemoryError):
        raise
    except UnidentifiedImageError as error:
        raise ImageFault(f"image is not decodable: none of {', '.join(FORMATS)}") from error
    except Exception as error:  # decoders raise whatever hostile bytes provoke
        raise ImageFault(f"image is not decodable: {one_line(first_line(error), longest=300)}") from error


def _check_size(image: Image.Image) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise ImageFault(
            f"image is {width} x {height}; at most {MAX_PIXELS:,} pixels and {MAX_SIDE:,} on a side are read"
        )


def _check_scans(image: Image.Image, content: bytes) -> None:
    scans = content.count(_START_OF_SCAN)  # a few more than there are, where a preview is embedded
    if scans * image.width * image.height > MAX_SCANNED_PIXELS:
        raise ImageFault(f"image is a JPEG of {image.width} x {image.height} in {scans:,} scans, more than is decoded")


def to_rgb(image: Image.Image) -> Image.Image:
    """Return the image as RGB: 16 bits scaled to 8, transparency over white."""
    if image.mode.startswith("I;16") or image.mode == "I":
        image = image.point(lambda value: value / 256).convert("L")  # convert alone would clip 16 bits at 255
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")  # which would copy it
