"""The connection to a judge's server: what comes of it is bounded in size and time, and from that server alone."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from workers.models.judging.service_retries import NoAnswer

if TYPE_CHECKING:
    from httpx2 import Client, Request, Response

LARGEST_ANSWER_BYTES = 4 << 20
"""Unpacked; a reply of 32,000 tokens has a twentieth."""


def bounded_client(timeout_seconds: float) -> Client:
    """Return a client that raises NoAnswer for a body too large, or not there `timeout_seconds` after its request.

    The library's own limit is on each silence: a byte now and then keeps it waiting for ever. Redirects are not
    followed: they would lead pictures, and whoever answers there, past the address that a run names.
    """
    from openai import DefaultHttpxClient

    class BoundedClient(DefaultHttpxClient):
        def send(self, request: Request, **how: Any) -> Response:
            deadline = time.monotonic() + timeout_seconds
            response = super().send(request, **{**how, "stream": True, "follow_redirects": False})
            try:
                content = _content(response, deadline, timeout_seconds)
            finally:
                response.close()
            headers = [(name, value) for name, value in response.headers.raw if name.lower() not in _OF_THE_WIRE]
            return type(response)(response.status_code, headers=headers, content=content, request=request)

    return BoundedClient(timeout=timeout_seconds)


_OF_THE_WIRE = (b"content-encoding", b"content-length", b"transfer-encoding")


def _content(response: Response, deadline: float, timeout_seconds: float) -> bytes:
    content = bytearray()
    for part in response.iter_bytes():
        content += part
        if len(content) > LARGEST_ANSWER_BYTES:
            raise NoAnswer(f"more than {LARGEST_ANSWER_BYTES >> 20} MiB")
        if time.monotonic() > deadline:
            raise NoAnswer(f"not whole after {timeout_seconds:g} s")
    return bytes(content)
