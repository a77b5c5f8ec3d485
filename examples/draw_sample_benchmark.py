"""Draws the sample benchmark: twenty small scenes, an instruction for each, and what the edit should look like.

Run as `python examples/draw_sample_benchmark.py [OUT]`; without OUT it writes `benchmark.json` beside this script. The
scenes, and how they are written, are in `sample_scenes.txt`. A reference is drawn anew or made by other means, never
with the editor that a run rates. Nineteen instructions are simple enough for the editor `pillow`; "Show the glass after
it has fallen to the floor" is there to fail.
"""

from __future__ import annotations

import base64
import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw, ImageFilter, ImageFont

WIDTH, HEIGHT = 384, 256
SUPERSAMPLING = 3

Rgb: TypeAlias = NDArray[np.float64]
Tint: TypeAlias = Callable[[Rgb], Rgb]

SCENE_BOOK = Path(__file__).with_name("sample_scenes.txt")


class Scene(NamedTuple):
    """One entry of the scene book; the instruction is empty where a scene only serves others."""

    description: str
    instruction: str
    strokes: list[list[str]]


def read_scenes() -> dict[str, Scene]:
    """Return the scenes of SCENE_BOOK by name."""
    scenes = {}
    _, _, book = SCENE_BOOK.read_text(encoding="utf-8").partition("\n\n")  # behind what is said of its form
    for entry in re.split(r"\n(?=\S)", book.strip()):
        header, *lines = entry.splitlines()
        name, texts = header.split(": ", maxsplit=1)
        description, _, instruction = texts.partition(" -> ")
        scenes[name] = Scene(description, instruction, [stroke.split() for stroke in ",".join(lines).split(",")])
    return scenes


SCENES = read_scenes()


