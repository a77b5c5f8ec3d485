"""Whether a process makes progress: it says so, or bytes move in it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from workers.pulse import Pulse

MOVED_BYTES = 1024**2
"""So much read, written or newly touched counts as progress: a model being loaded or compiled says nothing else. A
process that waits for a GPU moves none."""

LONGEST_LOOK_SECONDS = 2.0
"""More than this between two looks is not counted as standing still: then it was we who stood still."""

_PAGE_BYTES = 4096


class Stillness:
    """How long one delivery of one child has shown no progress; to be asked about once a second."""

    def __init__(
        self,
        pulse: Pulse,
        *,
        moved: Callable[[int], int | None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pulse = pulse
        self._moved = moved or moved_bytes
        self._clock = clock
        self._seconds = 0.0
        self._looked_at = clock()
        self._beats = pulse.beats
        self._bytes = self._moved(pulse.process.pid)

    def seconds(self) -> float:
        """Return for how long nothing has moved; 0 for a child that waits for something other than its GPU."""
        now = self._clock()
        self._seconds += min(now - self._looked_at, LONGEST_LOOK_SECONDS)
        self._looked_at = now
        if self._shows_progress():
            self._seconds = 0.0
        return self._seconds

    def _shows_progress(self) -> bool:
        beats, moved = self._pulse.beats, self._moved(self._pulse.process.pid)
        bytes_moved = moved is None or self._bytes is None or moved - self._bytes >= MOVED_BYTES
        progress = self._pulse.is_patient or beats != self._beats or bytes_moved
        if progress:
            self._beats, self._bytes = beats, moved
        return progress


def moved_bytes(pid: int) -> int | None:
    """Return the bytes that a process and its descendants have read, written and touched; None where none can tell.

    Touched: counted by page faults, because weights that are mapped into memory are read by nothing else.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        faults = int(fields[7]) + int(fields[9])  # minor and major
        io = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
        children = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except (OSError, ValueError, IndexError):
        return None
    own = faults * _PAGE_BYTES + sum(int(io[name]) for name in ("rchar", "wchar", "read_bytes", "write_bytes"))
    return own + sum(moved_bytes(int(child)) or 0 for some in children for child in some)
