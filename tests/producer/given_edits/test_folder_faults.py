"""What is wrong with a folder of edited images is told all at once, and nothing is taken."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from db.errors import BenchmarkInvalid
from db.queries import all_runs
from producer.given_edits import folder as folder_module
from producer.given_edits import pictures as pictures_module
from tests.factories import original_file, png
from tests.hostile import png_of, zeros
from tests.producer.given_folders import Giver, benchmark_of, pictures


def test_every_fault_is_told_at_once_and_nothing_is_taken(giver: Giver, edits: Path) -> None:
    giver.benchmark = benchmark_of(giver.folder, [("x", key) for key in "abcdefgh"])
    bomb, whole = png_of(12_000, 12_000, zeros(1000)), png(width=300, height=300)
    pictures(edits, "a.png", "b.png", "b.jpg", b=b"", c=whole[:-40], d=b"\x89PNG", e=bomb)
    (edits / "f.png").symlink_to(giver.benchmark)
    os.mkfifo(edits / "g.png")
    with (edits / "h.png").open("wb") as file:
        file.truncate(1 << 40)  # which no memory holds: it is refused by its size, unread

    faults = giver.faults(edits)

    assert [fault.split(": ", 1)[0] for fault in faults] == ["sample 'b' (x)", *(f"{key}.png" for key in "fcdegh")]
    for fault, expected in zip(
        faults,
        ["b.jpg, b.png", "leads out of the folder", "not decodable", "not decodable", "is 12000 x 12000; at most",
         "cannot be read: Is no regular file", "at most 104,857,600 are read"],
        strict=True,
    ):  # fmt: skip
        assert expected in fault


def test_two_files_for_one_sample_are_named(giver: Giver, edits: Path) -> None:
    names = ("p-0.png", "en/p-0.png", "cn/p-0.png", "cn/p-0.jpg", "p-1.png")

    (fault,) = giver.faults(pictures(edits, *names))

    named = "p-0.png, cn/p-0.jpg, cn/p-0.png and 1 more"
    assert fault == f"sample 'p-0' (物理 (physical)): several files are called so: {named}"


def test_a_name_of_several_categories_without_a_folder_that_tells_is_a_fault(giver: Giver, edits: Path) -> None:
    giver.benchmark = benchmark_of(giver.folder, [("a", "1"), ("b", "1")])

    faults = giver.faults(pictures(edits, "1.png"))

    assert set(faults) == {"1.png: key '1' is in several categories (a, b): name its folder so"}


def test_one_file_for_two_samples_is_a_fault(giver: Giver, edits: Path) -> None:
    giver.benchmark = benchmark_of(giver.folder, [("x", "1"), ("x", "en/1")])

    (fault,) = giver.faults(pictures(edits, "en/1.png"))

    assert fault == "en/1.png: is called like sample '1' (x) and like sample 'en/1' (x)"


def test_where_nothing_fits_the_fault_shows_what_was_looked_for_and_what_is_there(giver: Giver, edits: Path) -> None:
    (fault,) = giver.faults(pictures(edits, "0.png", "1.png", "x/2.png", "x/3.png"))

    expected = "looked for sample 'p-0' (物理 (physical)), there is 0.png, 1.png, x/2.png and 1 more"
    assert fault == f"none of 2 samples has an image: {expected}"
    empty = giver.folder / "empty"
    empty.mkdir()
    assert giver.faults(empty)[0].endswith("there is no image file")


def test_a_benchmark_with_faults_is_refused_before_its_images_are_looked_at(giver: Giver, edits: Path) -> None:
    giver.benchmark = original_file(giver.folder, {"categories": {"x": [5]}})

    with pytest.raises(BenchmarkInvalid, match=r"benchmark\.json: 1 fault"):
        giver(edits / "which there is not")


def test_a_folder_that_is_too_large_is_refused(giver: Giver, edits: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_module, "MOST_ENTRIES", 3)

    with pytest.raises(BenchmarkInvalid, match="has more than 3 files and folders"):
        giver(pictures(edits, "a/1.png", "a/2.png", "b/p-0.png"))


@pytest.mark.parametrize(("name", "what"), [("nowhere", "is not there"), ("benchmark.json", "is no table by its name")])
def test_what_is_neither_a_folder_nor_a_table_is_refused(giver: Giver, name: str, what: str) -> None:
    with pytest.raises(BenchmarkInvalid, match=f"{name}: {what}; expected a folder, or a table"):
        giver(giver.folder / name)


def test_an_image_that_changes_while_it_is_read_is_not_submitted(
    giver: Giver, edits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = pictures_module.check_pictures

    def check_and_change(*given: Any) -> Any:
        checked = check(*given)
        (edits / "p-1.png").write_bytes(png(width=99))
        return checked

    monkeypatch.setattr("producer.given_edits.enter.check_pictures", check_and_change)

    with pytest.raises(BenchmarkInvalid, match=r"p-1\.png: changed while it was read"):
        giver(pictures(edits, "p-0.png", "p-1.png"))
    assert all_runs(giver.ledger.engine) == []