class Sketch:
    """A picture of 384 x 256 px, drawn three times as large and scaled down so that edges come out smooth.

    `tint` changes every colour, which may end in two digits of opacity; `zoom` enlarges what lies around the centre.
    """

    def __init__(self, tint: Tint, zoom: float) -> None:
        self.tint, self.scale = tint, zoom * SUPERSAMPLING
        self.canvas = Image.new("RGB", (WIDTH * SUPERSAMPLING, HEIGHT * SUPERSAMPLING))
        self.pen = ImageDraw.Draw(self.canvas, "RGBA")

    def like(self, scene: str) -> None:
        """Make all strokes of that scene."""
        for method, *arguments in SCENES[scene].strokes:
            getattr(self, method)(*(float(word) if re.fullmatch(r"[\d.]+", word) else word for word in arguments))

    def sky(self, top: str, bottom: str, height: float) -> None:
        """Fill the picture with a gradient that ends at `height`."""
        above, below = np.array(ImageColor.getrgb(top)), np.array(ImageColor.getrgb(bottom))
        for y in range(HEIGHT):
            red, green, blue = np.rint(above + (below - above) * min(1, y / height)).astype(int)
            self.box(f"#{red:02x}{green:02x}{blue:02x}", 0, y, WIDTH, 2)

    def box(self, colour: str, x: float, y: float, width: float, height: float) -> None:
        """Draw a rectangle from its upper left corner."""
        self.pen.rectangle(self._place(x, y, x + width, y + height), self._colour(colour))

    def oval(self, colour: str, x: float, y: float, across: float, down: float) -> None:
        """Draw an ellipse around (x, y) from its two radii."""
        self.pen.ellipse(self._place(x - across, y - down, x + across, y + down), self._colour(colour))

    def dots(self, colour: str, radius: float, *centres: float) -> None:
        """Draw a disc around each centre."""
        for x, y in zip(centres[::2], centres[1::2], strict=True):
            self.oval(colour, x, y, radius, radius)

    def shape(self, colour: str, *corners: float) -> None:
        """Draw a filled polygon."""
        self.pen.polygon(self._place(*corners), self._colour(colour))

    def line(self, colour: str, width: float, *points: float) -> None:
        """Draw a line with round ends."""
        self.pen.line(self._place(*points), self._colour(colour), round(width * self.scale), "curve")
        self.dots(colour, width / 2, *points[:2], *points[-2:])

    def pines(self, colour: str, foot: float, half_width: float, height: float, *places: float) -> None:
        """Draw a pine at each place."""
        for x in places:
            self.box("#6d5541", x - 4, foot - 10, 8, 12)
            for share in (1.0, 0.8, 0.6):
                half, low = half_width * share, foot - 8 - height * (1 - share) * 1.2
                self.shape(colour, x - half, low, x, low - height * 0.42, x + half, low)

    def tower(self, wall: str, lit: str, x: float, y: float, width: float, height: float) -> None:
        """Draw a tall house; every third window is dark."""
        self.box(wall, x, y, width, height)
        for number, (row, column) in enumerate(np.ndindex(int(height / 18), int((width - 4) / 12))):
            self.box("#835a63" if number % 3 == 1 else lit, x + 5 + column * 12, y + 10 + row * 18, 6, 9)

    def person(self, shirt: str, hair: str, x: float, feet: float, size: float) -> None:
        """Draw a standing figure, 150 px tall at size 1."""
        top = feet - 150 * size
        for side in (-size, size):
            self.line("#3b4252", 15 * size, x + side * 10, feet - 60 * size, x + side * 12, feet - 6 * size)
            self.line(shirt, 12 * size, x + side * 20, top + 50 * size, x + side * 28, top + 92 * size)
        self.line(shirt, 40 * size, x, top + 62 * size, x, top + 78 * size)
        self.oval(hair, x, top + 19 * size, 20 * size, 21 * size)
        self.oval("#f0c8a0", x, top + 24 * size, 16 * size, 17 * size)
        self.dots("#2b2b33", 2 * size, x - 6 * size, top + 23 * size, x + 6 * size, top + 23 * size)
        self.line("#b5524a", 2 * size, x - 4 * size, top + 33 * size, x + 4 * size, top + 33 * size)

    def lantern(self, colour: str, x: float, y: float) -> None:
        """Draw a paper lantern that hangs from (x, y)."""
        self.line("#3a2a22", 2, x, y - 24, x, y)
        self.oval(colour, x, y + 14, 19, 16)
        self.oval("#f06b4a", x, y + 14, 9, 16)
        self.box("#e9c25a", x - 8, y - 4, 16, 5)
        self.line("#e9c25a", 2, x, y + 30, x, y + 42)

    def apple(self, colour: str, x: float, y: float) -> None:
        """Draw an apple with its leaf."""
        self.oval(colour, x - 12, y, 20, 28)
        self.oval(colour, x + 12, y, 20, 28)
        self.oval("#ee8a7c", x - 16, y - 10, 6, 8)
        self.line("#6b4528", 4, x, y - 24, x + 5, y - 40)
        self.shape("#5f9e4a", x + 5, y - 34, x + 18, y - 46, x + 30, y - 40, x + 18, y - 32)

    def cup(self, colour: str, shade: str, x: float, y: float) -> None:
        """Draw a cup with its handle and its shadow."""
        self.oval("#8a6a4a80", x, y + 112, 58, 9)
        self.line(shade, 9, x + 40, y + 24, x + 66, y + 32, x + 62, y + 70, x + 36, y + 80)
        self.shape(colour, x - 46, y, x + 46, y, x + 36, y + 108, x - 36, y + 108)
        self.oval(colour, x, y + 108, 36, 8)
        self.oval(shade, x, y, 46, 11)
        self.line("#ffffff60", 6, x - 32, y + 22, x - 27, y + 86)

    def _place(self, *numbers: float) -> list[float]:
        """Turn x, y, x, y ... into coordinates of the large canvas."""
        centres = (WIDTH / 2, HEIGHT / 2)
        return [
            (number - centres[k % 2]) * self.scale + centres[k % 2] * SUPERSAMPLING for k, number in enumerate(numbers)
        ]

    def _colour(self, colour: str) -> tuple[int, ...]:
        red, green, blue, *opacity = ImageColor.getrgb(colour)
        tinted = np.clip(np.rint(self.tint(np.array([red, green, blue], dtype=np.float64))), 0, 255)
        return (*(int(level) for level in tinted), *opacity)


def draw(scene: str, tint: Tint = lambda rgb: rgb, zoom: float = 1.0) -> Image.Image:
    """Return the scene at its final size."""
    sketch = Sketch(tint, zoom)
    sketch.like(scene)
    return sketch.canvas.reduce(SUPERSAMPLING)


def towards(colour: str, share: float) -> Tint:
    """Return the tint that mixes each colour with this one."""
    return lambda rgb: rgb + (np.array(ImageColor.getrgb(colour)) - rgb) * share


