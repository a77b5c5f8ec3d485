"""Images that are made to break a decoder: by name, small, and each either refused or decoded within bounds."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any

from PIL import Image

_RGB, _GREY = 2, 0


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """Return the image's bytes in this format."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@cache
def zeros(count: int) -> bytes:
    """Return so many zero bytes, deflated to a thousandth."""
    deflate = zlib.compressobj(9)
    blocks = [deflate.compress(bytes(min(1 << 20, count - start))) for start in range(0, count, 1 << 20)]
    return b"".join(blocks) + deflate.flush()


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_of(width: int, height: int, deflated: bytes, *, kind: int = _RGB, before: bytes = b"") -> bytes:
    """Return a PNG whose header claims this size, 8 bits deep; `before` stands in front of the pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    chunks = png_chunk(b"IHDR", header) + before + png_chunk(b"IDAT", deflated) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def bmp_of(width: int, height: int, pixels: bytes = b"", *, run_length: bool = False) -> bytes:
    """Return a BMP of 8 bits whose header claims this size."""
    start = 14 + 40 + 1024
    sizes = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, int(run_length), len(pixels), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + sizes + bytes(1024) + pixels


def gif_of(screen: tuple[int, int], frame: tuple[int, int, int, int] | None) -> bytes:
    """Return a GIF of this screen; `frame` is left, top, width and height of its one frame of one pixel."""
    body = b"" if frame is None else b"," + struct.pack("<HHHH", *frame) + b"\0\x02\x02\x4c\x01\0"
    return b"GIF89a" + struct.pack("<HH", *screen) + b"\x80\0\0" + bytes(6) + body + b";"


def tiff_of(deflated: bytes = b"", **tags: tuple[int, int, int]) -> bytes:
    """Return a TIFF of 8 x 8 grey pixels; `tags` replace its entries, each a type, a count and a value or offset."""
    entries = {
        256: (4, 1, 8),  # width
        257: (4, 1, 8),  # height
        258: (3, 1, 8),  # bits
        259: (3, 1, 8 if deflated else 1),  # compression
        262: (3, 1, 1),  # zero is black
        273: (4, 1, 8 + 2 + 10 * 12 + 4),  # where its one strip lies
        277: (3, 1, 1),  # samples per pixel
        278: (4, 1, 8),  # rows per strip
        279: (4, 1, len(deflated) or 64),  # bytes of the strip
        **{int(tag.removeprefix("tag")): entry for tag, entry in tags.items()},
    }
    directory = b"".join(struct.pack("<HHII", tag, *entry) for tag, entry in sorted(entries.items()))
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + directory + bytes(4 + 12 * (10 - len(entries))) + deflated


def webp_canvas(width: int, height: int) -> bytes:
    """Return an animated WebP that claims a canvas of this size, with one frame of 8 x 8 pixels."""
    picture = encoded(Image.new("RGB", (8, 8)), "WEBP", lossless=True)[12:]
    frame = bytes(6) + b"\x07\0\0\x07\0\0\x64\0\0\0" + picture
    size = b"\x02\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    chunks = [(b"VP8X", size), (b"ANIM", bytes(6)), (b"ANMF", frame)]
    body = b"WEBP" + b"".join(name + struct.pack("<I", len(content)) + content for name, content in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def jpeg_of_scans(count: int, side: int) -> bytes:
    """Return a progressive JPEG whose last scan is repeated so often; each costs a pass over all pixels."""
    content = encoded(Image.new("L", (side, side)), "JPEG", progressive=True)
    end = content.rindex(b"\xff\xd9")
    scan = content[content.rindex(b"\xff\xc4", 0, content.rindex(b"\xff\xda")) : end]
    return content[:end] + scan * count + content[end:]


def animated(kind: str) -> bytes:
    """Return red, green and blue, one after the other."""
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:])


def truncated(kind: str) -> bytes:
    """Return the first half of an image that does not compress well."""
    image = Image.linear_gradient("L").resize((64, 64)).convert("RGB")
    content = encoded(image, kind)
    return content[: len(content) // 2]


def _in_palette(index: int) -> Image.Image:
    image = Image.new("P", (8, 8), index)
    image.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255])
    return image


def _exif(content: bytes) -> bytes:
    return encoded(Image.new("RGB", (8, 8), "red"), "JPEG", exif=b"Exif\0\0" + content)


_TEXT = b"x\0\0"
_BOMB = 200_000_000
_RED_DOT = encoded(Image.new("RGB", (8, 8), "red"))

REFUSED: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "SVG": lambda: b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
    "SVG behind an XML declaration": lambda: b"<?xml version='1.0'?><!DOCTYPE svg [<!ENTITY a 'b'>]><svg>&a;</svg>",
    "PDF": lambda: b"%PDF-1.7\n1 0 obj\n",
    "EPS": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "PNG of more pixels than are read": lambda: png_of(12_000, 12_000, zeros(_BOMB)),
    "PNG of as many pixels as a header can say": lambda: png_of(2**31 - 1, 2**31 - 1, zeros(1000)),
    "PNG strip of 65,535": lambda: png_of(65_535, 1, zeros(65_535 * 3 + 1)),
    "PNG with a header larger than its pixels": lambda: png_of(10_000, 10_000, zeros(1000)),
    "PNG of no width": lambda: png_of(0, 8, zeros(8)),
    "PNG with a profile of 200 MB": lambda: png_of(8, 8, zeros(200), before=png_chunk(b"iCCP", _TEXT + zeros(_BOMB))),
    "PNG with a text of 200 MB": lambda: png_of(8, 8, zeros(200), before=png_chunk(b"zTXt", _TEXT + zeros(_BOMB))),
    "PNG with an international text of 200 MB": lambda: png_of(
        8, 8, zeros(200), before=png_chunk(b"iTXt", b"x\0\1\0\0\0" + zeros(_BOMB))
    ),
    "PNG with a thousand texts of a megabyte": lambda: png_of(
        8, 8, zeros(200), before=png_chunk(b"zTXt", _TEXT + zeros(1 << 20)) * 1000
    ),
    "PNG with a chunk longer than the file": lambda: _RED_DOT[:33] + b"\x7f\xff\xff\xffzTXt" + _RED_DOT[33:],
    "JPEG of a million scans": lambda: jpeg_of_scans(10_000, 2000),
    "JPEG strip of 65,500": lambda: encoded(Image.new("L", (65_500, 1)), "JPEG"),
    "WebP canvas of 16,383": lambda: webp_canvas(16_383, 16_383),
    "WebP canvas of as much as a header can say": lambda: webp_canvas(1 << 24, 1 << 24),
    "BMP of negative width": lambda: bmp_of(-8, 8, bytes(64)),
    "BMP of negative height, as much as can be": lambda: bmp_of(8, -(2**31)),
    "BMP of as many pixels as a header can say": lambda: bmp_of(2**31 - 1, 2**31 - 1),
    "BMP of no size": lambda: bmp_of(0, 0),
    "BMP in runs that end too soon": lambda: bmp_of(10_000, 10_000, b"\xff\x01" * 1000, run_length=True),
    "GIF of no frames": lambda: gif_of((8, 8), None),
    "GIF with a screen of 65,535": lambda: gif_of((65_535, 65_535), (0, 0, 1, 1)),
    "GIF with a frame larger than its screen": lambda: gif_of((1, 1), (0, 0, 60_000, 60_000)),
    "GIF with a frame far beside its screen": lambda: gif_of((1, 1), (60_000, 60_000, 1, 1)),
    "TIFF with a strip beyond its end": lambda: tiff_of(tag273=(4, 1, 2_000_000_000)),
    "TIFF with four billion strips": lambda: tiff_of(tag273=(4, 2**32 - 1, 8)),
    "TIFF with a text of two gigabytes": lambda: tiff_of(tag270=(2, 2**31, 8)),
    "TIFF with 65,535 tags": lambda: b"II*\0" + struct.pack("<IH", 8, 65_535) + bytes(100),
    "TIFF with more rows than it has": lambda: tiff_of(
        zeros(10_000), tag256=(4, 1, 10_000), tag257=(4, 1, 10_000), tag278=(4, 1, 2**31)
    ),
    "TIFF of more pixels than are read": lambda: tiff_of(zeros(10_000), tag256=(4, 1, 1_000_000), tag257=(4, 1, 10**6)),
    **{
        f"truncated {kind}": lambda kind=kind: truncated(kind) for kind in ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")
    },
}
"""What no decoder should be given more than a moment and a few megabytes for."""

ODD: dict[str, tuple[Callable[[], bytes], tuple[int, int, int]]] = {
    "PNG with more pixels than its header says": (lambda: png_of(8, 8, zeros(_BOMB)), (0, 0, 0)),
    "PNG with a ZIP behind it": (lambda: _RED_DOT + b"PK\x05\x06" + bytes(18), (255, 0, 0)),
    "PNG with a script behind it": (lambda: _RED_DOT + b"<script>alert(1)</script>", (255, 0, 0)),
    "animated GIF": (lambda: animated("GIF"), (254, 0, 0)),
    "animated PNG": (lambda: animated("PNG"), (255, 0, 0)),
    "animated WebP": (lambda: animated("WEBP"), (255, 0, 0)),
    "CMYK JPEG": (lambda: encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG"), (254, 0, 0)),
    "16 bits of grey": (lambda: encoded(Image.new("I;16", (8, 8), 32_768)), (128, 128, 128)),
    "one bit": (lambda: encoded(Image.new("1", (8, 8), 1)), (255, 255, 255)),
    "palette with a transparent colour": (
        lambda: encoded(_in_palette(3), transparency=3),
        (255, 255, 255),
    ),
    "palette with half transparent colours": (
        lambda: encoded(_in_palette(0), transparency=b"\x80" * 4),
        (127, 127, 127),
    ),
    "BMP stood on its head": (lambda: bmp_of(8, -8, bytes(64)), (0, 0, 0)),
    "BMP in runs that skip": (lambda: bmp_of(8, 8, b"\0\2\xff\xff", run_length=True), (0, 0, 0)),
    "orientation that is no number": (
        lambda: _exif(b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x02\x7f\xff\xff\xff\0\0\0\x08"),
        (254, 0, 0),
    ),
    "EXIF of nonsense": (lambda: _exif(b"\xff" * 1000), (254, 0, 0)),
    "JPEG of many scans": (lambda: jpeg_of_scans(1000, 64), (0, 0, 0)),
}
"""What is odd and an image all the same, with the colour that its first pixel has."""
