"""What a pool child wrote before it died: its output passes through its parent, which keeps the end of it.

At the level of the file descriptor, because a library that ends the process (CUDA, the allocator, an assertion in C)
says why on no other way. Each child has a connection of its own: what its successor says meanwhile is not taken for it,
and the end of the connection tells that all of it was read.
"""

from __future__ import annotations

import os
import secrets
import selectors
import signal
import socket
import struct
import sys
import threading
from collections import deque

LONGEST = 600
"""Characters of a log's end that are kept as last words."""

LONGEST_LINE = 65536
"""Bytes after which a line is passed on before its end."""

KEPT = 16
"""Dead children whose output is kept until they are buried; one that never began a job is never buried."""

_LINES = 4
_REST_SECONDS = 1
_WHERE = "EDITFARM_OUTPUT"
_CREDENTIALS = struct.Struct("3i")  # struct ucred of linux/socket.h: process, user, group


class ChildOutput:
    """The parent's side: passes on what children write from `start` on, and keeps the end of what each wrote.

    Children may be started once it is made.
    """

    def __init__(self) -> None:
        self._outputs: dict[int, _Output] = {}
        self._changed = threading.Condition()
        self._listener: socket.socket | None = None
        if sys.platform == "linux":  # elsewhere a child writes where its parent does, and leaves no last words
            self._listener = socket.socket(socket.AF_UNIX)
            name = f"editfarm-{os.getpid()}-{secrets.token_hex(8)}"
            self._listener.bind(f"\0{name}")  # a name without a file: it goes with this process
            self._listener.listen()
            os.environ[_WHERE] = name

    def start(self) -> None:
        """Begin to read; before, a child that writes more than a socket holds would wait."""
        if self._listener is not None:
            threading.Thread(target=self._pass_on, args=(self._listener,), name="child-output", daemon=True).start()

    def last_words(self, pid: int) -> str:
        """Return the last lines that this child wrote, without control characters; wait a second for the rest."""
        with self._changed:
            self._changed.wait_for(lambda: pid in self._outputs and self._outputs[pid].is_whole, _REST_SECONDS)
            output = self._outputs.get(pid)
            written = b"" if output is None else b"".join(output.end)
        lines = written.decode(errors="replace").splitlines()
        said = " / ".join(line.strip() for line in lines[-_LINES:] if line.strip())
        return "".join(character for character in said if character.isprintable())[-LONGEST:]

    def forget(self, pid: int) -> None:
        """Forget what this child wrote: it is dead and buried."""
        with self._changed:
            self._outputs.pop(pid, None)

    def _pass_on(self, listener: socket.socket) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(listener, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.data is None:
                        self._admit(listener, selector)
                    else:
                        self._read(key.data, selector)

    def _admit(self, listener: socket.socket, selector: selectors.BaseSelector) -> None:
        connection, _ = listener.accept()
        pid, user, _ = _CREDENTIALS.unpack(
            connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        )
        if user != os.getuid():
            connection.close()
            return
        output = _Output(connection)
        selector.register(connection, selectors.EVENT_READ, output)
        with self._changed:
            self._outputs[pid] = output
            for dead in [pid for pid, output in self._outputs.items() if output.is_whole][:-KEPT]:
                del self._outputs[dead]

    def _read(self, output: _Output, selector: selectors.BaseSelector) -> None:
        try:
            written = output.connection.recv(65536)
        except OSError:  # reset: it died with something of ours unread
            written = b""
        with self._changed:
            if written:
                output.end.append(written[-4096:])
            else:
                selector.unregister(output.connection)
                output.connection.close()
                output.is_whole = True
            self._changed.notify_all()
        _write(output.whole_lines(written))


class _Output:
    """One child's output: the connection it comes through, the end of it, and whether that is all."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.end: deque[bytes] = deque(maxlen=64)
        self.is_whole = False
        self._begun = b""

    def whole_lines(self, written: bytes) -> bytes:
        """Return what can be passed on: no line is begun into which another process could write."""
        text = self._begun + written
        end = max(text.rfind(b"\n"), text.rfind(b"\r")) + 1
        if not written or len(text) - end > LONGEST_LINE:
            end = len(text)
        self._begun = text[end:]
        return text[:end]


def _write(content: bytes) -> None:
    while content:
        try:
            content = content[os.write(2, content) :]
        except OSError:  # nobody reads our own output any more: it is not the children's concern
            return


def write_to_parent() -> None:
    """Let stdout and stderr of this child go through its parent, where there is one that takes them.

    Raises OSError when the parent has just died.
    """
    where = os.environ.get(_WHERE)
    if where is not None and not where.startswith(f"editfarm-{os.getpid()}-"):  # a pool without children is its own
        with socket.socket(socket.AF_UNIX) as parent:
            parent.connect(f"\0{where}")
            for descriptor in (1, 2):
                os.dup2(parent.fileno(), descriptor)


def ending(exit_code: int | None) -> str:
    """Return in words how a process ended; a negative exit code is the signal that killed it."""
    if exit_code is None:
        return "ended"
    if exit_code >= 0:
        return f"ended with exit code {exit_code}"
    try:
        name = f" ({signal.Signals(-exit_code).name})"
    except ValueError:
        name = ""
    return f"was killed by signal {-exit_code}{name}"
