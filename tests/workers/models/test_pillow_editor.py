from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from db.options import EditorOptions
from workers.models.errors import InputFault
from workers.models.pillow_editor import PillowEditor
from workers.models.protocols import EditRequest

Pixels = NDArray[Any]

NOISE = np.random.default_rng(7).integers(60, 190, (40, 60, 3), dtype=np.uint8)

TWINS = {
    "Convert the image to grayscale.": "把图片变成黑白",
    "Turn the photo sepia.": "把照片变成怀旧色调",
    "Invert the colors of the image.": "反转图片的颜色",
    "Make the picture brighter.": "让画面更亮",
    "Make the picture a bit darker.": "把图片调暗一点",
    "Increase the contrast.": "提高图片的对比度",
    "Make the colors warmer.": "让画面更暖",
    "Make the picture cooler.": "让画面的色调更冷",
    "Blur the image.": "模糊图片",
    "Sharpen the image.": "对图片进行锐化",
    "Mirror the image.": "水平翻转图片",
    "Flip the image vertically.": "上下翻转图片",
    "Rotate the image 90 degrees clockwise.": "把图片顺时针旋转90度",
    "Rotate the image by 90 degrees counter-clockwise.": "把图片逆时针旋转 90 度",
    "Rotate the image 180 degrees.": "把图片旋转180度",
    "Rotate the image 270 degrees clockwise.": "把图片向右旋转270°",
    "Crop the image to the central half.": "把图片裁剪到中间一半",
    "Crop the image to a square.": "把图片裁剪成正方形",
    "Posterize the image.": "对图片进行色调分离",
    'Add the caption "HELLO".': "添加文字“HELLO”",
    "Add a red border.": "添加红色边框",
    "Add a blue border.": "给图片加一个蓝色的边框",
}


def edit(instruction: str, source: Image.Image | None = None) -> Image.Image:
    request = EditRequest("sample", instruction, source or Image.fromarray(NOISE), seed=0)
    return PillowEditor(EditorOptions()).edit(request).image


def edited_pixels(instruction: str, pixels: Pixels = NOISE) -> NDArray[np.int64]:
    return np.asarray(edit(instruction, Image.fromarray(pixels))).astype(np.int64)


def flat(red: int, green: int, blue: int) -> Pixels:
    return np.full((40, 60, 3), (red, green, blue), dtype=np.uint8)


def step() -> Pixels:
    """Dark on the left, light on the right."""
    return np.where(np.arange(60)[None, :, None] < 30, np.uint8(80), np.uint8(160)) * np.ones((40, 1, 3), np.uint8)


@pytest.mark.parametrize(
    ("instruction", "rearrange"),
    [
        ("Mirror the image.", lambda pixels: pixels[:, ::-1]),
        ("Flip the image vertically.", lambda pixels: pixels[::-1]),
        ("Rotate the image 90 degrees clockwise.", lambda pixels: np.rot90(pixels, -1)),
        ("Rotate the image 90 degrees.", lambda pixels: np.rot90(pixels, -1)),
        ("Rotate the image 90 degrees counterclockwise.", lambda pixels: np.rot90(pixels)),
        ("Rotate the image 180 degrees.", lambda pixels: np.rot90(pixels, 2)),
        ("Rotate the image 270 degrees anticlockwise.", lambda pixels: np.rot90(pixels, -1)),
        ("Crop the image to the central half.", lambda pixels: pixels[10:30, 15:45]),
        ("Crop the image to a square.", lambda pixels: pixels[:, 10:50]),
        ("Invert the image.", lambda pixels: 255 - pixels),
    ],
)
def test_a_rearranging_edit_moves_every_pixel_where_numpy_does(
    instruction: str, rearrange: Callable[[Pixels], Pixels]
) -> None:
    assert np.array_equal(edited_pixels(instruction), rearrange(NOISE))


def test_grayscale_leaves_three_equal_channels_that_follow_the_luma() -> None:
    gray = edited_pixels("Make it grayscale")
    assert (gray == gray[:, :, :1]).all()
    assert np.abs(gray[:, :, 0] - NOISE @ [0.299, 0.587, 0.114]).max() <= 1


