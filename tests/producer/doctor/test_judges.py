"""What the doctor makes of a judge behind a server, and what it lets out of the key that it asks with."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from producer.doctor.models import _ask

KEY = "sk-do-not-tell"


class Answering(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.asked.append(self.headers["Authorization"])  # type: ignore[attr-defined]
        status, location = self.server.answer  # type: ignore[attr-defined]
        self.send_response(status)
        self.send_header("Location", location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    def __init__(self, status: int, location: str = "") -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.answer = status, location
        self.asked: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1/models"


@contextmanager
def running(server: Server) -> Iterator[Server]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(("status", "fault"), [(200, None), (404, None), (401, "HTTP 401"), (500, "HTTP 500")])
def test_a_server_that_answers_is_well_also_where_it_lists_no_models(status: int, fault: str | None) -> None:
    with running(Server(status)) as server:
        assert _ask(server.url, KEY) == fault
        assert server.asked == [f"Bearer {KEY}"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_key_follows_no_redirect(status: int) -> None:
    with running(Server(200)) as elsewhere, running(Server(status, elsewhere.url)) as server:
        assert _ask(server.url, KEY) == f"HTTP {status}"
        assert elsewhere.asked == []


@pytest.mark.parametrize("key", [f"{KEY}\nx", f"{KEY}雪", f"{KEY}\x7f"])
def test_a_key_that_no_header_can_carry_is_not_repeated(key: str) -> None:
    fault = _ask("http://127.0.0.1:1/v1/models", key)

    assert fault is not None and "FARM_JUDGE_API_KEY" in fault
    assert KEY not in fault


def test_what_is_no_http_is_a_fault_of_the_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_say_garbage, args=(listener,), daemon=True).start()

        assert _ask(f"http://127.0.0.1:{listener.getsockname()[1]}/v1/models", KEY)


def _say_garbage(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(1000)
        connection.sendall(b"\x1b[2J garbage\r\n\r\n")
