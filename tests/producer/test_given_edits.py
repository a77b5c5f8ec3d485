"""`submit --edits`: images that are there already are found, checked as a whole, and scored as any others."""

from __future__ import annotations

import json
import os
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from db.engine import open_engine
from db.errors import BenchmarkInvalid
from db.images import FolderStore, digest_of
from db.ledger import Ledger
from db.queries import all_runs, find_run, progress_of
from db.tables import Stage, State
from db.upkeep.finding import Inspection
from db.upkeep.fsck import findings
from producer.given_edits import folder as folder_module
from producer.given_edits import pictures as pictures_module
from tests.conftest import Clock
from tests.factories import original_file, pair, png
from tests.hostile import png_of, zeros
from tests.producer.given_folders import Giver, benchmark_of, pictures, table
from tests.producer.shell import Shell
from tests.producer.test_submit_crashes import Death, Killed

A, B = png(width=1), png(width=2)
"""The first two images that `pictures` writes."""


@pytest.fixture
def giver(tmp_path: Path, ledger: Ledger, images: FolderStore) -> Giver:
    """A benchmark of two samples, `p-0` and `p-1` of the category 物理, and a farm that has taken nothing yet."""
    return Giver(tmp_path, ledger, images)


@pytest.fixture
def edits(tmp_path: Path) -> Path:
    """A folder for images, not there yet."""
    return tmp_path / "model-x"


def run_of(giver: Giver, edits: Path, **given: Any) -> str:
    return giver(edits, **given).submitted.run_id


# -- found in a folder -------------------------------------------------------------------------------------------------

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


# -- faults of a folder ------------------------------------------------------------------------------------------------


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


# -- found by a table --------------------------------------------------------------------------------------------------


def test_a_table_names_the_image_of_every_repeat(giver: Giver, edits: Path) -> None:
    pictures(edits, "one.png", "x/two.bin")
    rows = [
        {"key": "p-0", "image": "one.png", "seed": 5},
        {"key": "p-0", "repeat": 1, "image": "x/two.bin"},
        {"key": "p-1", "category": "物理", "image": "one.png"},
        {"key": "p-1", "category": "physical", "repeat": 1, "image": None},
    ]

    run_id = run_of(giver, table(edits, *rows))

    assert list(giver.given(run_id).values()) == [A, B, A, "missing"]
    assert find_run(giver.ledger.engine, run_id).configuration["repeats"] == 2


def test_a_table_may_be_csv(giver: Giver, edits: Path) -> None:
    pictures(edits, "one.png", "two, or so.png")
    rows = ["\ufeffimage,key, repeat ,more", 'one.png,p-0,0,"a\nb"', '"two, or so.png",p-0, 1 ,', "", ",p-1,,"]

    run_id = run_of(giver, table(edits, *rows, name="edits.CSV"))

    assert list(giver.given(run_id).values()) == [A, B, "missing", "missing"]


@pytest.mark.parametrize(("name", "delimiter"), [("edits.csv", ";"), ("edits.tsv", "\t")])
def test_columns_may_be_parted_by_other_marks(giver: Giver, edits: Path, name: str, delimiter: str) -> None:
    pictures(edits, "one.png")
    rows = [delimiter.join(cells) for cells in (["key", "image"], ["p-0", "one.png"])]

    assert list(giver.given(run_of(giver, table(edits, *rows, name=name))).values()) == [A, "missing"]


def test_a_key_without_a_row_is_missing_and_says_so(giver: Giver, edits: Path) -> None:
    pictures(edits, "one.png")

    given = giver(table(edits, {"key": "p-1", "image": "one.png"}))

    assert (given.asked, given.missing, given.unused) == (2, 1, [])
    assert giver.given(given.submitted.run_id) == {("物理", "p-0", 0): "missing", ("物理", "p-1", 0): A}


def test_a_key_may_be_a_number_and_a_category_tells_which_is_meant(giver: Giver, edits: Path) -> None:
    giver.benchmark = benchmark_of(giver.folder, [("a", "1"), ("b", "1")])
    pictures(edits, "one.png", "two.png")
    rows = [{"key": 1, "category": "b", "image": "one.png"}, {"key": "1", "category": "a", "image": "two.png"}]

    assert list(giver.given(run_of(giver, table(edits, *rows))).values()) == [B, A]


GOOD = {"key": "p-0", "image": "one.png"}

