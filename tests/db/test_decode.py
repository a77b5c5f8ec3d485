"""Untrusted bytes: every kind of image comes out as upright RGB, and everything else as one clear fault."""

from __future__ import annotations

import contextlib
import io
import struct
import time
import zlib
from typing import Any

import pytest
from PIL import Image

from db import decode
from db.decode import MAX_PIXELS, MAX_SIDE, decode_image
from db.errors import ImageFault
from tests.factories import png

EXIF_ORIENTATION = 0x0112
RED, WHITE, BLACK = (255, 0, 0), (255, 255, 255), (0, 0, 0)


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png_header(width: int, height: int) -> bytes:
    """Return a PNG that claims this size and holds next to nothing."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(b"\0" * 10))]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in [*chunks, (b"IEND", b"")]
    )


# -- what is decoded ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF"])
def test_every_format_is_decoded_to_rgb(kind: str) -> None:
    image = decode_image(encoded(Image.new("RGB", (5, 3), "red"), kind))
    assert (image.mode, image.size) == ("RGB", (5, 3))
    red, green, blue = image.getpixel((2, 1))
    assert (red > 240, green < 15, blue < 15) == (True, True, True)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_an_image_is_turned_upright_by_its_exif_orientation(kind: str) -> None:
    left_half_red = Image.new("RGB", (32, 16), "white")
    left_half_red.paste("red", (0, 0, 16, 16))
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = 6  # turn clockwise by 90 degrees to see it upright
    image = decode_image(encoded(left_half_red, kind, exif=exif))
    assert image.size == (16, 32)
    assert image.getpixel((8, 4))[1] < 30 < 225 < image.getpixel((8, 28))[1]  # red above, white below


@pytest.mark.parametrize(
    ("image", "options", "pixel"),
    [
        pytest.param(Image.new("RGBA", (2, 2), (255, 0, 0, 0)), {}, WHITE, id="RGBA, transparent"),
        pytest.param(Image.new("RGBA", (2, 2), (0, 0, 0, 128)), {}, (127, 127, 127), id="RGBA, half transparent"),
        pytest.param(Image.new("LA", (2, 2), (0, 0)), {}, WHITE, id="LA, transparent"),
        pytest.param(Image.new("P", (2, 2), 0), {"transparency": 0}, WHITE, id="P, transparent"),
        pytest.param(Image.new("RGB", (2, 2), RED), {"transparency": RED}, WHITE, id="RGB with a transparent colour"),
        pytest.param(Image.new("L", (2, 2), 99), {}, (99, 99, 99), id="L"),
        pytest.param(Image.new("1", (2, 2), 1), {}, WHITE, id="1"),
    ],
)
def test_transparency_lies_over_white_and_grey_stays_grey(
    image: Image.Image, options: dict[str, Any], pixel: tuple[int, int, int]
) -> None:
    decoded = decode_image(encoded(image, **options))
    assert (decoded.mode, decoded.getpixel((0, 0))) == ("RGB", pixel)


def test_a_palette_is_looked_up() -> None:
    image = Image.new("P", (2, 2), 1)
    image.putpalette([0, 0, 0, 255, 0, 0])
    assert decode_image(encoded(image)).getpixel((0, 0)) == RED


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_to_eight_not_clipped(kind: str) -> None:
    image = Image.new("I;16", (3, 1))
    for place, value in enumerate((0, 32768, 65535)):
        image.putpixel((place, 0), value)
    decoded = decode_image(encoded(image, kind))
    assert [decoded.getpixel((place, 0)) for place in range(3)] == [BLACK, (128, 128, 128), WHITE]


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_is_converted(kind: str) -> None:
    red, green, blue = decode_image(encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), kind)).getpixel((4, 4))
    assert (red > 240, green < 15, blue < 15) == (True, True, True)


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_of_an_animation_the_first_frame_is_taken(kind: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    content = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    red, green, blue = decode_image(content).getpixel((4, 4))
    assert (red > 240, green < 15, blue < 15) == (True, True, True)


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "image is empty", id="empty"),
        pytest.param(b"hello", "image is not decodable: none of PNG, JPEG", id="text"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image is not decodable: none of", id="SVG"),
        pytest.param(encoded(Image.new("RGB", (8, 8)), "ICO"), "image is not decodable: none of", id="ICO"),
        pytest.param(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "image is not decodable", id="EPS"),
        pytest.param(png()[:8], "image is not decodable", id="nothing but a PNG's signature"),
        pytest.param(png(64, 64)[:-40], "image is not decodable", id="truncated PNG"),
        pytest.param(encoded(Image.new("RGB", (64, 64)), "JPEG")[:-99], "image is not decodable", id="truncated JPEG"),
    ],
)
def test_what_is_no_whole_image_is_one_clear_fault(content: bytes, reason: str) -> None:
    with pytest.raises(ImageFault, match=f"^{reason}") as fault:
        decode_image(content)
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize(
    ("width", "height"),
    [
        pytest.param(12_000, 12_000, id="a little too many pixels"),
        pytest.param(60_000, 60_000, id="far too many pixels"),
        pytest.param(2**31 - 1, 2**31 - 1, id="as many as a header can say"),
        pytest.param(MAX_SIDE + 1, 1, id="too wide"),
        pytest.param(1, MAX_SIDE + 1, id="too high"),
    ],
)
def test_a_decompression_bomb_is_refused_before_it_is_decoded(
    width: int, height: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = []
    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", lambda image: loaded.append(image.size))
    started = time.perf_counter()
    with pytest.raises(ImageFault, match=r"^image is"):
        decode_image(png_header(width, height))
    assert loaded == []
    assert time.perf_counter() - started < 1


def test_the_fault_of_an_image_that_is_too_large_names_its_size_and_the_limit() -> None:
    with pytest.raises(ImageFault, match=f"^image is 12000 x 12000; at most {MAX_PIXELS:,} pixels and {MAX_SIDE:,}"):
        decode_image(png_header(12_000, 12_000))


def test_a_jpeg_of_more_scans_than_its_size_allows_is_refused_before_it_is_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = encoded(Image.linear_gradient("L"), "JPEG", progressive=True)
    scans = content.count(b"\xff\xda")
    monkeypatch.setattr(decode, "MAX_SCANNED_PIXELS", 256 * 256 * scans)
    assert decode_image(content).size == (256, 256)
    monkeypatch.setattr(decode, "MAX_SCANNED_PIXELS", 256 * 256 * scans - 1)
    with pytest.raises(ImageFault, match=f"^image is a JPEG of 256 x 256 in {scans} scans, more than is decoded"):
        decode_image(content)


def test_what_a_decoder_says_of_hostile_bytes_is_repeated_in_one_short_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def complain(*_: object) -> None:
        raise ValueError("bad \x1b[2J" + "x" * 10_000 + "\nmore")

    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", complain)
    with pytest.raises(ImageFault, match=r"^image is not decodable: bad \\x1b\[2Jxxx") as fault:
        decode_image(png())
    assert len(str(fault.value)) < 400


def test_an_image_of_the_greatest_side_is_read() -> None:
    assert decode_image(encoded(Image.new("1", (MAX_SIDE, 2)))).size == (MAX_SIDE, 2)


def test_too_many_bytes_are_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "MAX_BYTES", 100)
    with pytest.raises(ImageFault, match=r"^image has 101 bytes; at most 100 are read"):
        decode_image(b"x" * 101)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "TIFF", "WEBP"])
def test_a_flipped_byte_is_an_image_or_a_fault_and_nothing_else(kind: str) -> None:
    content = encoded(Image.linear_gradient("L").resize((8, 8)).convert("RGB"), kind)
    for place in range(len(content)):
        flipped = content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]
        with contextlib.suppress(ImageFault):
            assert decode_image(flipped).mode == "RGB"
