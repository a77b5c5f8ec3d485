"""A judge behind an OpenAI-compatible server, on this machine: it answers, and misbehaves, as a test says."""

from __future__ import annotations

import base64
import io
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from PIL import Image

GOOD = '{"reasoning": "All is done.", "instruction_following": 9, "score": 8.5}'


@dataclass(frozen=True)
class Received:
    """What the server was sent."""

    body: dict[str, Any]
    authorization: str | None

    @property
    def text(self) -> str:
        """The user's text, which is all that follows the images."""
        return str(self.body["messages"][-1]["content"][-1]["text"])

    def images(self) -> list[Image.Image]:
        """The images before it."""
        urls = [part["image_url"]["url"] for part in self.body["messages"][-1]["content"][:-1]]
        return [Image.open(io.BytesIO(base64.b64decode(url.partition(";base64,")[2]))) for url in urls]


class JudgeServer(ThreadingHTTPServer):
    """Does what `script` says, one behaviour a request, the last one for ever."""

    daemon_threads = False  # so that closing waits for every answer under way

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.script: list[Behaviour] = [says(GOOD)]
        self.received: list[Received] = []
        self.closing = threading.Event()
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def take(self, received: Received) -> Behaviour:
        with self._lock:
            self.received.append(received)
            return self.script[min(len(self.received), len(self.script)) - 1]


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # the body follows its headers at once, not 40 ms later
    server: JudgeServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.path == "/v1/chat/completions"
        received = Received(body, self.headers["Authorization"])
        self.server.take(received)(self, received)

    def answer(self, status: int, content: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


Behaviour = Callable[[Answering, Received], None]


def completion(content: str | None, **message: Any) -> dict[str, Any]:
    finish_reason = message.pop("finish_reason", "stop")
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "judge-7b-awq",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": content, **message},
                "finish_reason": finish_reason,
            }
        ],
        "usage": {"prompt_tokens": 1200, "completion_tokens": 80, "total_tokens": 1280},
    }


def says(content: str | None, **message: Any) -> Behaviour:
    """Answer with this reply; `message` may hold `refusal` and `finish_reason`."""
    return sends(json.dumps(completion(content, **message)))


def sends(body: str, status: int = 200, **headers: str) -> Behaviour:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler, _received: handler.answer(status, body.encode(), named)


def fails(status: int, message: str = "", **headers: str) -> Behaviour:
    return sends(json.dumps({"error": {"message": message, "type": "error", "code": status}}), status, **headers)


def hangs_up(handler: Answering, _received: Received) -> None:
    handler.close_connection = True


def breaks_off(handler: Answering, _received: Received) -> None:
    """Promise a body by its length and send half of it."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"id": "1", "choi')
    handler.close_connection = True


def breaks_off_unnoticed(handler: Answering, _received: Received) -> None:
    """Send half of a body whose length nobody knows, so that only its JSON tells."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.wfile.write(b'{"id": "1", "choi')


def never_answers(handler: Answering, _received: Received) -> None:
    handler.server.closing.wait(10)
    handler.close_connection = True


def by_sample(behaviours: Mapping[str, Behaviour]) -> Behaviour:
    return lambda handler, received: behaviours[received.text](handler, received)


@contextmanager
def judge_server() -> Iterator[JudgeServer]:
    """Run a server while the context lasts."""
    server = JudgeServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()
