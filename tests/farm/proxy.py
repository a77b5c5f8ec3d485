"""A TCP proxy between a farm and a server on this host, whose connections a test can cut, swallow and heal."""

from __future__ import annotations

import selectors
import socket
import struct
import threading
from contextlib import suppress
from typing import Self

PIECE_BYTES = 65_536
SEND_SECONDS = 10.0
"""How long one side may leave what the other sent unread."""


class Proxy:
    """Passes connections on to a port of 127.0.0.1; a context manager that listens within the block.

    `port` is its own. Where nothing listens behind it, a connection is taken and reset at once.
    """

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._links: set[_Link] = set()
        self._swallowing = False

    def cut(self, *, reset: bool = True) -> int:
        """Close all connections at once, by RST or else by FIN; return how many those were."""
        links = self._open_links()
        for link in links:
            link.close(reset=reset)
        return len(links)

    def cut_in_reply(self, after_bytes: int, *, reset: bool = True) -> int:
        """Cut each open connection after the server's next so many bytes on it; return how many connections those are.

        `after_bytes` less than a reply has: the client gets the beginning of a reply and never its end.
        """
        links = self._open_links()
        for link in links:
            link.cut_after(after_bytes, reset=reset)
        return len(links)

    def swallow(self) -> None:
        """Take all bytes of both sides and pass none on, closings neither; new connections get no answer."""
        self._swallowing = True
        for link in self._open_links():
            link.swallowing = True

    def heal(self) -> None:
        """Pass everything on again; connections that lost bytes are reset, the others are as they were."""
        self._swallowing = False
        for link in self._open_links():
            link.heal()

    @property
    def connections(self) -> int:
        """How many connections are open now."""
        return len(self._open_links())

    def close(self) -> None:
        """Listen no longer and close every connection."""
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes `accept`
        self._listener.close()
        self.cut()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open_links(self) -> list[_Link]:
        with self._lock:
            return list(self._links)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self._server_port), timeout=SEND_SECONDS)
        except OSError:
            _close(client, reset=True)
            return
        link = _Link(client, server)
        link.swallowing = link.lossy = self._swallowing
        with self._lock:
            self._links.add(link)
        try:
            link.run()
        finally:
            with self._lock:
                self._links.discard(link)


class _Link:
    """One connection: its thread alone touches the sockets, so that a closing takes effect at once."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self._client = client
        self._server = server
        self._wake, self._woken = socket.socketpair()
        self._closing: bool | None = None  # by RST?
        self._reply_bytes_left: int | None = None
        self._cut_by_reset = True
        self.swallowing = False
        self.lossy = False
        for side in (client, server):
            side.settimeout(SEND_SECONDS)
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self, *, reset: bool) -> None:
        self._closing = reset
        self._nudge()

    def cut_after(self, reply_bytes: int, *, reset: bool) -> None:
        self._cut_by_reset = reset
        self._reply_bytes_left = reply_bytes

    def heal(self) -> None:
        self.swallowing = False
        if self.lossy:
            self.close(reset=True)

    def run(self) -> None:
        reset = True
        try:
            with selectors.DefaultSelector() as selector:
                for side in (self._client, self._server, self._woken):
                    selector.register(side, selectors.EVENT_READ)
                while (ended := self._pass_on(selector)) is None:
                    continue
                reset = ended
        except OSError:  # one side broke: the other one learns of it as of a break
            reset = True
        finally:
            _close(self._client, reset=reset)
            _close(self._server, reset=reset)
            self._wake.close()
            self._woken.close()

    def _pass_on(self, selector: selectors.BaseSelector) -> bool | None:
        """Pass on what is there; return None while the connection lasts, else whether to close it by RST."""
        for key, _ in selector.select():
            if self._closing is not None:
                return self._closing
            piece = key.fileobj.recv(PIECE_BYTES)  # type: ignore[union-attr]
            if self.swallowing:
                self.lossy = True
                if not piece:
                    selector.unregister(key.fileobj)
            elif not piece:
                return False
            elif key.fileobj is self._client:
                self._server.sendall(piece)
            elif self._reply(piece):
                return self._cut_by_reset
        return None

    def _reply(self, piece: bytes) -> bool:
        """Give the client what the server said; True when the connection is to be cut after it."""
        if self._reply_bytes_left is None:
            self._client.sendall(piece)
            return False
        self._client.sendall(piece[: self._reply_bytes_left])
        self._reply_bytes_left -= len(piece)
        return self._reply_bytes_left <= 0

    def _nudge(self) -> None:
        try:
            self._wake.send(b"!")
        except OSError:  # it has just ended by itself
            return


def _close(side: socket.socket, *, reset: bool) -> None:
    if reset:
        side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    else:
        with suppress(OSError):  # the other side was faster
            side.shutdown(socket.SHUT_RDWR)
    side.close()
