"""Draws the sample benchmark: twenty small scenes, an instruction for each, and what the edit should look like.

Run as `python examples/draw_sample_benchmark.py [OUT]`; without OUT it writes `benchmark.json` beside this script. A
reference is drawn anew or made by other means, never with the editor that a run rates. Nineteen instructions are
simple enough for the editor `pillow`; "Show the glass after it has fallen to the floor" is there to fail.
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

# A scene is its name, a description and an instruction, then its strokes from back to front. A stroke is a method of
# Sketch, colours, and numbers in pixels; strokes that make one thing share a line.
SCENE_BOOK = """
ramp: A red ball rests at the top of a wooden ramp. -> Mirror the image horizontally.
    sky #d6e8f2 #fbf4e6 200, box #b9a58c 0 208 384 48
    shape #d49a5a 50 208 50 92 330 208, line #a86f35 6 50 92 330 208
    line #bd8448 2 110 206 110 122, line #bd8448 2 180 206 180 150, line #bd8448 2 250 206 250 180
    dots #d6453d 22 86 84, dots #f08f84 6 79 76
    line #7a8791 4 350 208 350 150, shape #3f9b6c 350 150 322 160 350 170
hourglass: 沙漏里的沙子已经全部流到下面。 -> 把图片旋转180度
    sky #2c4a5e #5b8091 256, box #b5793a 132 26 120 16, box #8f5a26 132 210 120 16
    box #a0682f 142 40 7 172, box #a0682f 236 40 7 172
    shape #d8edf3b0 154 42 230 42 197 126 230 210 154 210 187 126
    shape #e9c46a 157 208 227 208 213 172 192 152 171 172
prism: A dim beam of light falls on a prism and splits into colours. -> Increase the contrast of the picture.
    sky #4b4f58 #5d626c 214, box #41454d 0 214 384 42, line #c9cbd0 5 0 168 165 130
    shape #b86a6a 214 118 384 112 384 128 214 122, shape #b98c66 214 122 384 128 384 144 214 126
    shape #b5ac6c 214 126 384 144 384 160 214 130, shape #76a178 214 130 384 160 384 176 214 134
    shape #6a88ad 214 134 384 176 384 192 214 138, shape #8672a6 214 138 384 192 384 208 214 142
    shape #9aa4b0 192 62 266 190 118 190, shape #848e9b 192 82 248 180 136 180
campfire: 水壶挂在篝火上，刚开始加热。 -> 让画面更暖
    sky #3a4664 #8a7f86 194, pines #2f4546 206 26 120 20 74 318 366, box #5d5648 0 194 384 62
    oval #c98b4a 192 218 92 18, shape #e2622f 154 214 173 164 192 130 211 164 230 214
    shape #f2a13c 166 214 179 178 192 154 205 178 218 214, shape #f9dc7a 179 214 192 180 205 214
    line #6b4528 12 140 224 244 212, line #7d5330 12 140 212 244 224
    line #8a6a4a 5 112 226 192 34 272 226, line #22262e 2 192 36 192 74
    line #4d5663 4 166 90 174 72 210 72 218 90, line #77828f 8 218 112 240 90, box #77828f 164 84 56 42
campfire-blazing: the same fire, higher, with sparks and a glow
    like campfire, oval #ff9a3c30 192 170 130 90, oval #ffb45a30 192 176 90 70
    shape #e2622f 142 214 160 140 176 158 190 104 212 154 228 138 242 214
    shape #f2a13c 160 214 174 166 192 134 214 170 224 214, shape #f9dc7a 174 214 192 166 210 214
    dots #ffc46a 3 120 120 146 84 250 96 270 134 236 66 108 160
lake: A mountain lake in the mild light of the morning. -> Make the picture cooler.
    sky #9cc7e0 #f8ead2 150, dots #fff2b8 24 300 58
    shape #8d9db5 80 160 250 66 384 140 384 160, shape #f7fafc 206 91 250 66 288 87 258 86 244 98
    shape #6d7f99 0 140 120 40 270 160 0 160, shape #f7fafc 86 68 120 40 156 69 128 60 114 72
    box #5f9fb8 0 158 384 98, shape #86b6c8 0 160 120 226 270 160
    line #b9d8e2 2 40 186 110 186, line #b9d8e2 2 210 200 300 200, line #b9d8e2 2 150 236 230 236
    shape #7a9a5b 0 256 0 194 90 200 150 256, shape #7a9a5b 384 256 384 194 320 204 270 256
    pines #3d6b50 206 24 110 18 352, pines #3d6b50 212 20 84 58 322
