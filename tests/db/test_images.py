"""The image store: what went in comes out unchanged, or not at all."""

from __future__ import annotations

import errno
import itertools
import os
import stat
import threading
import time
from pathlib import Path

import pytest

from db.images import DAMAGED, MISSING, FolderStore, ImageMissing, digest_of, faults_among
from db.images.store import CHECKED_AT_ONCE
from tests.db.test_ledger_threads import at_once
from tests.factories import png


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_what_goes_in_comes_out(images: FolderStore) -> None:
    digest = images.put(png())
    assert images.fault(digest) is None
    assert images.get(digest) == png()


def test_an_image_is_named_by_the_sha_256_of_its_bytes(images: FolderStore) -> None:
    digest = images.put(b"abc")
    assert digest == digest_of(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert images.path(digest) == images.folder / "ba" / digest


def test_the_same_content_is_stored_once(images: FolderStore) -> None:
    digest = images.put(png())
    written = images.path(digest).stat()
    assert images.put(png()) == digest
    assert files_below(images.folder) == [images.path(digest)]
    assert images.path(digest).stat().st_ino == written.st_ino


def test_many_may_store_the_same_content_at_once(images: FolderStore) -> None:
    digests = at_once(8, lambda _number: images.put(png()))
    assert len(set(digests)) == 1
    assert files_below(images.folder) == [images.path(digests[0])]


def test_an_image_that_was_never_stored_is_missing(images: FolderStore) -> None:
    digest = digest_of(b"never stored")
    assert images.fault(digest) == MISSING
    with pytest.raises(ImageMissing, match=f"image {digest} is not in the store"):
        images.get(digest)


def test_a_damaged_file_is_refused(images: FolderStore) -> None:
    digest = images.put(png())
    images.path(digest).write_bytes(png()[:-1])
    assert images.fault(digest) == DAMAGED
    with pytest.raises(ImageMissing, match=f"image {digest} .* is damaged"):
        images.get(digest)


def test_a_store_that_cannot_be_made_is_an_os_error_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "images").write_text("a file in the place of the folder")
    store = FolderStore(tmp_path / "images")
    with pytest.raises(OSError, match="images"):
        store.put(png())
    assert files_below(tmp_path) == [tmp_path / "images"]


def test_a_disk_that_is_full_leaves_no_half_image_and_no_temporary_file(
    images: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync = os.fsync

    def full(handle: int) -> None:
        if stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        images.put(png())
    assert files_below(images.folder) == []


def test_an_interrupt_amid_the_writing_leaves_no_temporary_file(
    images: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    images.path(digest_of(png())).parent.mkdir(parents=True)
    seen: list[Path] = []
    fsync = os.fsync

    def interrupted(handle: int) -> None:
        if stat.S_ISREG(os.fstat(handle).st_mode):
            seen.extend(files_below(images.folder))
            raise KeyboardInterrupt
        fsync(handle)

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        images.put(png())
    assert len(seen) == 1
    assert files_below(images.folder) == []


@pytest.fixture
def synced(images: FolderStore, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """What was flushed to disk, in this order, each with whether the image had its name by then."""
    seen: list[tuple[str, bool]] = []
    fsync = os.fsync

    def note(handle: int) -> None:
        path = Path(f"/proc/self/fd/{handle}").readlink()
        named = images.path(digest_of(png())).exists()
        seen.append((path.name if path.is_dir() else f"file in {path.parent.name}", named))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", note)
    return seen


FOLDER = digest_of(png())[:2]


def test_an_image_is_on_disk_before_it_has_its_name_and_the_names_are_before_put_returns(
    images: FolderStore, synced: list[tuple[str, bool]]
) -> None:
    images.put(png())
    assert synced == [
        (images.folder.parent.name, False),  # has the name of the store's folder
        (images.folder.name, False),  # has the name of the image's folder
        (f"file in {FOLDER}", False),
        (FOLDER, True),  # has the name of the image
    ]


def test_a_folder_that_another_process_made_is_on_disk_before_put_returns(
    images: FolderStore, synced: list[tuple[str, bool]]
) -> None:
    images.path(digest_of(png())).parent.mkdir(parents=True)
    images.put(png())
    assert [name for name, _ in synced] == [images.folder.name, f"file in {FOLDER}", FOLDER]


def test_an_image_that_another_process_named_is_on_disk_before_put_returns(
    images: FolderStore, synced: list[tuple[str, bool]]
) -> None:
    images.put(png())
    synced.clear()
    images.put(png())
    assert synced == [(f"file in {FOLDER}", True), (FOLDER, True)]


def test_an_image_that_is_put_again_is_young_again(images: FolderStore) -> None:
    path = images.path(images.put(png()))
    os.utime(path, (1, 1))
    started = time.time()
    images.put(png())
    assert path.stat().st_mtime >= started - 1


@pytest.mark.parametrize("damage", [png()[:-1], png() + b"\0", bytes(len(png())), b""])
def test_a_damaged_file_is_mended_by_putting_the_image_again(images: FolderStore, damage: bytes) -> None:
    digest = images.put(png())
    images.path(digest).write_bytes(damage)
    images.put(png())
    assert images.get(digest) == png()
    assert files_below(images.folder) == [images.path(digest)]


def test_stored_images_are_private_to_their_user(images: FolderStore) -> None:
    path = images.path(images.put(png()))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_images_are_checked_many_at_a_time_and_no_more_than_that_are_taken() -> None:
    all_at_it = threading.Barrier(CHECKED_AT_ONCE)

    def fault(digest: str) -> str | None:
        all_at_it.wait(10)
        return DAMAGED if digest == "3" else None

    assert list(faults_among(map(str, range(2 * CHECKED_AT_ONCE)), fault)) == [("3", DAMAGED)]
    assert next(faults_among(map(str, itertools.count()), lambda _: MISSING)) == ("0", MISSING)
