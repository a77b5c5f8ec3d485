"""Every image store alike, in a folder or in a bucket: what went in comes out unchanged, or not at all."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from db.engine import open_engine
from db.errors import WrongCall
from db.images import DAMAGED, MISSING, ImageMissing, digest_of
from db.ledger import Ledger
from db.tables import Stage
from db.upkeep.finding import Inspection, Standing
from db.upkeep.fsck import findings
from db.upkeep.gc import Removed, collect
from tests.db.shelves import DAY, BucketShelf, FolderShelf, Shelf, later
from tests.db.steps import claimed, finish_edit, job_ids
from tests.db.test_ledger_threads import at_once
from tests.factories import enter, png
from tests.s3 import S3Server

pytestmark = pytest.mark.integration

ORPHAN = png(colour="red")


@pytest.fixture(params=["folder", "bucket"])
def shelf(request: pytest.FixtureRequest, s3_server: S3Server) -> Shelf:
    """An empty store of each kind."""
    if request.param == "folder":
        return FolderShelf(request.getfixturevalue("images"))
    return BucketShelf(request.getfixturevalue("remote"), s3_server.client())


@pytest.fixture
def engine(sqlite_url: str) -> Iterator[Engine]:
    """An engine on an empty ledger; its kind is no matter to a store."""
    engine = open_engine(sqlite_url)
    yield engine
    engine.dispose()


# -- put and got -------------------------------------------------------------------------------------------------------


def test_what_goes_in_comes_out(shelf: Shelf) -> None:
    digest = shelf.images.put(png())
    assert shelf.images.fault(digest) is None
    assert shelf.images.get(digest) == png()
    assert shelf.names() == [f"{digest[:2]}/{digest}"]


def test_an_image_that_was_never_stored_is_missing(shelf: Shelf) -> None:
    digest = digest_of(b"never stored")
    assert shelf.images.fault(digest) == MISSING
    with pytest.raises(ImageMissing, match=f"image {digest} is not in the store"):
        shelf.images.get(digest)


@pytest.mark.parametrize("damage", [png()[:-1], b""])
def test_a_damaged_image_is_refused_and_mended_by_putting_it_again(shelf: Shelf, damage: bytes) -> None:
    digest = shelf.images.put(png())
    shelf.overwrite(digest, damage)
    assert shelf.images.fault(digest) == DAMAGED
    with pytest.raises(ImageMissing, match=f"image {digest} .* is damaged"):
        shelf.images.get(digest)

    shelf.images.put(png())

    assert shelf.images.get(digest) == png()
    assert shelf.names() == [f"{digest[:2]}/{digest}"]


def test_an_image_that_is_put_again_is_young_again(shelf: Shelf) -> None:
    digest = shelf.images.put(png())
    first = shelf.young_since(digest)
    deadline = time.monotonic() + 5
    while shelf.young_since(digest) <= first:  # S3 counts in whole seconds
        assert time.monotonic() < deadline
        time.sleep(0.1)
        shelf.images.put(png())


def test_many_threads_may_use_one_store_at_once(shelf: Shelf) -> None:
    pictures = [png(width=number + 1) for number in range(4)]

    def work(number: int) -> bytes:
        return shelf.images.get(shelf.images.put(pictures[number % 4]))

    assert at_once(12, work) == [pictures[number % 4] for number in range(12)]
    assert len(shelf.names()) == 4


PUT = """
import sys
from db.images.address import open_store
open_store(sys.argv[1]).put(sys.stdin.buffer.read())
"""


def test_several_processes_may_store_the_same_content_at_once(shelf: Shelf) -> None:
    command = [sys.executable, "-c", PUT, str(shelf.images.folder or shelf.images)]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE) for _ in range(2)]
    for process in processes:
        process.communicate(png(), timeout=60)

    assert [process.returncode for process in processes] == [0, 0]
    assert shelf.images.get(digest_of(png())) == png()
    assert len(shelf.names()) == 1


# -- listed ------------------------------------------------------------------------------------------------------------


def test_an_empty_store_lists_nothing(shelf: Shelf) -> None:
    assert [*shelf.images.stored(), *shelf.images.unfinished(), *shelf.images.all_set_aside()] == []


def test_images_are_listed_in_the_order_of_their_digests_with_their_sizes(shelf: Shelf) -> None:
    pictures = {shelf.images.put(content): content for content in (png(width=number + 1) for number in range(9))}

    found = list(shelf.images.stored())

    assert [(one.digest, one.bytes) for one in found] == [(name, len(pictures[name])) for name in sorted(pictures)]
    assert all(abs(one.modified_at - time.time()) < 60 for one in found)


def test_what_is_none_of_the_stores_is_neither_listed_nor_removed(ledger: Ledger, shelf: Shelf) -> None:
    enter(ledger)
    folder = shelf.images.put(ORPHAN)[:2]
    for name in ("notes.txt", f"{folder}/notes.txt", f"{folder}/{'A' * 64}"):
        shelf.write(name, b"mine")

    for days in (2, 4):
        collect(ledger.engine, shelf.images, older_than_seconds=DAY, now=later(days))

    assert sorted(shelf.names()) == sorted(["notes.txt", f"{folder}/notes.txt", f"{folder}/{'A' * 64}"])


# -- set aside and removed ---------------------------------------------------------------------------------------------


def swept(ledger: Ledger, shelf: Shelf, *, days: float = 2, dry_run: bool = False) -> Removed:
    return collect(ledger.engine, shelf.images, older_than_seconds=DAY, now=later(days), dry_run=dry_run)


def test_what_no_row_names_goes_and_what_a_row_names_stays(ledger: Ledger, shelf: Shelf) -> None:
    run_id = enter(ledger)
    source, edited, _ = shelf.images.put(png()), shelf.images.put(png(colour="pink")), shelf.images.put(ORPHAN)
    edit = claimed(ledger, job_ids(ledger, Stage.EDIT, run_id)[0])
    assert finish_edit(ledger, edit, edited, seconds=1)

    removed = swept(ledger, shelf) + swept(ledger, shelf, days=4)

    assert (removed.files, removed.bytes) == (1, len(ORPHAN))
    assert shelf.names() == sorted(f"{digest[:2]}/{digest}" for digest in (source, edited))


def test_a_young_image_stays_for_its_row_may_be_about_to_be_committed(ledger: Ledger, shelf: Shelf) -> None:
    enter(ledger)
    shelf.images.put(ORPHAN)
    assert swept(ledger, shelf, days=0.9) == Removed()


def test_a_dry_run_says_the_same_and_changes_nothing(ledger: Ledger, shelf: Shelf) -> None:
    enter(ledger)
    shelf.images.put(ORPHAN)
    for days in (2, 4):
        names = shelf.names()
        dry = swept(ledger, shelf, days=days, dry_run=True)
        assert shelf.names() == names
        assert swept(ledger, shelf, days=days) == dry
    assert shelf.names() == []


def test_a_ledger_that_names_no_image_is_not_the_one_of_this_store(ledger: Ledger, shelf: Shelf) -> None:
    shelf.images.put(ORPHAN)
    with pytest.raises(WrongCall, match="FARM_DATABASE_URL and FARM_IMAGES"):
        swept(ledger, shelf)
    assert len(shelf.names()) == 1


def test_what_is_set_aside_is_restored(shelf: Shelf) -> None:
    digest = shelf.images.put(png())
    (aside,) = shelf.images.set_aside(list(shelf.images.stored()))
    assert list(shelf.images.stored()) == []
    assert [(one.name, one.digest) for one in shelf.images.all_set_aside()] == [(aside.name, digest)]

    assert shelf.images.restore(digest)

    assert shelf.images.get(digest) == png()
    assert shelf.names() == [f"{digest[:2]}/{digest}"]
    assert not shelf.images.restore(digest)


def test_an_image_that_is_gone_by_now_is_not_set_aside(shelf: Shelf) -> None:
    digest = shelf.images.put(png())
    seen = list(shelf.images.stored())
    shelf.lose(digest)
    assert shelf.images.set_aside(seen) == []
    assert shelf.names() == []


def test_what_a_row_names_by_now_is_put_back_by_the_next_gc(ledger: Ledger, shelf: Shelf) -> None:
    digest = shelf.images.put(png())
    shelf.images.set_aside(list(shelf.images.stored()))
    enter(ledger)  # a sample of this image

    assert swept(ledger, shelf) == Removed()

    assert shelf.names() == [f"{digest[:2]}/{digest}"]


# -- fsck --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", [None, b"half"], ids=["missing", "damaged"])
def test_fsck_finds_a_lost_image(ledger: Ledger, shelf: Shelf, damage: bytes | None) -> None:
    enter(ledger)
    digest = shelf.images.put(png())
    assert list(findings(Inspection(ledger, shelf.images))) == []
    shelf.lose(digest)
    if damage is not None:
        shelf.overwrite(digest, damage)

    found = next(findings(Inspection(ledger, shelf.images)))

    assert (found.standing, found.what) == (
        Standing.LEFT,
        f"source image {digest} is {'missing' if damage is None else 'damaged'}",
    )
