"""gc: what no row names goes, in its time; what a row names, or may be about to name, stays."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from db.errors import WrongCall
from db.images import FolderStore, Stored, digest_of
from db.intake import enter_samples
from db.ledger import Ledger
from db.tables import Stage
from db.upkeep.gc import Removed, collect, settle, unnamed
from tests.db.steps import claimed, finish_edit, job_ids
from tests.db.test_ledger_threads import at_once
from tests.factories import content_digest, enter, png

DAY = 86400.0
ORPHAN = png(colour="red")


def aged(images: FolderStore, content: bytes, seconds: float = 2 * DAY) -> str:
    """Put an image that looks as if it had been put so long ago."""
    digest = images.put(content)
    age(images.path(digest), seconds)
    return digest


def age(path: Path, seconds: float = 2 * DAY) -> None:
    os.utime(path, (time.time() - seconds,) * 2)


def swept(ledger: Ledger, images: FolderStore, **given: bool) -> Removed:
    return collect(ledger.engine, images, older_than_seconds=DAY, **given)


def files_of(images: FolderStore) -> list[str]:
    return sorted(path.name for path in images.folder.rglob("*") if path.is_file())


def sample_of(engine: Engine, source: str, reference: str | None = None) -> None:
    """Enter a benchmark of one sample with these images."""
    row = {
        "position": 0,
        "key": "p",
        "category": "物理",
        "instruction": "make it rain",
        "description": None,
        "source_image": source,
        "reference_image": reference,
    }
    enter_samples(engine, content_digest([row]), "made up", 1, [[row]])


@pytest.fixture
def before(ledger: Ledger) -> float:
    """The time before which gc takes an image for old; the ledger names images, none of them in the store."""
    enter(ledger)
    return time.time() - DAY


# -- what goes and what stays ------------------------------------------------------------------------------------------


def test_an_image_that_is_put_and_never_committed_goes_after_its_time(ledger: Ledger, images: FolderStore) -> None:
    run_id = enter(ledger)
    claim = claimed(ledger, job_ids(ledger, Stage.EDIT, run_id)[0])
    ledger.cancel(run_id)
    orphan = aged(images, ORPHAN)
    assert finish_edit(ledger, claim, orphan, seconds=1) is None

    removed = swept(ledger, images)

    assert removed == Removed(1, len(ORPHAN))
    assert files_of(images) == []


def test_an_image_that_a_row_names_stays_however_old(ledger: Ledger, images: FolderStore) -> None:
    named = [aged(images, png(colour=colour)) for colour in ("teal", "green", "blue", "pink")]
    enter_run = enter(ledger)
    assert named[0] == digest_of(png())
    sample_of(ledger.engine, named[1], named[2])
    edit = claimed(ledger, job_ids(ledger, Stage.EDIT, enter_run)[0])
    assert finish_edit(ledger, edit, named[3], seconds=1)

    assert swept(ledger, images) == Removed()
    assert files_of(images) == sorted(named)


def test_a_young_image_stays_for_its_row_may_be_about_to_be_committed(
    ledger: Ledger, images: FolderStore, before: float
) -> None:
    young = aged(images, ORPHAN, seconds=DAY - 60)

    assert swept(ledger, images) == Removed()
    assert files_of(images) == [young]


def test_leftovers_of_a_writer_that_died_go_after_their_time(ledger: Ledger, images: FolderStore) -> None:
    folder = images.path(images.put(png())).parent
    for name in (".writing-old", ".writing-young"):
        (folder / name).write_bytes(b"half an image")
    age(folder / ".writing-old")

    assert swept(ledger, images) == Removed(1, len(b"half an image"))
    assert files_of(images) == [".writing-young", digest_of(png())]


def test_what_is_no_file_of_the_store_is_left_alone(ledger: Ledger, images: FolderStore, before: float) -> None:
    images.put(png())
    strangers = [images.folder / "notes.txt", images.path(digest_of(png())).with_name("notes.txt")]
    for stranger in strangers:
        stranger.write_text("mine")
        age(stranger)

    assert swept(ledger, images) == Removed()
    assert all(stranger.exists() for stranger in strangers)


def test_a_dry_run_counts_the_same_and_removes_nothing(ledger: Ledger, images: FolderStore, before: float) -> None:
    aged(images, ORPHAN)
    aged(images, png(colour="blue"))
    left = images.path(digest_of(ORPHAN)).with_name(".writing-old")
    left.write_bytes(b"half")
    age(left)
    files = files_of(images)

    dry = swept(ledger, images, dry_run=True)

    assert files_of(images) == files
    assert swept(ledger, images) == dry == Removed(3, len(ORPHAN) + len(png(colour="blue")) + 4)


def test_an_empty_store_or_none_at_all_is_nothing_to_do(ledger: Ledger, images: FolderStore) -> None:
    assert swept(ledger, images) == Removed()


def test_a_ledger_that_names_no_image_is_not_the_one_of_this_store(ledger: Ledger, images: FolderStore) -> None:
    orphan = aged(images, ORPHAN)

    with pytest.raises(WrongCall, match="FARM_DATABASE_URL and FARM_IMAGES"):
        swept(ledger, images)

    assert files_of(images) == [orphan]


def test_more_images_than_a_page_holds_are_all_looked_at(ledger: Ledger, images: FolderStore, before: float) -> None:
    for number in range(1200):
        path = images.path(digest_of(str(number).encode()))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"1")
        age(path)

    assert swept(ledger, images) == Removed(1200, 1200)
    assert files_of(images) == []


# -- beside running work -----------------------------------------------------------------------------------------------


def test_an_image_put_again_before_it_was_set_aside_is_put_back(
    ledger: Ledger, images: FolderStore, before: float
) -> None:
    digest = aged(images, ORPHAN)
    seen = unnamed(ledger.engine, list(images.stored()), before)
    images.put(ORPHAN)

    removed = settle(ledger.engine, images, images.set_aside(seen), before)

    assert removed == Removed()
    assert files_of(images) == [digest]


def test_an_image_put_again_while_it_is_set_aside_is_written_anew(
    ledger: Ledger, images: FolderStore, before: float
) -> None:
    digest = aged(images, ORPHAN)
    aside = images.set_aside(list(images.stored()))
    images.put(ORPHAN)

    removed = settle(ledger.engine, images, aside, before)

    assert removed == Removed(1, len(ORPHAN))
    assert images.get(digest) == ORPHAN
    assert files_of(images) == [digest]


def test_an_image_removed_amid_being_put_again_is_written_anew(
    ledger: Ledger, images: FolderStore, before: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = aged(images, ORPHAN)
    renew = os.utime
    removed: list[Removed] = []

    def a_moment_late(path: Path) -> None:
        removed.append(swept(ledger, images))
        renew(path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "utime", a_moment_late)
        images.put(ORPHAN)

    assert removed == [Removed(1, len(ORPHAN))]
    assert images.get(digest) == ORPHAN


def test_a_damaged_image_that_was_mended_meanwhile_is_not_put_back(
    ledger: Ledger, images: FolderStore, before: float
) -> None:
    digest = aged(images, ORPHAN)
    images.path(digest).write_bytes(b"half")
    age(images.path(digest))
    aside = images.set_aside(list(images.stored()))
    sample_of(ledger.engine, images.put(ORPHAN))

    settle(ledger.engine, images, aside, before)

    assert images.get(digest) == ORPHAN
    assert files_of(images) == [digest]


def test_no_gc_removes_what_another_has_set_aside_since_it_looked(
    ledger: Ledger, images: FolderStore, before: float
) -> None:
    digest = aged(images, ORPHAN)
    seen = list(images.stored())
    ours = images.set_aside(seen)
    theirs: list[Stored] = []

    def meanwhile(*_args: object) -> None:
        images.put(ORPHAN)
        theirs.extend(images.set_aside(seen))

    event.listen(ledger.engine, "before_cursor_execute", meanwhile, once=True)
    settle(ledger.engine, images, ours, before)
    settle(ledger.engine, images, theirs, before)

    assert len(theirs) == 1
    assert images.get(digest) == ORPHAN


def test_an_image_that_a_row_names_since_the_first_look_is_put_back(
    ledger: Ledger, images: FolderStore, before: float
) -> None:
    digest = aged(images, ORPHAN)
    aside = images.set_aside(unnamed(ledger.engine, list(images.stored()), before))
    sample_of(ledger.engine, digest)

    assert settle(ledger.engine, images, aside, before) == Removed()
    assert images.get(digest) == ORPHAN
    assert files_of(images) == [digest]


def test_what_a_gc_that_died_has_set_aside_is_put_back_or_removed_by_the_next(
    ledger: Ledger, images: FolderStore, before: float
) -> None:
    aged(images, ORPHAN)
    named, young = aged(images, png(colour="green")), images.put(png(colour="blue"))
    images.set_aside(list(images.stored()))
    sample_of(ledger.engine, named)
    assert all(name.startswith(".trash-") for name in files_of(images))

    dry = swept(ledger, images, dry_run=True)

    assert swept(ledger, images) == dry == Removed(1, len(ORPHAN))
    assert files_of(images) == sorted([named, young])


def test_an_image_that_is_set_aside_and_there_again_is_kept_once(
    ledger: Ledger, images: FolderStore, before: float
) -> None:
    digest = images.put(ORPHAN)
    images.set_aside(list(images.stored()))
    images.put(ORPHAN)

    assert swept(ledger, images) == Removed()
    assert files_of(images) == [digest]


def test_writers_and_several_gcs_at_once_lose_nothing_that_was_put(
    ledger: Ledger, images: FolderStore, before: float
) -> None:
    for number in range(60):
        digest = aged(images, ORPHAN)

        def work(who: int, pause: float = random.Random(number).uniform(0, 0.004)) -> None:
            if who == 0:
                time.sleep(pause)
                images.put(ORPHAN)
            else:
                swept(ledger, images)

        at_once(3, work)
        assert images.fault(digest) is None
