"""Draws work as the first scripts had it, with the very draws of the simulated models, and writes it for our farm.

An edit takes 5 s, in one category of five 1.6 times as long, spread by 0.1; a score 2 s alone, four at once 3 s, spread
by 0.3. `scale` shortens all of it.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from PIL import Image

from benchmarks.drawn_work.workload import Item, Workload
from db.options import SimulatedEditorOptions, SimulatedScorerOptions
from db.seeds import edit_seed
from workers.models.simulated import batch_factor, drawn, duration

EDIT_SECONDS, EDIT_SPREAD = 5.0, 0.1
SCORE_SECONDS, SCORE_SPREAD = 2.0, 0.3
BATCH_SIZE, BATCH_SPEEDUP = 4, 8 / 3
CATEGORIES = {"物理": (50, 32), "环境": (50, 20), "社会": (50, 20), "因果": (50, 20), "指代": (50, 20)}
"""The size of each category's source images."""
USUAL_PIXELS = 50 * 20
RUN_SEED = 0
_NEXT_EDITOR = 1_000_000


@dataclass(frozen=True)
class Draw:
    """So many samples, evenly over the categories; a change of models takes `swap_seconds` before they are scaled.

    Draws that differ in `editor` alone have an editor each, and the scorer in common.
    """

    samples: int
    swap_seconds: float
    scale: float = 1.0
    seed: int = 0
    editor: int = 0

    @property
    def editor_options(self) -> SimulatedEditorOptions:
        """The options of our simulated editor."""
        return SimulatedEditorOptions(
            seconds=EDIT_SECONDS * self.scale,
            spread=EDIT_SPREAD,
            per_pixels=USUAL_PIXELS,
            load_seconds=self.swap_seconds * self.scale,
            seed=self.seed + _NEXT_EDITOR * self.editor,
        )

    @property
    def scorer_options(self) -> SimulatedScorerOptions:
        """The options of our simulated scorer."""
        return SimulatedScorerOptions(
            seconds=SCORE_SECONDS * self.scale,
            spread=SCORE_SPREAD,
            load_seconds=self.swap_seconds * self.scale,
            seed=self.seed,
            batch_size=BATCH_SIZE,
            batch_speedup=BATCH_SPEEDUP,
        )

    @cached_property
    def workload(self) -> Workload:
        """What the models will take for each sample."""
        sizes = range(1, BATCH_SIZE + 1)
        return Workload(
            items=tuple(self._item(number, category) for category in CATEGORIES for number in range(self.samples // 5)),
            load_seconds=self.swap_seconds * self.scale,
            batch_factors=tuple(batch_factor(size, BATCH_SIZE, BATCH_SPEEDUP) for size in sizes),
        )

    def _item(self, number: int, category: str) -> Item:
        width, height = CATEGORIES[category]
        key, pixels = f"{category}-{number}", width * height
        seed = edit_seed(RUN_SEED, key, 0)
        editor, scorer = self.editor_options, self.scorer_options
        return Item(
            key=key,
            category=category,
            pixels=pixels,
            edit_seconds=duration(editor, drawn(editor, "edit", key, seed), pixels),
            score_seconds=duration(scorer, drawn(scorer, "score", key, seed), pixels),
        )


def joined(draws: Sequence[Draw]) -> Workload:
    """Return the work of all of these."""
    first = draws[0].workload
    return replace(first, items=tuple(item for draw in draws for item in draw.workload.items))


def write_benchmark(path: Path, workload: Workload, remark: str) -> None:
    """Write the items as a `benchmark.json`; another remark, in every sample, makes it another benchmark."""
    images = {category: _png(*size) for category, size in CATEGORIES.items()}
    categories = [
        {
            "name": category,
            "pairs": [
                {
                    "pair_id": item.key,
                    "original_image_b64": images[category],
                    "original_description": remark,
                    "edit_instruction": "wait",
                }
                for item in workload.items
                if item.category == category
            ],
        }
        for category in CATEGORIES
    ]
    path.write_text(json.dumps({"categories": [one for one in categories if one["pairs"]]}), encoding="utf-8")


def _png(width: int, height: int) -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()
