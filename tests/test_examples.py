from __future__ import annotations

import base64
import io
import json
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from db.categories import ENGLISH_ALIASES
from db.options import EditorOptions, ScorerOptions
from tests.factories import score_request
from workers.models.errors import InputFault
from workers.models.pillow_editor import PillowEditor
from workers.models.protocols import EditRequest, Rating
from workers.models.reference_scorer import ReferenceScorer

EXAMPLES = Path(__file__).parents[1] / "examples"
COMMITTED = EXAMPLES / "benchmark.json"
IMAGE_FIELDS = ("original_image_b64", "reference_image_b64")


@pytest.fixture(scope="module")
def committed() -> dict[str, Any]:
    benchmark: dict[str, Any] = json.loads(COMMITTED.read_text(encoding="utf-8"))
    return benchmark


@pytest.fixture(scope="module")
def drawn() -> dict[str, Any]:
    benchmark: dict[str, Any] = runpy.run_path(str(EXAMPLES / "draw_sample_benchmark.py"))["benchmark"]()
    return benchmark


def pairs_of(benchmark: dict[str, Any]) -> list[dict[str, str]]:
    return [pair for category in benchmark["categories"] for pair in category["pairs"]]


def decoded(image_b64: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(image_b64, validate=True)))


def edited(pair: dict[str, str]) -> Image.Image:
    request = EditRequest(pair["pair_id"], pair["edit_instruction"], decoded(pair["original_image_b64"]), seed=0)
    return PillowEditor(EditorOptions()).edit(request).image


def similarity(pair: dict[str, str], candidate: Image.Image) -> float:
    original, reference = (decoded(pair[field]) for field in IMAGE_FIELDS)
    request = score_request(key=pair["pair_id"], source=original, edited=candidate, reference=reference)
    [rating] = ReferenceScorer(ScorerOptions()).score([request])
    assert isinstance(rating, Rating)
    return rating.value


def without_images(benchmark: dict[str, Any]) -> list[dict[str, str]]:
    return [{field: text for field, text in pair.items() if field not in IMAGE_FIELDS} for pair in pairs_of(benchmark)]


def test_the_committed_texts_are_those_of_the_script(committed: dict[str, Any], drawn: dict[str, Any]) -> None:
    assert without_images(committed) == without_images(drawn)


def test_the_committed_images_are_those_the_script_draws(committed: dict[str, Any], drawn: dict[str, Any]) -> None:
    for kept, fresh in zip(pairs_of(committed), pairs_of(drawn), strict=True):
        for field in IMAGE_FIELDS:
            # Pixels, not bytes: another zlib packs the same picture differently.
            same = np.array_equal(np.asarray(decoded(kept[field])), np.asarray(decoded(fresh[field])))
            assert same, f"{field} of {kept['pair_id']} differs: run python examples/draw_sample_benchmark.py"


def test_the_sample_has_four_pairs_in_each_of_the_five_categories(committed: dict[str, Any]) -> None:
    assert committed["name"] == "sample"
    ids = {category["name"]: [pair["pair_id"] for pair in category["pairs"]] for category in committed["categories"]}
    assert list(ids) == list(ENGLISH_ALIASES)
    for category, alias in ENGLISH_ALIASES.items():
        assert ids[category] == [f"{alias}_{number:02}" for number in (1, 2, 3, 4)]


def test_half_of_the_instructions_are_chinese(committed: dict[str, Any]) -> None:
    assert sum(not pair["edit_instruction"].isascii() for pair in pairs_of(committed)) == 10


def test_every_scene_is_another_one(committed: dict[str, Any]) -> None:
    assert len({decoded(pair["original_image_b64"]).tobytes() for pair in pairs_of(committed)}) == 20


def test_every_image_is_a_small_rgb_png_and_the_file_stays_small(committed: dict[str, Any]) -> None:
    images = [decoded(pair[field]) for pair in pairs_of(committed) for field in IMAGE_FIELDS]
    assert {(image.format, image.mode, *sorted(image.size)) for image in images} == {("PNG", "RGB", 256, 384)}
    assert COMMITTED.stat().st_size < 600_000


def test_the_pillow_editor_knows_every_instruction_but_one(committed: dict[str, Any]) -> None:
    unknown = []
    for pair in pairs_of(committed):
        try:
            edited(pair)
        except InputFault:
            unknown.append(pair["edit_instruction"])
    assert unknown == ["Show the glass after it has fallen to the floor."]


def test_an_edit_brings_the_original_nearer_to_its_reference(committed: dict[str, Any]) -> None:
    # SSIM compares lumas, and "black and white" keeps them; the glass is the pair that is not known.
    judged = [pair for pair in pairs_of(committed) if pair["pair_id"] not in {"reference_02", "causal_01"}]
    worse = [
        pair["pair_id"]
        for pair in judged
        if similarity(pair, edited(pair)) <= similarity(pair, decoded(pair["original_image_b64"]))
    ]
    assert worse == []


def test_some_edits_are_exact_and_others_are_not(committed: dict[str, Any]) -> None:
    values = [similarity(pair, edited(pair)) for pair in pairs_of(committed) if pair["pair_id"] != "causal_01"]
    assert values.count(10.0) == 4
    assert min(values) < 7 and sum(9 <= value < 9.9 for value in values) >= 4
