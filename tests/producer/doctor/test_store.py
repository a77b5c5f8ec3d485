"""What the doctor says of an image store: one that takes images, one that does not, one without room."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from db.engine import open_engine, transaction
from db.images import FolderStore
from db.ledger import Ledger
from db.tables import edits
from producer.doctor.finding import State
from tests.factories import enter, png
from tests.farm.steps import fill
from tests.producer.doctor.conftest import Look, commands_of, states
from tests.s3 import S3Server


def test_a_store_that_takes_images_is_ok_and_nothing_of_the_probe_stays(look: Look, tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "images")
    store.put(png())
    before = sorted(tmp_path.rglob("*"))

    assert states(look("store", FARM_IMAGES=str(store.folder))) == [State.OK]
    assert sorted(tmp_path.rglob("*")) == before


def test_a_probe_that_is_left_behind_is_no_image(images: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    images.put(png())
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)  # killed in the middle of it

    images.probe()

    assert len(list(images.folder.glob(".probe-*"))) == 1
    assert [len(list(each())) for each in (images.stored, images.unfinished, images.all_set_aside)] == [1, 0, 0]


@pytest.mark.integration
def test_a_bucket_that_takes_objects_is_ok_and_nothing_of_the_probe_stays(
    look: Look, bucket: str, s3_server: S3Server
) -> None:
    assert states(look("store", FARM_IMAGES=f"s3://{bucket}/images")) == [State.OK]
    assert "Contents" not in s3_server.client().list_objects_v2(Bucket=bucket)


@pytest.mark.integration
def test_a_bucket_that_is_not_there_or_does_not_answer_is_a_fault(look: Look, bucket: str) -> None:
    (absent,) = look("store", FARM_IMAGES=f"s3://not-{bucket}/images")
    (away,) = look("store", FARM_IMAGES=f"s3://{bucket}/images", AWS_ENDPOINT_URL="http://127.0.0.1:9")

    assert (absent.state, away.state) == (State.FAULT, State.FAULT)
    assert "has no bucket" in absent.seen
    assert "does not answer" in away.seen


def test_an_address_that_cannot_be_one_is_a_fault(look: Look) -> None:
    (found,) = look("store", FARM_IMAGES="ftp://host/images")

    assert found.state is State.FAULT
    assert "ftp://host/images" in found.seen


def test_a_store_that_is_not_there_is_a_note_and_is_not_made(look: Look, tmp_path: Path) -> None:
    assert states(look("store", FARM_IMAGES=str(tmp_path / "images"))) == [State.NOTE]
    assert not (tmp_path / "images").exists()


@pytest.mark.integration
def test_a_read_only_store_is_a_fault_and_its_fix_mends_it(look: Look, small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)

    (found,) = look("store", FARM_IMAGES=str(small_disk))

    assert found.state is State.FAULT
    assert "Read-only file system" in found.seen
    subprocess.run(commands_of(found)[0], shell=True, check=True)
    assert states(look("store")) == [State.OK]


@pytest.mark.integration
def test_a_full_disk_is_a_fault_of_the_store_and_of_its_space(look: Look, small_disk: Path) -> None:
    filler = fill(small_disk)

    (found,) = look("store", FARM_IMAGES=str(small_disk))
    assert found.state is State.FAULT
    assert "No space left on device" in found.seen
    assert look("store-space")[0].state is State.FAULT
    filler.unlink()
    assert states(look("store")) == [State.OK]


def test_room_for_the_edits_that_wait_is_counted_by_the_images_that_are_there(
    look: Look, sqlite_url: str, tmp_path: Path
) -> None:
    engine = open_engine(sqlite_url)
    enter(Ledger(engine), samples=3)
    with transaction(engine) as connection:
        connection.execute(edits.update().values(not_before=0))
    engine.dispose()
    FolderStore(tmp_path / "images").put(b"x" * 2_000_000)

    found, *_ = look("store-space", FARM_DATABASE_URL=sqlite_url, FARM_IMAGES=str(tmp_path / "images"))

    assert "for some 3 edits of 6.0 MB" in found.seen
