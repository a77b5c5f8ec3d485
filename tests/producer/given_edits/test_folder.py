"""Images in a folder are found by the names of samples, in the layouts that public benchmarks write."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from tests.factories import png
from tests.producer.given_edits.giving import A, B, run_of
from tests.producer.given_folders import Giver, benchmark_of, pictures

LAYOUTS = {
    "GEdit-Bench": (
        [("background_change", "0a1b"), ("color_alter", "2c3d")],
        ["fullset/background_change/en/0a1b.png", "fullset/color_alter/cn/2c3d.png"],
    ),
    "ImgEdit": ([("add", "1082"), ("remove", "7")], ["1082.png", "7.png"]),
    "KRIS-Bench": ([("count_change", "1"), ("size_change", "1")], ["count_change/1.jpg", "size_change/1.jpg"]),
    "RISEBench": (
        [("causal_reasoning", "causal_reasoning_1"), ("temporal_reasoning", "temporal_reasoning_1")],
        ["images/causal_reasoning/causal_reasoning_1.png", "images/temporal_reasoning/temporal_reasoning_1.png"],
    ),
    "an alias": ([("物理", "1"), ("社会", "1")], ["Physical/1.png", "out/social/1.png"]),
    "keys with slashes": ([("x", "cats/1"), ("x", "dogs/1")], ["out/cats/1.webp", "out/dogs/1.webp"]),
    "a key that names its category": ([("a", "a/1"), ("b", "a/2")], ["a/1.png", "a/2.png"]),
    "keys with suffixes": ([("x", "1.jpg"), ("x", "v1.2")], ["1.jpg", "v1.2.png"]),
    "suffixes in capitals": ([("x", "1"), ("x", "2")], ["1.PNG", "2.JPeG"]),
    "a category above a category": ([("style", "1"), ("add", "1")], ["add/style/1.png", "style/add/1.png"]),
    "accents taken apart": ([("x", "é"), ("é", "1")], [f"{unicodedata.normalize('NFD', 'é')}.png", "E\u0301/1.png"]),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_sample_has_its_image_in_the_layouts_of_public_benchmarks(giver: Giver, edits: Path, layout: str) -> None:
    samples, files = LAYOUTS[layout]
    giver.benchmark = benchmark_of(giver.folder, samples)

    given = giver(pictures(edits, *files))

    assert list(giver.given(given.submitted.run_id).values()) == [A, B]
    assert (given.missing, given.unused) == (0, [])


def test_a_file_below_its_category_goes_before_one_that_is_not(giver: Giver, edits: Path) -> None:
    given = giver(pictures(edits, "deep/物理/en/p-0.png", "thumbs/p-0.png", "p-1.png"))

    assert giver.given(given.submitted.run_id)["物理", "p-0", 0] == A
    assert given.unused == ["thumbs/p-0.png"]


def test_an_image_of_another_category_is_never_taken_for_one_that_is_missing(giver: Giver, edits: Path) -> None:
    giver.benchmark = benchmark_of(giver.folder, [("a", "1"), ("b", "1"), ("b", "2")])

    given = giver(pictures(edits, "b/1.png", "a/2.png"))

    outcomes = giver.given(given.submitted.run_id)
    assert outcomes == {("a", "1", 0): "missing", ("b", "1", 0): A, ("b", "2", 0): "missing"}
    assert given.unused == ["a/2.png"]


def test_what_belongs_to_no_sample_is_told_and_no_fault(giver: Giver, edits: Path) -> None:
    (pictures(edits, "p-0.png", "p-1.png", "grid.png", "x/p-00.png", "p-1_1.png") / "p-0.json").write_text("{}")

    assert giver(edits).unused == ["grid.png", "p-1_1.png", "x/p-00.png"]


def test_what_begins_with_a_dot_and_what_links_lead_to_is_passed_over(giver: Giver, edits: Path) -> None:
    pictures(edits, "p-0.png", "p-1.png", ".cache/p-0.png", "._p-1.png", "x/.p-1.png")
    pictures(giver.folder / "elsewhere", "p-0.png")
    (edits / "linked").symlink_to(giver.folder / "elsewhere")
    (edits / "round").symlink_to(edits)
    (edits / "loop.png").symlink_to("loop.png")

    assert giver(edits).unused == ["loop.png"]


def test_a_link_within_the_folder_is_an_image_as_any_other(giver: Giver, edits: Path) -> None:
    pictures(edits, "blobs/0a1b.png")
    for key in ("p-0", "p-1"):
        (edits / f"{key}.png").symlink_to("blobs/0a1b.png")

    assert list(giver.given(run_of(giver, edits)).values()) == [A, A]


def test_only_the_samples_that_are_asked_for_are_looked_at(giver: Giver, edits: Path) -> None:
    pictures(edits, "p-0.png", "p-1.jpg").joinpath("p-1.png").write_bytes(b"no image")

    given = giver(edits, limit=1)

    assert giver.given(given.submitted.run_id) == {("物理", "p-0", 0): A}
    assert (given.asked, given.missing) == (1, 0)


def test_the_image_that_is_scored_is_the_very_file(giver: Giver, edits: Path) -> None:
    content = b"".join([png(), b"behind its end"])
    pictures(edits, "p-1.png", **{"p-0": content})

    run_id = run_of(giver, edits)

    assert giver.given(run_id)["物理", "p-0", 0] == content