lake-in-frost: the same lake, snow lower down, mist over the water
    like lake, shape #f2f7fb 162 116 250 66 320 110 290 118 262 104 236 122 206 108
    shape #f2f7fb 40 106 120 40 204 110 174 106 146 120 118 96 84 118
    oval #eef4f8b0 90 164 140 7, oval #eef4f8b0 290 170 130 6, oval #eef4f8a0 190 186 90 4
city: 夕阳照着城市。 -> 把图片调暗
    sky #e98f5f #fbd9a0 190, dots #fff0b5 36 226 96
    box #a9695f 0 120 50 82, box #a9695f 60 80 44 122, box #a9695f 150 130 50 72, box #a9695f 300 108 54 94
    tower #6f4754 #f3c677 26 112 40 92, tower #6f4754 #f3c677 100 64 52 140
    tower #6f4754 #f3c677 176 116 40 88, tower #6f4754 #f3c677 246 94 46 110
    tower #6f4754 #f3c677 334 82 40 122
    box #b77465 0 202 384 54
    line #f6c893 3 190 214 262 214, line #f6c893 3 206 228 250 228, line #f6c893 3 30 220 80 220
city-at-night: the same city under the moon
    sky #0f1733 #3a3560 200, dots #dfe5f2 26 226 64, dots #ffffff 2 40 30 92 22 206 28 318 40 356 20 20 78 284 24 124 36
    box #232647 0 120 50 82, box #232647 60 80 44 122, box #232647 150 130 50 72, box #232647 300 108 54 94
    tower #171a33 #ffd97a 26 112 40 92, tower #171a33 #ffd97a 100 64 52 140, tower #171a33 #ffd97a 176 116 40 88
    tower #171a33 #ffd97a 246 94 46 110, tower #171a33 #ffd97a 334 82 40 122
    box #1d2140 0 202 384 54, line #8f97b8 3 190 214 262 214, line #8f97b8 3 206 228 250 228
forest: A path leads through a forest, photographed out of focus. -> Sharpen the image.
    sky #cfe3d8 #eef3e0 200, pines #a3c4ae 176 24 130 10 46 82 118 154 190 226 262 298 334 370
    pines #6fa083 196 32 150 28 92 148 236 290 356, box #7d9c5f 0 204 384 52
    pines #3f7558 222 42 196 20 84 300 362, shape #d9c59a 120 256 184 204 200 204 264 256
house: 傍晚，雪地里有一座小屋。 -> 让画面更亮
    sky #55708f #8c9fb5 190, dots #c9d2dc 18 320 50
    shape #a9b8c7 0 190 90 158 210 186 300 164 384 186 384 256 0 256
    pines #3a5a58 216 30 120 44 350, pines #3a5a58 208 24 84 312 84, box #8a4f42 132 132 120 80
    box #6d3f36 222 76 16 40, shape #c4cfda 116 136 192 76 268 136, box #52352c 180 166 26 46
    box #d9b46a 146 152 24 24, box #d9b46a 216 152 24 24, line #5c3a30 2 158 152 158 176, line #5c3a30 2 228 152 228 176
    shape #b7c4d1 0 214 384 206 384 256 0 256, dots #d5dee6 2 20 30 64 74 98 22 130 60 156 104 204 40 250 84
    dots #d5dee6 2 280 20 292 112 340 92 368 40 30 120 96 124 300 190 70 230
handshake: Two people shake hands after a meeting. -> Add the caption "DEAL"
    sky #e6edf2 #cfdbe3 226, box #bcd9e8 20 30 120 90, box #bcd9e8 244 30 120 90, box #a58f78 0 206 384 50
    person #2f5d8a #3a2a20 122 216 1, person #8a3b4a #c08a3e 262 216 1
    line #2f5d8a 12 144 122 176 144, line #8a3b4a 12 240 122 208 144
    oval #f0c8a0 187 146 11 8, oval #e0b48a 198 146 11 8