def test_sepia_is_brown_and_keeps_the_order_of_lightness() -> None:
    dark, middle, light = (edited_pixels("Make it sepia", flat(level, level, level))[0, 0] for level in (40, 128, 220))
    assert (dark < middle).all() and (middle < light).all()
    assert middle[0] > middle[1] > middle[2]


def test_brighter_raises_and_darker_lowers_every_channel() -> None:
    assert (edited_pixels("Make the picture brighter") > NOISE).all()
    assert (edited_pixels("Make the picture darker") < NOISE).all()


def test_more_contrast_pulls_both_halves_of_a_step_apart() -> None:
    contrasted = edited_pixels("Increase the contrast", step())
    assert (contrasted[:, :30] < 80).all() and (contrasted[:, 30:] > 160).all()


def test_warmer_adds_red_and_takes_blue_and_cooler_does_the_reverse() -> None:
    warmer = edited_pixels("Make it warmer", flat(120, 120, 120))[0, 0]
    cooler = edited_pixels("Make it cooler", flat(120, 120, 120))[0, 0]
    assert warmer[0] > 120 > warmer[2] and warmer[1] == 120
    assert cooler[0] < 120 < cooler[2] and cooler[1] == 120


def test_blur_softens_a_step_and_sharpen_overshoots_only_beside_it() -> None:
    blurred, sharpened = edited_pixels("Blur the image", step()), edited_pixels("Sharpen the image", step())
    assert 80 < blurred[20, 29, 0] < blurred[20, 30, 0] < 160
    assert sharpened[20, 29, 0] < 80 and sharpened[20, 30, 0] > 160
    assert sharpened[20, 0, 0] == 80 and sharpened[20, 59, 0] == 160


def test_posterize_leaves_at_most_four_levels_a_channel() -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    assert len(np.unique(edited_pixels("Posterize the image", ramp))) == 4


@pytest.mark.parametrize(("colour", "rgb"), [("red", (255, 0, 0)), ("Grey", (128, 128, 128)), ("gold", (255, 215, 0))])
def test_a_border_covers_the_edge_in_its_colour_and_nothing_else(colour: str, rgb: tuple[int, int, int]) -> None:
    bordered = edited_pixels(f"Add a {colour} border")
    assert (bordered[[0, 0, -1, -1], [0, -1, 0, -1]] == rgb).all()
    assert (bordered[:, 1] == rgb).all() and (bordered[1] == rgb).all()
    assert np.array_equal(bordered[2:-2, 2:-2], NOISE[2:-2, 2:-2])


def test_a_caption_changes_only_the_lower_part_and_is_white_with_a_black_outline() -> None:
    captioned = edited_pixels('Add the caption "HELLO"', np.full((120, 300, 3), 128, np.uint8))
    rows = np.flatnonzero((captioned != 128).any(axis=(1, 2)))
    assert rows.min() > 60 and rows.max() < 119
    assert captioned.max() == 255 and captioned.min() == 0


def test_a_caption_keeps_its_case() -> None:
    assert edit('Add the caption "Hello"').tobytes() != edit('Add the caption "HELLO"').tobytes()


def test_a_long_caption_is_set_smaller_until_it_fits_the_width() -> None:
    captioned = edited_pixels(f'Add the caption "{"A" * 20}"', np.full((200, 200, 3), 128, np.uint8))
    columns = np.flatnonzero((captioned != 128).any(axis=(0, 2)))
    assert 140 < columns.max() - columns.min() < 198


@pytest.mark.parametrize(
    ("instruction", "reason"),
    [
        ("添加文字“你好”", "glyphs that Pillow's font lacks: '你好'"),
        ('Add the caption "été — 5€"', "glyphs that Pillow's font lacks: 'é—€'"),
        (f'Add the caption "{"long " * 30}"', "too long for an image 60 px wide"),
        ('Add the caption " "', "the caption is empty"),
    ],
)
def test_a_caption_that_cannot_be_drawn_is_refused_with_the_reason(instruction: str, reason: str) -> None:
    with pytest.raises(InputFault, match=reason):
        edit(instruction)


