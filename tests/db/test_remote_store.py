"""The image store in a bucket: what it asks of the server, what its address says, and processes that share it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from db.errors import WrongCall
from db.images import address as addresses
from db.images import digest_of
from db.images.address import open_store
from db.images.remote import RemoteStore
from db.settings import settings
from tests.db.shelves import BucketShelf
from tests.factories import png
from tests.farm.conftest import ROOT
from tests.s3 import KEYS_A_PAGE, S3Server

pytestmark = pytest.mark.integration

# -- requests ----------------------------------------------------------------------------------------------------------


def asked(server: S3Server, call: Callable[[], object]) -> list[str]:
    """Return the methods of the requests that the call makes."""
    before = len(server.asked())
    call()
    return [method for method, _ in server.asked(before)]


def test_an_image_is_put_in_one_request_and_read_in_one(remote: RemoteStore, s3_server: S3Server) -> None:
    image = png()
    assert asked(s3_server, lambda: remote.put(image)) == ["PUT"]
    assert asked(s3_server, lambda: remote.put(image)) == ["PUT"]
    assert asked(s3_server, lambda: remote.get(digest_of(image))) == ["GET"]
    assert asked(s3_server, lambda: remote.fault(digest_of(image))) == ["GET"]


def test_images_are_listed_and_removed_many_at_a_time(
    bucket_shelf: BucketShelf, remote: RemoteStore, s3_server: S3Server
) -> None:
    for number in range(KEYS_A_PAGE + 1):
        bucket_shelf.overwrite(f"ab{number:062x}", b"1")

    found = list(remote.stored())

    assert len(found) == KEYS_A_PAGE + 1
    assert asked(s3_server, lambda: list(remote.stored())) == ["GET"] * 3  # what begins, then two pages of that
    assert asked(s3_server, lambda: remote.remove(found)) == ["POST"]
    assert list(remote.stored()) == []


# -- its address -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("sftp://host/images", "expected a folder, or one of s3://, gs://"),
        ("S3://bucket/p", "expected a folder, or one of s3://, gs://"),
        ("s3://", "expected s3://BUCKET/PREFIX"),
        ("s3:///p", "expected s3://BUCKET/PREFIX"),
        ("s3://bucket/what?", "expected s3://BUCKET/PREFIX"),
        ("gs://bucket/p", "gcsfs is not installed: pip install gcsfs"),
    ],
)
def test_an_address_that_is_no_store_is_told_in_one_line(address: str, complaint: str) -> None:
    with pytest.raises(WrongCall) as error:
        open_store(address)
    assert f"FARM_IMAGES={address}: {complaint}" in str(error.value)


def test_without_its_package_the_store_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "find_spec", lambda _name: None)
    with pytest.raises(WrongCall, match=r"s3fs is not installed: pip install 'editfarm\[s3\]'"):
        open_store("s3://bucket/p")


@pytest.mark.parametrize("address", ["s3://a-key:a-secret@bucket/p", "s3://a-key:a-sec/ret@bucket"])
def test_an_address_with_a_secret_in_it_is_refused_and_not_shown(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FARM_IMAGES", address)
    with pytest.raises(WrongCall, match="FARM_IMAGES: a URL must hold no user and no password") as error:
        settings()
    assert "a-sec" not in str(error.value)


def test_a_bucket_without_a_prefix_is_a_store(bucket: str) -> None:
    store = open_store(f"s3://{bucket}/")
    digest = store.put(png())
    assert store.place(digest) == f"s3://{bucket}/{digest[:2]}/{digest}"
    assert [one.digest for one in store.stored()] == [digest]
    store.set_aside(list(store.stored()))
    assert store.get(digest) == png()


# -- processes ---------------------------------------------------------------------------------------------------------

OPENED = """
import sys, threading
from db.images.address import open_store
open_store(sys.argv[1])
open_store("/tmp")
assert not {"fsspec", "s3fs", "botocore"} & set(sys.modules)
assert threading.active_count() == 1
"""


def test_a_store_begins_no_thread_and_imports_nothing_before_it_is_first_asked() -> None:
    subprocess.run([sys.executable, "-c", OPENED, "s3://bucket/p"], check=True, cwd=ROOT)


FORKED = """
import os, sys
from db.images.address import open_store
store = open_store(sys.argv[1])
digest = store.put(b"before")
child = os.fork()
if child == 0:
    store.put(b"after")
    os._exit(0 if store.get(digest) == b"before" else 1)
_, status = os.waitpid(child, 0)
store.put(b"after all")
sys.exit(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.chaos
def test_a_store_that_was_used_before_a_fork_is_opened_anew_after_it(remote: RemoteStore) -> None:
    subprocess.run([sys.executable, "-c", FORKED, str(remote)], check=True, timeout=60, cwd=ROOT)
    assert len(list(remote.stored())) == 3