family: 一家三口站在自己的房子前面。 -> 把照片变成怀旧色调
    sky #a8d3ea #e5f2f4 180, box #86b16a 0 196 384 60, box #f0dfc0 70 76 244 130, shape #b5493c 48 80 192 14 336 80
    box #7fb3cf 98 100 44 44, box #7fb3cf 242 100 44 44
    person #3f7cac #4a3426 134 244 1, person #c8553d #7a4a24 250 244 0.95, person #e9b44c #4a3426 192 244 0.62
lanterns: 节日的夜晚，牌坊上挂着灯笼。 -> 添加红色边框
    sky #27365c #d98b6a 200, dots #fdf0c4 22 60 54, box #6b5a52 0 206 384 50
    box #a33a2e 96 108 18 104, box #a33a2e 270 108 18 104, box #c9973f 104 120 176 14
    shape #2f4a44 56 112 84 80 300 80 328 112 340 104 330 120 54 120 44 104
    line #3a2a22 2 0 30 96 56 192 62 288 56 384 30
    lantern #e0402f 40 62, lantern #e0402f 116 80, lantern #e0402f 192 158
    lantern #e0402f 268 80, lantern #e0402f 344 62
concert: A singer stands on a stage between two loudspeakers. -> Posterize the picture.
    sky #2a1f45 #63407c 214, shape #f7d06a60 64 0 76 0 211 214 99 214, shape #ff8fb060 186 0 198 0 248 214 136 214
    shape #74d0f060 308 0 320 0 285 214 173 214, box #8d5a3b 0 206 384 16, box #1c1730 40 132 46 74
    box #1c1730 298 132 46 74, dots #4a4363 17 63 182 321 182, dots #4a4363 10 63 150 321 150
    person #e4572e #f0d080 186 208 0.9, line #c9ccd6 3 214 206 214 116, oval #23232b 212 112 6 8
    dots #171128 18 12 250 46 246 80 252 114 247 148 251 182 246 216 250 250 247 284 252 318 246 352 250 384 248
room: a table beside a window
    sky #f4ead9 #e9dcc4 206, box #ffffff 40 26 96 84, box #a9d3e8 46 32 39 72, box #a9d3e8 91 32 39 72
    box #b98d62 0 206 384 50, box #8a5a34 30 126 226 14, box #754a29 48 140 14 92, box #754a29 224 140 14 92
    oval #d96c4f 110 120 30 6, box #e88a66 96 94 28 24, line #e88a66 4 124 98 132 104 124 112
glass: A glass of water tips over the edge of a table. -> Show the glass after it has fallen to the floor.
    like room, shape #bfe3f0c0 236 72 272 84 258 132 232 124, shape #5fb0d6 243 93 267 95 258 132 232 124
glass-broken: shards in a puddle
    like room, oval #5fb0d6 300 236 62 10, shape #dff3fa 252 236 262 220 270 234, shape #dff3fa 276 242 288 226 294 240
    shape #dff3fa 298 232 306 214 312 230, shape #dff3fa 318 242 328 228 336 240, shape #dff3fa 338 234 346 222 354 234
dominoes: 一只手推倒了左边的第一块骨牌。 -> 水平翻转图片
    sky #dbe7e4 #f6f2e8 200, box #9c7a5b 0 200 384 56
    shape #2860a8 56 193 117 145 126 156 65 204, shape #3a669c 92 196 137 132 148 140 103 204
    shape #4c6c90 128 200 152 126 165 130 141 204, box #5e7284 166 126 14 78, box #707878 202 126 14 78
    box #827e6c 238 126 14 78, box #948460 274 126 14 78, box #a68a54 310 126 14 78, box #b89048 346 126 14 78
    line #3f7cac 22 0 108 24 116, line #f0c8a0 16 32 119 66 132, oval #f0c8a0 72 134 13 11
