"""What is particular to an image store in a bucket: requests, races, faults, and a server that is away."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from sqlalchemy import Engine

from db.engine import open_engine
from db.errors import StoreAway, StoreRefused, WrongCall
from db.images import address as addresses
from db.images import digest_of
from db.images import remote as remote_module
from db.images.address import open_store
from db.images.remote import RemoteStore
from db.images.store import PROBE
from db.ledger import Ledger
from db.settings import settings
from db.upkeep.gc import Removed, collect
from tests.db.shelves import DAY, BucketShelf, later
from tests.db.test_gc import sample_of
from tests.factories import enter, png
from tests.farm.conftest import ROOT
from tests.farm.proxy import Proxy
from tests.s3 import KEYS_A_PAGE, S3Server
from workers.stint.outages import Outages

pytestmark = pytest.mark.integration


@pytest.fixture
def engine(sqlite_url: str) -> Iterator[Engine]:
    """An engine on an empty ledger; its kind is no matter to a store."""
    engine = open_engine(sqlite_url)
    yield engine
    engine.dispose()


@pytest.fixture
def shelf(remote: RemoteStore, s3_server: S3Server) -> BucketShelf:
    return BucketShelf(remote, s3_server.client())


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
    shelf: BucketShelf, remote: RemoteStore, s3_server: S3Server
) -> None:
    for number in range(KEYS_A_PAGE + 1):
        shelf.overwrite(f"ab{number:062x}", b"1")

    found = list(remote.stored())

    assert len(found) == KEYS_A_PAGE + 1
    assert asked(s3_server, lambda: list(remote.stored())) == ["GET"] * 3  # what begins, then two pages of that
    assert asked(s3_server, lambda: remote.remove(found)) == ["POST"]
    assert list(remote.stored()) == []


# -- a name cannot be taken in one step --------------------------------------------------------------------------------


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
    ledger: Ledger, shelf: BucketShelf, remote: RemoteStore, monkeypatch: pytest.MonkeyPatch
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
    assert shelf.names() == [f"{digest[:2]}/{digest}"]


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


def test_a_damaged_copy_is_not_put_back_over_an_image_that_was_mended(shelf: BucketShelf, remote: RemoteStore) -> None:
    digest = remote.put(png())
    shelf.overwrite(digest, b"half")
    remote.set_aside(list(remote.stored()))
    remote.put(png())

    assert remote.restore(digest)

    assert remote.get(digest) == png()
    assert shelf.names() == [f"{digest[:2]}/{digest}"]


# -- a server that is away, or busy ------------------------------------------------------------------------------------


class Road(Proxy):
    """The way to a server, which can lead to another one."""

    def lead_to(self, port: int) -> None:
        self._server_port = port
        self.cut()


@contextmanager
def answering(status: int, code: str) -> Iterator[int]:
    """Run a server that answers every request with this error of S3; yield its port."""

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # a client waits for its "100 Continue"

        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self.do_GET()

        def do_GET(self) -> None:
            body = f"<Error><Code>{code}</Code><Message>it is {code}</Message></Error>".encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            pass  # of a connection that the test cut

    server = Server(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture
def road(bucket: str, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Road]:
    """The way to the server that `remote` takes."""
    with Road(s3_server.port) as road:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{road.port}")
        yield road


@contextmanager
def nothing() -> Iterator[int]:
    """Yield a port where nobody listens."""
    with Proxy(1) as proxy:
        port = proxy.port
    yield port


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(lambda: answering(503, "SlowDown"), id="busy"),
        pytest.param(lambda: answering(500, "InternalError"), id="broken", marks=pytest.mark.chaos),
        pytest.param(lambda: answering(403, "AccessDenied"), id="denied for a while", marks=pytest.mark.chaos),
        pytest.param(nothing, id="away"),
    ],
)
def test_an_outage_is_outlasted_and_leaves_a_whole_image(
    road: Road, remote: RemoteStore, shelf: BucketShelf, s3_server: S3Server, fault: Callable[[], Any]
) -> None:
    waits: list[float] = []

    def over(seconds: float) -> None:
        waits.append(seconds)
        road.lead_to(s3_server.port)

    outages = Outages(sleep=over)
    with fault() as port:
        road.lead_to(port)
        digest = outages.outlast("the image store", lambda: remote.put(png()))
        road.lead_to(port)
        assert outages.outlast("the image store", lambda: remote.get(digest)) == png()

    assert len(waits) == 2
    assert shelf.names() == [f"{digest[:2]}/{digest}"]


def test_a_server_that_swallows_everything_is_given_up(
    road: Road, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_module, "LONGEST_SECONDS", 1)
    store = open_store(f"s3://{bucket}/p")
    road.swallow()
    for call in (lambda: store.put(png()), lambda: store.get(digest_of(png()))):
        with pytest.raises(StoreAway, match=f"the image store s3://{bucket}/p does not answer in time"):
            call()


PUT_MUCH = """
import os, sys
from db.images.address import open_store
store = open_store(sys.argv[1])
store.put(b"to connect")
print(flush=True)
store.put(bytes(40_000_000))
"""


def test_a_writer_that_is_killed_amid_a_put_leaves_no_half_image(
    road: Road, remote: RemoteStore, shelf: BucketShelf
) -> None:
    command = [sys.executable, "-c", PUT_MUCH, str(remote)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        while not road.connections:
            pass
        road.swallow()
        writer.send_signal(signal.SIGKILL)
    road.heal()

    digest = digest_of(b"to connect")
    assert shelf.names() == [f"{digest[:2]}/{digest}"]


# -- a server that refuses ---------------------------------------------------------------------------------------------


def test_a_bucket_that_is_not_there_is_told_and_is_no_missing_image(bucket: str) -> None:
    store = open_store("s3://no-such-bucket/p")
    for call in (lambda: store.put(png()), lambda: store.get(digest_of(png())), lambda: list(store.stored())):
        with pytest.raises(StoreRefused, match=r"s3://no-such-bucket/p has no bucket: .* does not exist"):
            call()


@pytest.mark.parametrize(("status", "code"), [(403, "AccessDenied"), (400, "InvalidRequest")])
def test_a_right_that_is_lacking_is_told(road: Road, remote: RemoteStore, status: int, code: str) -> None:
    with answering(status, code) as port:
        road.lead_to(port)
        for call in (lambda: remote.put(png()), lambda: remote.get(digest_of(png())), lambda: list(remote.stored())):
            with pytest.raises(StoreRefused, match=f"{remote} refuses: it is {code}"):
                call()


def test_a_gc_that_may_remove_nothing_says_so_and_copies_nothing(
    ledger: Ledger, remote: RemoteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(ledger)
    remote.put(png(colour="red"))
    monkeypatch.setattr(RemoteStore, "_remove", lambda *_: None)  # as S3 answers where one may not
    with pytest.raises(StoreRefused, match="does not let its objects be removed"):
        collect(ledger.engine, remote, older_than_seconds=DAY, now=later(2))
    assert list(remote.all_set_aside()) == []


def test_without_credentials_or_with_an_endpoint_that_is_no_url_the_store_says_so(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", "localhost:9000")
        with pytest.raises(StoreRefused, match="cannot be asked: Invalid endpoint: localhost:9000"):
            open_store(f"s3://{bucket}").put(png())
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(StoreRefused, match="cannot be asked: Unable to locate credentials"):
        open_store(f"s3://{bucket}").put(png())


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