@pytest.mark.parametrize(("english", "chinese"), TWINS.items())
def test_the_chinese_phrase_does_what_its_english_twin_does(english: str, chinese: str) -> None:
    in_english, in_chinese = edit(english), edit(chinese)
    assert in_english.size == in_chinese.size
    assert in_english.tobytes() == in_chinese.tobytes()


def test_two_different_instructions_never_give_the_same_image() -> None:
    results = {edit(english).tobytes() for english in TWINS}
    # Mirrored, rotated by 90 and by 270 degrees are three images, but 90 degrees left is 270 degrees right.
    assert len(results) == len(TWINS) - 1


@pytest.mark.parametrize(
    ("variant", "plain"),
    [
        ("Turn the photo black and white", "Convert the image to grayscale"),
        ("turn this picture into a black-and-white photo", "Convert the image to grayscale"),
        ("将图像转换为灰度图", "Convert the image to grayscale"),
        ("Apply a sepia filter to the photo", "Turn the photo sepia"),
        ("Increase the brightness of the picture", "Make the picture brighter"),
        ("把画面变得更明亮一些", "Make the picture brighter"),
        ("Make the colours of the scene a little warmer", "Make it warmer"),
        ("把图片调成暖色调", "Make it warmer"),
        ("Give it more contrast", "Increase the contrast"),
        ("Flip the photo horizontally", "Mirror the image"),
        ("将照片左右翻转", "Mirror the image"),
        ("Rotate it 90° to the left", "Rotate the image 270 degrees clockwise"),
        ("在图片上写：「HI」", 'Add the text "HI"'),
        ("Write 'HI' on the picture", 'Add the text "HI"'),
        ("Put a red frame around the image", "Add a red border"),
        ("  Please,  MAKE the\npicture   brighter!! ", "Make the picture brighter"),
        ("请帮我把图片变成黑白。", "Convert the image to grayscale"),
    ],
)
def test_a_natural_variant_does_what_the_plain_phrase_does(variant: str, plain: str) -> None:
    assert edit(variant).tobytes() == edit(plain).tobytes()


@pytest.mark.parametrize(
    "instruction",
    [
        "",
        "Do not make it brighter",
        "不要让画面更亮",
        "Make the sky brighter",
        "Make it much brighter",
        "Blur the image and add a red border",
        "把图片变成黑白，然后模糊",
        'Add the caption "A" and "B"',
        "Rotate the image 45 degrees",
        "Flip the image",
        "Add a border",
        "Show the glass after it has fallen to the floor",
    ],
)
def test_an_instruction_is_carried_out_whole_or_not_at_all(instruction: str) -> None:
    with pytest.raises(InputFault, match="unknown instruction"):
        edit(instruction)


def test_the_reason_names_the_instruction_and_the_known_operations_on_one_line() -> None:
    with pytest.raises(InputFault) as caught:
        edit("Make it\nfly")
    reason = str(caught.value)
    assert reason.startswith("unknown instruction 'Make it fly'; known operations: grayscale, sepia, ")
    assert reason.endswith("caption, border")
    assert "\n" not in reason


def test_a_long_instruction_is_cut_in_the_reason() -> None:
    with pytest.raises(InputFault, match=f"'{'飞' * 79}…'"):
        edit("飞" * 5000)


@pytest.mark.parametrize("instruction", [english for english in TWINS if "caption" not in english])
def test_the_smallest_image_can_be_edited(instruction: str) -> None:
    result = edit(instruction, Image.new("RGB", (1, 1), "teal"))
    assert (result.mode, result.size) == ("RGB", (1, 1))


@pytest.mark.parametrize("instruction", TWINS)
def test_an_edit_leaves_its_source_alone_and_returns_rgb(instruction: str) -> None:
    source = Image.fromarray(NOISE)
    assert edit(instruction, source).mode == "RGB"
    assert np.array_equal(np.asarray(source), NOISE)
