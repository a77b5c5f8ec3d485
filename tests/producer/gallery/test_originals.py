"""Full pictures of a store that is no folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from db.errors import StoreAway
from db.images import digest_of
from db.images.address import open_store
from db.images.remote import RemoteStore
from producer.gallery.originals import originals_for
from producer.gallery.thumbnails import SIDE_PIXELS, PictureFault, embed_thumbnails, make_thumbnails
from tests.browser.scene import picture
from tests.db.shelves import BucketShelf
from tests.s3 import S3Server


@pytest.mark.integration
def test_full_pictures_are_copied_beside_the_page_and_what_is_lost_is_told(
    tmp_path: Path, remote: RemoteStore, s3_server: S3Server
) -> None:
    whole, missing, damaged = (picture(remote, colour) for colour in ("navy", "teal", "red"))
    shelf = BucketShelf(remote, s3_server.client())
    shelf.lose(missing)
    shelf.overwrite(damaged, b"half")

    source, originals = originals_for([whole, missing, damaged], remote, tmp_path)
    made = make_thumbnails([whole, missing, damaged], source, tmp_path / "images")

    assert [made[digest].fault for digest in (whole, missing, damaged)] == [
        None,
        PictureFault.MISSING,
        PictureFault.DAMAGED,
    ]
    assert originals == "originals/"
    copies = [path for path in (tmp_path / "originals").rglob("*") if path.is_file()]
    assert [(path.name, digest_of(path.read_bytes())) for path in copies] == [(whole, whole)]


@pytest.mark.integration
def test_a_page_is_not_written_while_its_store_is_away(
    tmp_path: Path, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    away = open_store(f"s3://{bucket}/p")
    with pytest.raises(StoreAway):
        originals_for([digest_of(b"any")], away, tmp_path)
    with pytest.raises(StoreAway):
        embed_thumbnails([digest_of(b"any")], away, SIDE_PIXELS)
