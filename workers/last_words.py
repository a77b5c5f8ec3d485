"""What a pool child wrote before it died: its output passes through its parent, which keeps the end of it.

At the level of the file descriptor, because a library that ends the process (CUDA, the allocator, an assertion in C)
says why on no other way.
"""

from __future__ import annotations

import fcntl
import os
import signal
import termios
import threading
import time
from array import array
from collections import deque

LONGEST = 600
"""Characters of a log's end that are kept as last words."""

_LINES = 4
_WHERE = "EDITFARM_OUTPUT"


class ChildOutput:
    """The parent's side: passes on what children write, and keeps the end of it."""

    def __init__(self) -> None:
        self._end: deque[bytes] = deque(maxlen=64)
        self._source: int | None = None
        if os.path.isdir("/proc/self/fd"):  # noqa: PTH112 - no file, a feature
            self._source, sink = os.pipe()
            os.environ[_WHERE] = f"/proc/{os.getpid()}/fd/{sink}"
            threading.Thread(target=self._pass_on, args=(self._source,), name="child-output", daemon=True).start()

    def last_words(self) -> str:
        """Return the last lines that were written since `forget`, without control characters."""
        self._await_the_rest()
        lines = b"".join(self._end).decode(errors="replace").splitlines()
        said = " / ".join(line.strip() for line in lines[-_LINES:] if line.strip())
        return "".join(character for character in said if character.isprintable())[-LONGEST:]

    def forget(self) -> None:
        """Forget what was written: it belongs to a child that was given up."""
        self._end.clear()

    def _await_the_rest(self) -> None:
        """Wait, a second at most, until all that a dead child wrote has come through the pipe."""
        deadline = time.monotonic() + 1
        while time.monotonic() < deadline:
            time.sleep(0.05)  # also for what was read from the pipe and is not kept yet
            if self._source is None or not _bytes_waiting(self._source):
                return

    def _pass_on(self, source: int) -> None:
        while written := os.read(source, 65536):
            self._end.append(written[-4096:])
            _write(written)


def _bytes_waiting(source: int) -> int:
    count = array("i", [0])
    fcntl.ioctl(source, termios.FIONREAD, count)
    return count[0]


def _write(content: bytes) -> None:
    while content:
        try:
            content = content[os.write(2, content) :]
        except OSError:  # nobody reads our own output any more: it is not the children's concern
            return


def write_to_parent() -> None:
    """Let stdout and stderr of this child go through its parent, where there is one that takes them."""
    where = os.environ.get(_WHERE)
    if where is not None and not where.startswith(f"/proc/{os.getpid()}/"):  # a pool without children is its own
        sink = os.open(where, os.O_WRONLY)
        for descriptor in (1, 2):
            os.dup2(sink, descriptor)
        os.close(sink)


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
