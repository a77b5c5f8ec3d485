"""Carries out one simple instruction, in English or in Chinese, with Pillow.

What it knows stands in `_PHRASE_BOOK`, at the end of this module. An instruction is one whole phrase and nothing else:
"Do not make it brighter", "Make the sky brighter" or "Blur it and add a red border" is unknown, never half done. Case,
a leading "please" or "请" and a full stop at the end do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import cast

from PIL import ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps
from PIL.Image import Image, Transpose

from db.options import EditorOptions
from workers.models.errors import InputFault
from workers.models.protocols import EditedImage, Editor, EditRequest


class PillowEditor(Editor):
    """An editor for trials, tests and laptops; it ignores the seed, since an instruction has one result."""

    def __init__(self, options: EditorOptions) -> None:
        self.options = options

    def edit(self, request: EditRequest) -> EditedImage:
        """Return a new RGB image. Raises InputFault for an instruction, or a caption, that it cannot carry out."""
        instruction = " ".join(request.instruction.split())
        for operation, phrase in _PHRASES:
            if found := phrase.fullmatch(instruction):
                return EditedImage(_OPERATIONS[operation](request.only_source(), **found.groupdict()))
        raise InputFault(f"unknown instruction {_shorten(instruction)!r}; known operations: {', '.join(_OPERATIONS)}")


def _shorten(text: str, longest: int = 80) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _sepia(image: Image) -> Image:
    return ImageOps.colorize(ImageOps.grayscale(image), black="#1f140a", mid="#96744c", white="#fff1d6")


def _balance(image: Image, *, red: float, blue: float) -> Image:
    """Multiply the red and the blue channel, as the white balance of a camera does."""
    return image.point([min(255, round(level * gain)) for gain in (red, 1.0, blue) for level in range(256)])


def _blur(image: Image) -> Image:
    return image.filter(ImageFilter.GaussianBlur(max(1.0, min(image.size) / 100)))


def _rotate(image: Image, degrees: str, counter: str | None) -> Image:
    """Rotate clockwise unless `counter`, the word for the other direction, was found."""
    counterclockwise = int(degrees) if counter else 360 - int(degrees)
    return image.transpose(Transpose[f"ROTATE_{counterclockwise}"])


def _crop_to_half(image: Image) -> Image:
    """Keep half the width and half the height."""
    return _crop_to_centre(image, max(1, image.width // 2), max(1, image.height // 2))


def _crop_to_square(image: Image) -> Image:
    return _crop_to_centre(image, min(image.size), min(image.size))


def _crop_to_centre(image: Image, width: int, height: int) -> Image:
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def _border(image: Image, colour: str) -> Image:
    """Draw the border inside the picture, so that its size stays."""
    framed = image.copy()
    ImageDraw.Draw(framed).rectangle(
        (0, 0, image.width - 1, image.height - 1),
        outline=_CHINESE_COLOURS.get(colour, colour.lower()),
        width=max(1, min(image.size) // 20),
    )
    return framed


def _caption(image: Image, quoted: str) -> Image:
    """Write the text in white with a black outline, centred near the lower edge."""
    text = quoted[1:-1].strip()
    if not text:
        raise InputFault("the caption is empty")
    font = _fitting_font(text, image)
    captioned = image.copy()
    ImageDraw.Draw(captioned).text(
        (image.width / 2, image.height * 0.95),
        text,
        font=font,
        anchor="md",
        fill="white",
        stroke_width=max(1, round(font.size / 12)),
        stroke_fill="black",
    )
    return captioned


def _fitting_font(text: str, image: Image) -> ImageFont.FreeTypeFont:
    """Return Pillow's font as large as suits the image. Raises InputFault where a glyph or the room is missing."""
    largest, smallest = max(8, image.height // 8), 8
    font = _font(largest)
    no_glyph = bytes(font.getmask("\uffff"))
    missing = "".join(dict.fromkeys(letter for letter in text if bytes(font.getmask(letter)) == no_glyph))
    if missing:
        raise InputFault(f"caption {_shorten(text)!r} needs glyphs that Pillow's font lacks: {_shorten(missing)!r}")
    size = min(largest, int(largest * 0.9 * image.width / max(1.0, font.getlength(text))))
    if size < smallest:
        raise InputFault(f"caption {_shorten(text)!r} is too long for an image {image.width} px wide")
    return _font(size)


def _font(size: int) -> ImageFont.FreeTypeFont:
    # Only without a size may load_default fall back to its bitmap font.
    return cast(ImageFont.FreeTypeFont, ImageFont.load_default(size))


_OPERATIONS: dict[str, Callable[..., Image]] = {
    "grayscale": lambda image: ImageOps.grayscale(image).convert("RGB"),
    "sepia": _sepia,
    "invert": ImageOps.invert,
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.35),
    "darker": lambda image: ImageEnhance.Brightness(image).enhance(0.65),
    "more contrast": lambda image: ImageEnhance.Contrast(image).enhance(1.5),
    "warmer": lambda image: _balance(image, red=1.18, blue=0.8),
    "cooler": lambda image: _balance(image, red=0.8, blue=1.18),
    "blur": _blur,
    "sharpen": lambda image: image.filter(ImageFilter.UnsharpMask(radius=2, percent=150, threshold=0)),
    "mirror": ImageOps.mirror,
    "flip": ImageOps.flip,
    "rotate": _rotate,
    "crop to half": _crop_to_half,
    "crop to square": _crop_to_square,
    "posterize": lambda image: ImageOps.posterize(image, bits=2),
    "caption": _caption,
    "border": _border,
}

