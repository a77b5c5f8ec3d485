"""Small pictures of the images in the store."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from PIL import Image

from db.images import FolderStore
from producer.gallery.thumbnails import SIDE_PIXELS, PictureFault, embed_thumbnails, make_thumbnails
from tests.browser.scene import picture


@pytest.mark.parametrize(
    ("size", "small"),
    [((1200, 600), (384, 192)), ((600, 1200), (192, 384)), ((40, 30), (40, 30)), ((5000, 1), (384, 1))],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_thumbnail_keeps_proportions_and_enlarges_nothing(
    tmp_path: Path, images: FolderStore, kind: str, size: tuple[int, int], small: tuple[int, int]
) -> None:
    digest = picture(images, "navy", *size, kind=kind)
    made = make_thumbnails([digest], images, tmp_path / "thumbnails")[digest]

    assert (made.width, made.height) == small
    with Image.open(tmp_path / "thumbnails" / f"{digest}.webp") as thumbnail:
        assert (thumbnail.size, thumbnail.format) == (small, "WEBP")


def test_a_thumbnail_that_is_there_is_not_made_again(tmp_path: Path, images: FolderStore) -> None:
    digest = picture(images, "navy")
    make_thumbnails([digest], images, tmp_path)
    images.path(digest).unlink()

    assert make_thumbnails([digest], images, tmp_path)[digest].fault is None


def test_a_half_written_thumbnail_is_made_again(tmp_path: Path, images: FolderStore) -> None:
    digest = picture(images, "navy")
    (tmp_path / f"{digest}.webp").write_bytes(b"RIFF")

    assert make_thumbnails([digest], images, tmp_path)[digest].width == 64
    assert [path.name for path in tmp_path.glob("*.webp")] == [f"{digest}.webp"]
    assert list(tmp_path.glob(".*")) == []


def test_many_thumbnails_come_in_the_order_in_which_they_were_asked_for(tmp_path: Path, images: FolderStore) -> None:
    digests = [picture(images, "navy", 10 + number, 10) for number in range(40)]

    made = make_thumbnails([*digests, *digests], images, tmp_path / "thumbnails")
    assert [(digest, one.width) for digest, one in made.items()] == [(d, 10 + n) for n, d in enumerate(digests)]


def test_an_embedded_thumbnail_is_its_own_address(images: FolderStore) -> None:
    digest = picture(images, "navy", 900, 900)
    made = embed_thumbnails([digest], images, SIDE_PIXELS)[digest]

    assert made.uri is not None
    assert base64.b64decode(made.uri.removeprefix("data:image/webp;base64,")).startswith(b"RIFF")


def test_images_that_are_missing_changed_or_none_are_told_apart(tmp_path: Path, images: FolderStore) -> None:
    none, changed = images.put(b"no image"), picture(images, "navy")
    images.path(changed).write_bytes(b"something else")
    made = make_thumbnails(["0" * 64, none, changed], images, tmp_path / "thumbnails")

    faults = [one.fault for one in made.values()]
    assert faults == [PictureFault.MISSING, PictureFault.DAMAGED, PictureFault.DAMAGED]
