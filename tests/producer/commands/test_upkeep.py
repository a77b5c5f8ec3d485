"""`fsck` and `gc` as a user meets them: real processes, their output, their exit codes."""

from __future__ import annotations

import json
import os
import time

import pytest

from db.doorbells import take_owed
from db.images import FolderStore, digest_of
from db.ledger import Ledger
from db.tables import Stage
from tests.factories import original_file, png
from tests.producer.by_hand import RunByHand
from tests.producer.shell import Shell

pytestmark = pytest.mark.integration

ORPHAN = png(colour="red")


@pytest.fixture
def images(shell: Shell) -> FolderStore:
    """The image store that the commands see."""
    return FolderStore(shell.home / "images")


@pytest.fixture
def run(ledger: Ledger, images: FolderStore) -> RunByHand:
    """A run with one edit of three made; every image is in the store."""
    images.put(png())
    images.put(b"")  # the image that edits made by hand have
    run = RunByHand(ledger)
    run.edit("a")
    return run


def lose(images: FolderStore, content: bytes) -> str:
    path = images.path(digest_of(content))
    path.unlink()
    return path.name


# -- fsck --------------------------------------------------------------------------------------------------------------


def test_fsck_of_a_sound_farm_says_so(shell: Shell, run: RunByHand) -> None:
    done = shell("fsck")

    assert (done.code, done.complaint) == (0, "nothing is wrong")


def test_fsck_of_a_farm_that_has_done_nothing_yet_is_no_mistake(shell: Shell) -> None:
    assert shell("fsck").code == 0
    assert shell("fsck", "--json").out == "[]\n"


def test_fsck_that_repaired_all_names_it_in_a_line_and_is_content(
    shell: Shell, run: RunByHand, images: FolderStore
) -> None:
    lost = lose(images, b"")

    done, again = shell("fsck", run.id[:6]), shell("fsck")

    assert (done.code, done.err) == (0, "1 found: 1 repaired\n")
    assert done.out == (
        f"run {run.id}, edit 1 of 'a' (社会): edited image {lost} is missing; edit queued again, its scores forgotten\n"
    )
    assert (again.code, again.out) == (0, "")
    assert len(take_owed(run.ledger, Stage.EDIT)) == 3


def test_fsck_that_leaves_something_says_what_to_do_and_ends_with_1(
    shell: Shell, run: RunByHand, images: FolderStore
) -> None:
    lose(images, png())

    done = shell("fsck", "latest")

    assert (done.code, done.err) == (1, "3 found: 3 left for you\n")
    assert all("submit the benchmark again" in line for line in done.out.splitlines())


def test_a_dry_run_of_fsck_ends_with_1_for_what_it_could_repair(
    shell: Shell, run: RunByHand, images: FolderStore
) -> None:
    lose(images, b"")

    dry, wet = shell("fsck", "--dry-run"), shell("fsck")

    assert (dry.code, dry.err) == (1, "1 found: 1 to repair\n")
    assert "without --dry-run: edit queued again" in dry.out
    assert (wet.code, wet.err) == (0, "1 found: 1 repaired\n")


def test_fsck_as_json_has_every_finding(shell: Shell, run: RunByHand, images: FolderStore) -> None:
    lose(images, png())
    lost = lose(images, b"")

    done = shell("fsck", "--json", "--dry-run")

    found = json.loads(done.out)
    assert (done.code, len(found)) == (1, 4)
    assert found[3] == {
        "where": f"run {run.id}, edit 1 of 'a' (社会)",
        "what": f"edited image {lost} is missing, and so is its source",
        "standing": "left",
        "remedy": "submit the benchmark again, then fsck again",
    }


def test_submitting_again_mends_what_fsck_left(shell: Shell, ledger: Ledger, images: FolderStore) -> None:
    path = original_file(shell.folder)
    shell("submit", path)
    images.path(digest_of(png())).write_bytes(b"half")

    before, submitted, after = shell("fsck"), shell("submit", path), shell("fsck")

    assert (before.code, submitted.code, after.code) == (1, 0, 0)
    assert "is damaged; submit the benchmark again" in before.out


def test_what_a_benchmark_says_cannot_act_on_the_terminal(shell: Shell, ledger: Ledger, images: FolderStore) -> None:
    RunByHand(ledger, [("物\x1b[2J\n理", "a\nb\x1b[2J")])

    done = shell("fsck")

    assert len(done.out.splitlines()) == 1
    assert "\x1b" not in done.out


def test_fsck_of_an_unknown_run_is_a_wrong_call(shell: Shell) -> None:
    done = shell("fsck", "nope")

    assert (done.code, done.complaint) == (2, "error: the ledger has no run 'nope'")


# -- gc ----------------------------------------------------------------------------------------------------------------


def test_gc_removes_what_no_run_names_once_it_is_old(shell: Shell, run: RunByHand, images: FolderStore) -> None:
    orphan = images.path(images.put(ORPHAN))
    os.utime(orphan, (time.time() - 3 * 3600,) * 2)
    young, dry = shell("gc"), shell("gc", "--older-than", "2", "--dry-run")
    assert orphan.exists()

    done = shell("gc", "--older-than", "2")

    assert [each.code for each in (young, dry, done)] == [0, 0, 0]
    assert young.out == "removed 0 files, 0 bytes\n"
    assert dry.out == f"would remove 1 file, {len(ORPHAN)} bytes\n"
    assert done.out == f"removed 1 file, {len(ORPHAN)} bytes\n"
    assert sorted(path.name for path in shell.images()) == sorted([digest_of(png()), digest_of(b"")])
    assert shell("fsck").code == 0


def test_gc_of_a_ledger_that_belongs_to_other_images_is_a_wrong_call(
    shell: Shell, ledger: Ledger, images: FolderStore
) -> None:
    os.utime(images.path(images.put(ORPHAN)), (1, 1))

    done = shell("gc")

    assert done.code == 2
    assert "do FARM_DATABASE_URL and FARM_IMAGES belong together?" in done.complaint
    assert len(shell.images()) == 1


def test_gc_never_takes_what_is_less_than_an_hour_old(shell: Shell) -> None:
    assert shell("gc", "--older-than", "0").code == 2


# -- remove ------------------------------------------------------------------------------------------------------------


def test_remove_asks_first_and_gc_takes_the_images(shell: Shell, run: RunByHand, images: FolderStore) -> None:
    unasked = shell("remove", run.id)
    done = shell("remove", run.id[:6], "--yes")

    assert (unasked.code, "without a terminal, --yes says so" in unasked.complaint) == (2, True)
    assert (done.code, done.out) == (0, "")
    assert done.err == (f"removed run {run.id} (评测, simulated): 3 edits, 2 scores, and its benchmark, of 3 samples\n")
    assert shell("remove", run.id, "--yes").complaint == f"error: the ledger has no run {run.id!r}"