# One phrase a line, beside or below the operation it asks for. (a|b) is a choice, [a|b] may be left out, {word} is an
# entry of _WORDS or _SLOTS. A rotation is clockwise where no direction is said.
_PHRASE_BOOK = """
grayscale       {make} (grayscale|greyscale|monochrome|black and white|black-and-white)[ {image}]
                desaturate {image}
                {把}{变}(黑白|灰度)[图|图片|图像|照片]
sepia           {make} sepia
                (add|apply) a sepia (tone|filter|effect){to}
                {把}{变}(怀旧|复古|棕褐)[色|色调|风格]
invert          invert ({image}|{colors})
                {make} negative
                反转{图}[颜色|色彩]
                {把}[颜色]{做}(反色|反转|反相)
brighter        {make} (brighter|lighter)
                brighten {image}
                (increase|raise) [the ]brightness{of}
                {把}{变}[明]亮{一点}
                (提高|增加|增强){图}亮度
darker          {make} darker
                darken {image}
                (decrease|reduce|lower) [the ]brightness{of}
                {把}{变}[昏]暗{一点}
                (降低|减少|减弱){图}亮度
more contrast   (increase|raise|boost) [the ]contrast{of}
                (add|give {image}) more contrast
                (提高|增加|增强){图}对比度
warmer          make ({image}|{colors})[ look][ a bit| a little] warmer
                {把}[颜色|色调]{变}(暖|温暖|暖色|暖色调){一点}
cooler          make ({image}|{colors})[ look][ a bit| a little] (cooler|colder)
                {把}[颜色|色调]{变}(冷|寒冷|冷色|冷色调){一点}
blur            blur {image}
                {make} (blurry|blurrier)
                (add|apply) [a ][Gaussian ]blur{to}
                模糊{图}
                {把}{变}模糊{一点}
sharpen         sharpen {image}
                {make} sharper
                锐化{图}
                {把}{做}锐化
                {把}{变}(清晰|锐利){一点}
mirror          mirror {image}[ horizontally]
                flip {image} (horizontally|left to right)
                (水平|左右)翻转{图}
                {把}{做}(水平|左右)翻转
flip            flip {image} vertically
                (垂直|上下)翻转{图}
                {把}{做}(垂直|上下)翻转
rotate          (rotate|turn) {image}[ by] {degrees}( degrees|°)[ clockwise| to the right| {counter}]
                {把}[顺时针|向右|{counter}]旋转{图}[ ]{degrees}[ ](度|°)
crop to half    crop {image} to (the|its) (central|middle) half
                {把}裁剪(到|成|为)(中间|中央)[的]一半
crop to square  crop {image} to a square
                {把}裁剪(到|成|为)正方形
posterize       posterize {image}
                {把}{做}(色调分离|海报化)
caption         (add|write) [the ][caption |text |word |words |title ]{quoted}{to}
                add a (caption|title) (saying|that says) {quoted}{to}
                {加}[文字|标题|字幕][:|：][ ]{quoted}
border          (add|put|draw) (a|an) {colour} (border|frame){to}
                give {image} (a|an) {colour} (border|frame)
                {加}{colour}[色][的]边框
"""

_WORDS = {
    "image": "([the |this |my ][whole |entire ](image|picture|photo|photograph|scene)|it)",
    "colors": "the (colors|colours)[ of {image}]",
    "make": "(make|turn|convert|change) {image}[ look][ to| into][ a| an| a bit| a little]",
    "of": "[ (of|in) {image}]",
    "to": "[ (to|on|around) {image}]",
    "图": "[[这|整][张|幅|个](图片|图像|照片|画面|图)[的]]",
    "把": "[把|将|让|使|给|对]{图}",
    "变": "((变|转|改|调|变换|转换|调整)[成|为|得][更|更加]|更|更加)",
    "一点": "[一点|一些]",
    "做": "[做|进行]",
    "加": "[(给|为|在){图}[上|里|周围|四周]](添加|增加|加|加上|写|写上)[一个|一行]",
}

_COLOURS = "红red 橙orange 金gold 黄yellow 绿green 青cyan 蓝blue 紫purple 粉pink 棕brown 黑black 灰gray 白white"
_CHINESE_COLOURS = {pair[0]: pair[1:] for pair in _COLOURS.split()}

# What a phrase hands to its operation: regular expressions, each with a name.
_SLOTS = {
    "degrees": "(?P<degrees>90|180|270)",
    "counter": "(?P<counter>counter[- ]?clockwise|anti-?clockwise|to the left|逆时针|向左)",
    "quoted": """(?P<quoted>"[^"]+"|“[^“”]+”|'[^']+'|‘[^‘’]+’|「[^「」]+」)""",
    "colour": f"(?P<colour>grey|{'|'.join([*_CHINESE_COLOURS, *_CHINESE_COLOURS.values()])})",
}


def _regex(notation: str) -> str:
    plain = notation.replace("(", "(?:").replace("[", "(?:").replace("]", ")?")
    return re.sub(r"{(\w+)}", lambda word: _SLOTS.get(word[1]) or _regex(_WORDS[word[1]]), plain)


def _read_phrase_book() -> Iterator[tuple[str, re.Pattern[str]]]:
    operation = ""
    for line in _PHRASE_BOOK.strip().splitlines():
        operation = line[:16].strip() or operation
        phrase = f"{_regex('[please |please, |请|请帮我]')}{_regex(line[16:])}[ .!。！]*"
        yield operation, re.compile(phrase, re.IGNORECASE)


_PHRASES = tuple(_read_phrase_book())