film: 一张帆船照片的底片。 -> 反转图片的颜色
    sky #7fbfe6 #e3f1f6 158, dots #ffe58a 22 70 52
    oval #ffffff 250 48 26 14, oval #ffffff 276 42 26 14, oval #ffffff 300 50 26 14, box #2f7fa8 0 158 384 98
    shape #f5f0e6 196 34 196 160 116 160, shape #e2574c 204 50 204 160 262 160, line #6b4a30 4 200 28 200 172
    shape #8a4b2c 104 168 288 168 260 204 134 204, line #8cc4dd 3 20 190 46 186 72 190
    line #8cc4dd 3 300 186 326 182 352 186, line #8cc4dd 3 60 226 86 222 112 226, line #8cc4dd 3 250 232 276 228 302 232
car: A car drives along a country road; the camera moves next. -> Blur the image.
    sky #8fcbe8 #e8f3ee 150, shape #8fb87a 0 170 110 112 220 160 310 122 384 160 384 256 0 256
    box #5b5f66 0 190 384 66, line #f2e9c9 5 10 230 50 230, line #f2e9c9 5 110 230 150 230
    line #f2e9c9 5 210 230 250 230, line #f2e9c9 5 310 230 350 230
    shape #d23f3f 104 168 140 124 230 124 264 162, oval #d23f3f 94 178 18 18, box #d23f3f 90 160 198 38
    oval #d23f3f 286 179 18 19, shape #cfe8f2 128 160 148 133 180 133 180 160
    shape #cfe8f2 188 160 188 133 224 133 246 160
    dots #fff3b0 6 294 174, dots #25272c 24 126 198 252 198, dots #c9ccd2 10 126 198 252 198
fruit: An apple, a pear and an orange stand in a row. -> Crop the image to the central half.
    sky #f7ecd8 #f2e0c0 172, box #a8794c 0 172 384 84, oval #7f5a3680 66 190 44 8, oval #7f5a3680 192 190 44 8
    oval #7f5a3680 318 190 44 8, apple #cf3b34 66 160, oval #b9c44a 192 162 32 30, oval #b9c44a 192 122 19 26
    oval #d9e08a 180 152 7 12, line #6b4528 4 192 100 198 84, oval #ee8f2d 318 158 33 32, oval #f9bd77 306 146 8 7
cups: 左边是红色的杯子，右边是蓝色的杯子，只能靠颜色区分。 -> 把图片变成黑白
    sky #eef0ea #dde3dc 168, box #c7a27a 0 168 384 88
    cup #d84a43 #a83630 118 100, cup #3b78c4 #2b5a98 264 100
signpost: A signpost points to the right; it should point down. -> Rotate the image 90 degrees clockwise.
    sky #9fd3ea #f0f5ea 190, shape #9cc27d 0 196 120 176 260 190 384 172 384 256 0 256
    shape #e0cda4 150 256 196 186 214 186 250 256, box #80582f 116 60 14 158
    shape #c98f4a 84 76 262 76 306 106 262 136 84 136, line #fff6e0 9 112 106 250 106
    line #fff6e0 9 226 88 252 106 226 124, dots #e8615a 5 40 222 64 236 300 226 336 212 352 238
table: 桌上有书、苹果和蜡烛，要写出中间那个东西的名字。 -> 添加文字“APPLE”
    sky #3f5b66 #6f8b8c 166, box #7d5638 0 166 384 90, box #b5473f 40 138 110 22, box #f3ead4 46 142 104 14
    box #3f6f9c 52 116 92 22, box #f3ead4 58 120 86 14, apple #cf3b34 206 140
    oval #c9a24f 306 168 36 8, box #f5ecd6 296 80 20 88, oval #ffd98050 306 60 24 30
    shape #ffb347 298 72 306 44 314 72 306 80
"""


class Scene(NamedTuple):
    """One entry of the scene book; the instruction is empty where a scene only serves others."""

    description: str
    instruction: str
    strokes: list[list[str]]


def read_scenes() -> dict[str, Scene]:
    """Return the scenes of SCENE_BOOK by name."""
    scenes = {}
    for entry in re.split(r"\n(?=\S)", SCENE_BOOK.strip()):
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