def shades_of(colour: str) -> Tint:
    """Return the tint that keeps only how bright a colour is: its luma after ITU-R BT.709."""
    return lambda rgb: (rgb @ np.array([0.2126, 0.7152, 0.0722])) / 255 * np.array(ImageColor.getrgb(colour))


def reworked(scene: str, rework: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> Image.Image:
    """Return the scene after its (256, 384, 3) array was flipped, rotated or the like."""
    return Image.fromarray(np.ascontiguousarray(rework(np.asarray(draw(scene)))))


def captioned(scene: str, text: str) -> Image.Image:
    """Return the scene with white letters along its lower edge."""
    picture = draw(scene)
    font = ImageFont.load_default(34)
    place = (WIDTH / 2, HEIGHT - 20)
    ImageDraw.Draw(picture).text(place, text, "white", font, anchor="ms", stroke_width=3, stroke_fill="black")
    return picture


def framed(scene: str, colour: str) -> Image.Image:
    """Return the scene with a border of 12 px over its edge."""
    picture = draw(scene)
    ImageDraw.Draw(picture).rectangle((0, 0, WIDTH - 1, HEIGHT - 1), outline=colour, width=12)
    return picture


# Where the original is not just the scene: a photo out of focus, a film negative.
ORIGINALS = {
    "forest": lambda: draw("forest").filter(ImageFilter.GaussianBlur(1.5)),
    "film": lambda: draw("film", lambda rgb: 255 - rgb),
}

# The scenes of each category, with what the edit should look like.
REFERENCES: dict[tuple[str, str], dict[str, Callable[[], Image.Image]]] = {
    ("物理", "physical"): {
        "ramp": lambda: reworked("ramp", np.fliplr),
        "hourglass": lambda: reworked("hourglass", lambda pixels: pixels[::-1, ::-1]),
        "prism": lambda: draw("prism", lambda rgb: (rgb - 110) * 1.7 + 110),
        "campfire": lambda: draw("campfire-blazing", towards("#ff8a3c", 0.15)),
    },
    ("环境", "environment"): {
        "lake": lambda: draw("lake-in-frost", towards("#5c8fe0", 0.25)),
        "city": lambda: draw("city-at-night"),
        "forest": lambda: draw("forest"),
        "house": lambda: draw("house", lambda rgb: 255 * (rgb / 255) ** 0.5),
    },
    ("社会", "social"): {
        "handshake": lambda: captioned("handshake", "DEAL"),
        "family": lambda: draw("family", shades_of("#ffe0b0")),
        "lanterns": lambda: framed("lanterns", "#d62828"),
        "concert": lambda: reworked("concert", lambda pixels: pixels // 64 * 85),
    },
    ("因果", "causal"): {
        "glass": lambda: draw("glass-broken"),
        "dominoes": lambda: reworked("dominoes", np.fliplr),
        "film": lambda: draw("film"),
        "car": lambda: draw("car").filter(ImageFilter.BoxBlur(4)),
    },
    ("指代", "reference"): {
        "fruit": lambda: draw("fruit", zoom=2),
        "cups": lambda: draw("cups", shades_of("#ffffff")),
        "signpost": lambda: reworked("signpost", lambda pixels: np.rot90(pixels, -1)),
        "table": lambda: captioned("table", "APPLE"),
    },
}


def png_base64(picture: Image.Image) -> str:
    """Return the picture as an optimised PNG in base64."""
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode("ascii")


def benchmark() -> dict[str, object]:
    """Return the sample benchmark in its JSON layout."""
    categories = [
        {
            "name": category,
            "pairs": [
                {
                    "pair_id": f"{alias}_{number:02}",
                    "original_image_b64": png_base64(ORIGINALS[scene]() if scene in ORIGINALS else draw(scene)),
                    "original_description": SCENES[scene].description,
                    "edit_instruction": SCENES[scene].instruction,
                    "reference_image_b64": png_base64(reference()),
                }
                for number, (scene, reference) in enumerate(references.items(), start=1)
            ],
        }
        for (category, alias), references in REFERENCES.items()
    ]
    return {"name": "sample", "categories": categories}


if __name__ == "__main__":
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("benchmark.json")
    out.write_text(json.dumps(benchmark(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