ROWS = [
    ("{", "line 2: is not valid JSON: "),
    ("[1]", "line 2: expected an object, found a list"),
    ({"image": "one.png"}, "line 2: key is missing"),
    ({**GOOD, "key": " "}, "line 2: key is empty"),
    ({**GOOD, "key": 1.5}, "line 2: key: expected a text, found a number"),
    ({**GOOD, "key": "p-\x1b"}, "line 2: key contains a control character"),
    ({**GOOD, "key": "p-7"}, "line 2: the benchmark has no sample 'p-7'"),
    ({**GOOD, "category": "社会"}, "line 2: the benchmark has no category '社会'"),
    ({**GOOD, "category": 5}, "line 2: category: expected a text, found a number"),
    (GOOD, "line 2: sample 'p-0' (物理 (physical)): was named before, at line 1"),
    ({"key": "p-1", "repeat": -1}, "line 2: repeat: expected a whole number from 0 to 999, found -1"),
    ({"key": "p-1", "repeat": 1000, "image": "one.png"}, "line 2: repeat: expected a whole number from 0 to 999, "),
    ({"key": "p-1", "repeat": True, "image": "one.png"}, "line 2: repeat: expected a whole number from 0 to 999, "),
    ({"key": "p-1", "repeat": "0.0", "image": "one.png"}, "line 2: repeat: expected a whole number from 0 to 999, "),
    ({"key": "p-1", "image": 5}, "line 2: image: expected a text, found a number"),
    ({"key": "p-1", "image": "../secret.png"}, "line 2: image: '../secret.png' lies outside the table's folder"),
    ({"key": "p-1", "image": "/etc/passwd"}, "line 2: image: '/etc/passwd' lies outside the table's folder"),
    ({"key": "p-1", "image": "out.png"}, "line 2: image: 'out.png' lies outside the table's folder"),
    ({"key": "p-1", "image": "a\0b"}, "line 2: image: 'a\\x00b' cannot be read"),
    ({"key": "p-1", "image": "."}, "line 2: image: '.' lies outside the table's folder"),
    ({"key": "p-1", "image": "none.png"}, "line 2: image cannot be read: No such file or directory"),
    ({"key": "p-1", "image": "bad.png"}, "line 2: image is not decodable: none of PNG, "),
]  # fmt: skip


@pytest.mark.parametrize(("row", "expected"), ROWS, ids=[expected for _, expected in ROWS])
def test_a_row_that_does_not_hold_is_named_by_its_line(giver: Giver, edits: Path, row: Any, expected: str) -> None:
    pictures(edits, "one.png", bad=b"no image")
    pictures(giver.folder, "secret.png")
    (edits / "out.png").symlink_to(giver.folder / "secret.png")

    (fault,) = giver.faults(table(edits, GOOD, row))

    assert fault.startswith(expected)


def test_a_key_of_several_categories_must_say_which(giver: Giver, edits: Path) -> None:
    giver.benchmark = benchmark_of(giver.folder, [("a", "1"), ("b", "1"), ("b", "2")])
    rows = [{"key": "1", "image": "one.png"}, {"key": "2", "category": "a", "image": "one.png"}]

    faults = giver.faults(table(pictures(edits, "one.png"), *rows))

    assert faults == (
        "line 1: key '1' is in several categories: say which of a, b",
        "line 2: the benchmark has no sample '2' in category a",
    )


FIRST = "sample 'p-0' (物理 (physical))"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["key|image", "p-0|one.png"], "line 1: has no column 'key'; its columns are 'key|image'"),
        (["key,repeat", "p-0,0"], "line 1: has no column 'image'; its columns are 'key', 'repeat'"),
        ([], f"none of 2 samples has an image: looked for {FIRST}, the table names none"),
        (["key,image,key", "p-0,one.png,p-1"], "line 1: column 'key' is in the header more than once"),
        (["key,image,", "p-0,one.png,"], "line 1: column 3 of the header has no name"),
        (["key,image", "p-0,one.png", "p-1"], "line 3: expected 2 cells, as in the header, found 1"),
        (["key,image", 'p-0,"one.png'], "line 2: a quote that begins here is not closed before the end of the file"),
        (["key,image", "p-0,\0one.png"], "line 2: contains a NUL character"),
        (["key,image", f'p-0,"{"x" * 200_000}"'], "line 2: image cannot be read: File name too long"),
        (["key,image"], f"none of 2 samples has an image: looked for {FIRST}, the table names none"),
    ],
    ids=["other separators", "no images", "empty", "twice", "unnamed", "cells", "quote", "NUL", "long", "no rows"],
)  # fmt: skip
def test_a_table_that_is_no_csv_is_a_fault(giver: Giver, edits: Path, rows: list[str], expected: str) -> None:
    (fault,) = giver.faults(table(pictures(edits, "one.png"), *rows, name="edits.csv"))

    assert fault.startswith(expected)


def test_a_table_that_is_not_utf8_is_a_fault(giver: Giver, edits: Path) -> None:
    path = table(edits, name="edits.csv")
    path.write_bytes("key,image\nß,one.png".encode("latin-1"))

    assert giver.faults(path) == ("line 2: is not UTF-8: byte 10 is 0xDF; save the file as UTF-8",)


