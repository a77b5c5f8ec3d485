"""The image store in a bucket, where a name cannot be taken in one step: what is set aside is never lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine

from db.engine import open_engine
from db.errors import StoreRefused
from db.images.remote import RemoteStore
from db.images.store import PROBE
from db.ledger import Ledger
from db.upkeep.gc import Removed, collect
from tests.db.shelves import DAY, BucketShelf, later
from tests.db.test_gc import sample_of
from tests.factories import enter, png

pytestmark = pytest.mark.integration


@pytest.fixture
def engine(sqlite_url: str) -> Iterator[Engine]:
    """An engine on an empty ledger; its kind is no matter to a store."""
    engine = open_engine(sqlite_url)
    yield engine
    engine.dispose()


@contextmanager
def late_removal(patch: pytest.MonkeyPatch, meanwhile: Callable[[], object]) -> Iterator[None]:
    """Let something happen whenever images are copied and about to be removed."""
    remove = RemoteStore._remove

    def late(store: RemoteStore, keys: list[str]) -> None:
        if PROBE not in keys[0]:
            meanwhile()
        remove(store, keys)

    with patch.context() as patched:
        patched.setattr(RemoteStore, "_remove", late)
        yield


def test_an_image_put_amid_being_set_aside_is_read_from_its_copy(
    remote: RemoteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = remote.put(png())

    with late_removal(monkeypatch, lambda: remote.put(png())):
        remote.set_aside(list(remote.stored()))

    assert list(remote.stored()) == []
    assert remote.get(digest) == png()
    assert remote.fault(digest) is None


def test_a_copy_is_kept_until_whoever_put_its_image_must_have_committed(
    ledger: Ledger, bucket_shelf: BucketShelf, remote: RemoteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(ledger)
    red, blue = png(colour="red"), png(colour="blue")
    digest, orphan = remote.put(red), remote.put(blue)

    with late_removal(monkeypatch, lambda: remote.put(red)):
        assert collect(ledger.engine, remote, older_than_seconds=DAY, now=later(2)) == Removed(aside=2)
    assert collect(ledger.engine, remote, older_than_seconds=DAY, now=later(0.9)) == Removed()
    assert {one.digest for one in remote.all_set_aside()} == {digest, orphan}
    sample_of(ledger.engine, digest)  # whoever put it commits
    assert collect(ledger.engine, remote, older_than_seconds=DAY, now=later(1.1)) == Removed(1, len(blue))

    assert remote.get(digest) == red
    assert bucket_shelf.names() == [f"{digest[:2]}/{digest}"]


def test_a_second_gc_puts_nothing_back_from_which_the_first_is_about_to_take_its_name(
    ledger: Ledger, remote: RemoteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(ledger)
    digest = remote.put(png(colour="red"))

    def meanwhile() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(RemoteStore, "_remove", remove)
            sample_of(ledger.engine, remote.put(png(colour="red")))
            collect(ledger.engine, remote, older_than_seconds=DAY)

    remove = RemoteStore._remove
    with late_removal(monkeypatch, meanwhile):
        assert collect(ledger.engine, remote, older_than_seconds=DAY, now=later(2)) == Removed(aside=1)

    assert remote.get(digest) == png(colour="red")


def test_an_image_put_back_while_it_is_looked_for_is_found(
    remote: RemoteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = remote.put(png())
    remote.set_aside(list(remote.stored()))
    look = RemoteStore._aside

    def late(store: RemoteStore, digest: str) -> Any:
        found = look(store, digest)
        for one in found:
            store.put_back(one)
        return found

    monkeypatch.setattr(RemoteStore, "_aside", late)
    assert remote.get(digest) == png()


def test_a_damaged_copy_is_not_put_back_over_an_image_that_was_mended(
    bucket_shelf: BucketShelf, remote: RemoteStore
) -> None:
    digest = remote.put(png())
    bucket_shelf.overwrite(digest, b"half")
    remote.set_aside(list(remote.stored()))
    remote.put(png())

    assert remote.restore(digest)

    assert remote.get(digest) == png()
    assert bucket_shelf.names() == [f"{digest[:2]}/{digest}"]


def test_a_gc_that_may_remove_nothing_says_so_and_copies_nothing(
    ledger: Ledger, remote: RemoteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(ledger)
    remote.put(png(colour="red"))
    monkeypatch.setattr(RemoteStore, "_remove", lambda *_: None)  # as S3 answers where one may not
    with pytest.raises(StoreRefused, match="does not let its objects be removed"):
        collect(ledger.engine, remote, older_than_seconds=DAY, now=later(2))
    assert list(remote.all_set_aside()) == []
