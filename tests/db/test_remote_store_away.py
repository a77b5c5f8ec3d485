"""The image store in a bucket whose server is away, busy, or refuses."""

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

from db.errors import StoreAway, StoreRefused
from db.images import digest_of
from db.images import remote as remote_module
from db.images.address import open_store
from db.images.remote import RemoteStore
from tests.db.shelves import BucketShelf
from tests.factories import png
from tests.farm.conftest import ROOT
from tests.farm.proxy import Proxy
from tests.s3 import S3Server
from workers.stint.outages import Outages

pytestmark = pytest.mark.integration

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
    road: Road, remote: RemoteStore, bucket_shelf: BucketShelf, s3_server: S3Server, fault: Callable[[], Any]
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
    assert bucket_shelf.names() == [f"{digest[:2]}/{digest}"]


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
    road: Road, remote: RemoteStore, bucket_shelf: BucketShelf
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
    assert bucket_shelf.names() == [f"{digest[:2]}/{digest}"]


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