def test_a_misnumbered_repeat_does_not_ask_for_a_thousand_edits(giver: Giver, edits: Path) -> None:
    giver.benchmark = original_file(giver.folder, pairs=5)

    (fault,) = giver.faults(table(pictures(edits, "one.png"), GOOD, {**GOOD, "repeat": 999}))

    assert fault == "5 samples and 1,000 repeats are far more than the table has: is a repeat misnumbered?"


# -- submitted ---------------------------------------------------------------------------------------------------------


def test_a_message_is_sent_for_every_score_and_for_no_edit(giver: Giver, edits: Path) -> None:
    giver(pictures(edits, "p-0.png"), priority="high", scorers=["simulated", "psnr"])

    assert [(bell.stage, bell.priority) for bell in giver.sent] == [(Stage.SCORE, "high")] * 2


def test_the_same_images_go_on_where_they_stand_wherever_they_lie(giver: Giver, edits: Path) -> None:
    first = giver(pictures(edits, "p-0.png", "p-1.png")).submitted
    giver.ledger.cancel(first.run_id)
    elsewhere = edits.parent / "elsewhere" / "model-x"

    second = giver(pictures(elsewhere, "a/p-0.png", "b/p-1.png")).submitted

    assert (second.run_id, second.new) == (first.run_id, False)
    assert progress_of(giver.ledger.engine, first.run_id).scores.by_state == {State.QUEUED: 2}


def test_an_image_that_the_store_has_lost_is_stored_again(giver: Giver, edits: Path) -> None:
    run_id = run_of(giver, pictures(edits, "p-0.png", "p-1.png"))
    giver.images.path(digest_of(A)).unlink()
    assert len(list(findings(Inspection(giver.ledger, giver.images)))) == 1

    giver(edits)

    assert list(findings(Inspection(giver.ledger, giver.images))) == []
    assert giver.given(run_id)["物理", "p-0", 0] == A


def test_an_image_that_is_added_makes_another_run_in_which_it_is_not_missing(giver: Giver, edits: Path) -> None:
    first = giver(pictures(edits, "p-0.png"))
    second = giver(pictures(edits, "p-0.png", "p-1.png"))

    assert [one.missing for one in (first, second)] == [1, 0]
    assert second.submitted.new


# -- killed ------------------------------------------------------------------------------------------------------------


class MortalStore(FolderStore):
    """An image store into which every putting is a step."""

    def __init__(self, folder: Path, death: Death) -> None:
        super().__init__(folder)
        self._death = death

    def put(self, content: bytes) -> str:
        self._death.step()
        return super().put(content)


def attempt(folder: Path, death: Death, clock: Clock) -> Giver:
    """Submit an image and a missing one until death strikes; return what is left of it."""
    folder.mkdir(exist_ok=True)
    engine = open_engine(f"sqlite:///{folder / 'ledger.db'}")
    giver = Giver(folder, Ledger(engine, clock=clock), MortalStore(folder / "images", death))
    giver.benchmark = original_file(folder, pairs=3)
    pictures(folder / "model-x", "p-0.png", "p-1.png")
    with death.over(engine):
        giver(folder / "model-x")
    return giver


def test_images_that_are_killed_at_any_step_are_in_whole_or_not_at_all(tmp_path: Path, clock: Clock) -> None:
    whole = Death(1_000_000)
    attempt(tmp_path / "whole", whole, clock).ledger.engine.dispose()
    steps = 1_000_000 - whole.left
    assert steps > 20
    seen = set()
    for step in range(steps):
        folder = tmp_path / str(step)
        with pytest.raises(Killed):
            attempt(folder, Death(step), clock)
        engine = open_engine(f"sqlite:///{folder / 'ledger.db'}")
        left = [progress_of(engine, run.id) for run in all_runs(engine)]
        found = list(findings(Inspection(Ledger(engine), FolderStore(folder / "images"), None, repair=False)))
        engine.dispose()
        seen.add(len(left))
        assert not (left and found), step  # a run that is in has its images
        assert {(one.edits[State.DONE], one.edits[State.FAILED], one.scores.total) for one in left} <= {(2, 1, 2)}, step

        giver = attempt(folder, Death(1_000_000), clock)
        (run,) = all_runs(giver.ledger.engine)
        assert list(giver.given(run.id).values()) == [A, B, "missing"], step
        assert list(findings(Inspection(giver.ledger, giver.images, None, repair=False))) == [], step
        giver.ledger.engine.dispose()
    assert seen == {0, 1}


# -- the command -------------------------------------------------------------------------------------------------------


