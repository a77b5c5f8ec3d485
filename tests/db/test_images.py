"""The image store: what went in comes out unchanged, or not at all."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from db.images import ImageMissing, ImageStore, digest_of
from tests.db.test_ledger_threads import at_once
from tests.factories import png


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_what_goes_in_comes_out(images: ImageStore) -> None:
    digest = images.put(png())
    assert images.has(digest)
    assert images.get(digest) == png()


def test_an_image_is_named_by_the_sha_256_of_its_bytes(images: ImageStore) -> None:
    digest = images.put(b"abc")
    assert digest == digest_of(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert images.path(digest) == images.folder / "ba" / digest


def test_the_same_content_is_stored_once(images: ImageStore) -> None:
    digest = images.put(png())
    written = images.path(digest).stat()
    assert images.put(png()) == digest
    assert files_below(images.folder) == [images.path(digest)]
    assert images.path(digest).stat().st_ino == written.st_ino


def test_many_may_store_the_same_content_at_once(images: ImageStore) -> None:
    digests = at_once(8, lambda _number: images.put(png()))
    assert len(set(digests)) == 1
    assert files_below(images.folder) == [images.path(digests[0])]


def test_an_image_that_was_never_stored_is_missing(images: ImageStore) -> None:
    digest = digest_of(b"never stored")
    assert not images.has(digest)
    with pytest.raises(ImageMissing, match=f"image {digest} is not in the store"):
        images.get(digest)


def test_a_damaged_file_is_refused(images: ImageStore) -> None:
    digest = images.put(png())
    images.path(digest).write_bytes(png()[:-1])
    with pytest.raises(ImageMissing, match=f"image {digest} .* is damaged"):
        images.get(digest)


def test_a_store_that_cannot_be_made_is_an_os_error_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "images").write_text("a file in the place of the folder")
    store = ImageStore(tmp_path / "images")
    with pytest.raises(OSError, match="images"):
        store.put(png())
    assert not store.has(digest_of(png()))
    assert files_below(tmp_path) == [tmp_path / "images"]


def test_a_disk_that_is_full_leaves_no_half_image_and_no_temporary_file(
    images: ImageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        images.put(png())
    assert files_below(images.folder) == []


def test_an_interrupt_amid_the_writing_leaves_no_temporary_file(
    images: ImageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_handle: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        images.put(png())
    assert files_below(images.folder) == []


def test_an_image_is_on_disk_before_it_has_its_name(images: ImageStore, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[tuple[str, bool]] = []
    fsync = os.fsync

    def note(handle: int) -> None:
        kind = "folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file"
        synced.append((kind, images.has(digest_of(png()))))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", note)
    images.put(png())
    assert synced == [("file", False), ("folder", True)]


def test_stored_images_are_private_to_their_user(images: ImageStore) -> None:
    path = images.path(images.put(png()))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