@pytest.mark.integration
def test_the_command_prints_the_run_and_says_what_is_missing_and_what_belongs_to_nobody(shell: Shell) -> None:
    file = original_file(shell.folder, pairs=3)
    edits = pictures(shell.folder / "qwen-2.5", "p-0.png", "p-1.png", "grid.png")

    first = shell("submit", file, "--edits", edits, "--scorer", "simulated")
    second = shell("submit", file, "--edits", edits, "--scorer", "simulated", "--editor", "mine")

    assert (first.code, len(first.out.strip())) == (0, 12)
    said = f"1 of 3 edits have no image in {edits}: they count as failed\n1 image file belongs to no sample: grid.png\n"
    assert first.err == said
    with shell.ledger() as ledger:
        labels = [run.configuration["editor"]["label"] for run in all_runs(ledger.engine)]
    assert labels == ["mine", "qwen-2.5"]
    assert second.out != first.out
    assert [len(found) for name, found in shell.messages().items() if name.startswith("score")] == [4]
    assert not [name for name in shell.messages() if name.startswith("edit")]


@pytest.mark.integration
def test_what_is_about_making_edits_is_refused_in_a_line(shell: Shell) -> None:
    file = original_file(shell.folder)
    edits = pictures(shell.folder / "x", "p-0.png", "p-1.png")
    for flags, named in (
        (("--seed", "0"), "--seed is about making edits"),
        (("--fresh",), "--fresh is about making edits"),
        (("--repeats", "1"), "a table says by its `repeat` how many"),
        (("--set", "editor.steps=4"), "--set editor.steps=4 is about making edits"),
        (("--editor", "a\x1b"), "--editor: the label contains a control character"),
        (("--scorer", "nobody"), "no scorer is called 'nobody'"),
    ):
        refused = shell("submit", file, "--edits", edits, *flags)
        assert named in refused.complaint
        assert refused.code == 2
    assert "name them with --edits" in shell("submit", file, "--editor", "given").complaint
    assert not (shell.home / "images").exists()


@pytest.mark.integration
def test_of_a_file_only_what_is_not_about_making_edits_counts(shell: Shell) -> None:
    (shell.folder / "run.yaml").write_text(
        "editor: {name: diffusers, model: some/weights}\nscorers: [psnr]\nseed: 3\nrepeats: 4\nfresh: true\nlimit: 1\n"
    )
    edits = pictures(shell.folder / "x", "p-0.png", "p-1.png")

    done = shell("submit", original_file(shell.folder), "--edits", edits, "--config", "run.yaml")

    assert done.code == 0, done.err
    with shell.ledger() as ledger:
        (run,) = all_runs(ledger.engine)
    found = run.configuration
    assert (found["editor"]["name"], found["seed"], found["repeats"], found["limit"]) == ("given", 0, 1, 1)
    assert [scorer["name"] for scorer in found["scorers"]] == ["psnr"]


@pytest.mark.integration
def test_a_run_of_given_images_can_be_asked_about_and_done_again_as_far_as_it_can(shell: Shell) -> None:
    file = original_file(shell.folder, {"categories": {"物理": [pair("p-0"), pair("p-1")]}})
    edits = pictures(shell.folder / "x", "p-0.png")
    run_id = shell("submit", file, "--edits", edits, "--scorer", "simulated").out.strip()

    again = shell("rescore", run_id, "--scorer", "preservation")
    assert again.code == 0, again.err
    assert "1 edits are there already" in again.err
    assert "queued 0 failed jobs" in shell("retry", run_id).err
    refused = shell("retry", run_id, "--kind", "missing")
    assert (refused.code, "submit that again" in refused.complaint) == (2, True)
    shown = json.loads(shell("show", run_id, "p-1", "--json").out)["edits"][0]
    assert (shown["failure"]["kind"], shown["seed"]) == ("missing", None)
    status = json.loads(shell("status", run_id, "--json").out)
    assert (status["missing"], status["edits"]["failed"]) == (1, 1)
    assert "1 edit failed as missing: no image was given" in shell("status", run_id).out
    assert shell("fsck").code == shell("gc").code == 0
    replayed = shell("replay", run_id, "p-0")
    assert (replayed.code, "edit of p-0" in replayed.out, "score of p-0" in replayed.out) == (0, False, True)
    for flags in (("--stage", "edit"), ("--new-image",), ("-o", "x.png")):
        assert "were given: no editor can make one again" in shell("replay", run_id, "p-0", *flags).complaint
    overall = json.loads(shell("report", run_id, "--json").out)["scorers"][0]["dimensions"][0]["overall"]
    assert (overall["n"], overall["failed"]["missing"], overall["failed"]["edit_failed"]) == (2, 1, 0)
