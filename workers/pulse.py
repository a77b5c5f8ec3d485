"""What a pool child shows its parent while it works, and the parent the child: a few fields of shared memory.

Through memory, because neither a full disk nor a broker that is gone may stop it, and what is written there outlives a
child that is killed in the middle of it. The memory has no name in any file system; children find it through /proc. On
systems without that nothing is shown, and a child at work is taken to make progress.
"""

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from db.owner import Owner, Process, this_host
from db.tables import Stage
from workers.models.errors import Withdrawn

DEVICE_BROKEN_EXIT = 86
"""The exit code of a child that ends itself because its GPU failed."""

SLOTS = 64
"""Children of one worker that can be told apart; there is one at a time, and its successor."""

_WHERE = "EDITFARM_PULSE"

_SAID = 1
_STAGE_BITS = {stage: 2 << number for number, stage in enumerate(Stage)}


class _Slot(ctypes.Structure):
    _fields_ = (
        ("pid", ctypes.c_uint32),
        ("patient", ctypes.c_uint32),
        ("holding", ctypes.c_uint32),
        ("beats", ctypes.c_uint64),
        ("finished", ctypes.c_uint64),
        ("started", ctypes.c_char * 32),
        ("delivery", ctypes.c_char * 64),
        ("job", ctypes.c_char * 32),
        ("withdrawn", ctypes.c_char * 64),
    )


class _Board(ctypes.Structure):
    _fields_ = (("stages", ctypes.c_uint64), ("loading", ctypes.c_uint64), ("slots", _Slot * SLOTS))


class Pulse:
    """One child's fields. The child writes all of them but `withdrawn`, which is its parent's word to it.

    `stages` is the parent's word to whoever is its child.
    """

    def __init__(self, slot: _Slot, process: Process, board: _Board | None = None) -> None:
        self._slot = slot
        self._board = board or _Board()
        self._lock = threading.Lock()
        self.process = process

    # -- the child's side ----------------------------------------------------------------------------------------------

    def begin(self, delivery: str, job: str) -> None:
        """Show that the child holds the claims of this delivery, and which job led to them."""
        self._slot.withdrawn = b""
        self._slot.job = job.encode()
        self._slot.beats += 1
        self._slot.delivery = delivery.encode()

    def end(self) -> None:
        """Show that the child holds nothing any more."""
        self._slot.delivery = b""
        self._slot.finished += 1

    def beat(self) -> None:
        """Show progress. Raises Withdrawn when the parent has found the claims gone."""
        self._slot.beats += 1
        if self._slot.withdrawn and self._slot.withdrawn == self._slot.delivery:
            raise Withdrawn

    @contextmanager
    def patient(self) -> Iterator[None]:
        """Show, for the length of the block, that the child waits for what is not its GPU and ends by itself."""
        with self._lock:
            self._slot.patient += 1
        try:
            yield
        finally:
            with self._lock:
                self._slot.patient -= 1

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Show, for the length of the block, that the child may hold claims, also while it is at no job."""
        self._slot.holding = 1
        try:
            yield
        finally:
            self._slot.holding = 0

    @contextmanager
    def loading(self) -> Iterator[bool]:
        """Mark, for the length of the block, that a model is loaded for no job; False where a process ended in it."""
        if self._board.loading:
            yield False
            return
        self._board.loading = 1
        self._slot.job = b"a load"
        try:
            yield True
        finally:
            self._board.loading = 0

    def stages(self) -> frozenset[Stage] | None:
        """Return which stages the parent wants served from the next job on; None when it has said nothing yet."""
        said = self._board.stages
        return frozenset(stage for stage, bit in _STAGE_BITS.items() if said & bit) if said else None

    # -- the parent's side ---------------------------------------------------------------------------------------------

    @property
    def delivery(self) -> str:
        """The delivery whose claims the child holds; empty: none."""
        return _text(self._slot.delivery)

    @property
    def is_holding(self) -> bool:
        """Whether the child may hold claims, at a job or between two."""
        return bool(self._slot.holding or self._slot.delivery)

    @property
    def job(self) -> str:
        """The job that the child is at, or was last, as in `edit 17`."""
        return _text(self._slot.job)

    @property
    def beats(self) -> int:
        """How often the child has shown progress."""
        return int(self._slot.beats)

    @property
    def finished(self) -> int:
        """How many jobs or batches the child has come to the end of."""
        return int(self._slot.finished)

    @property
    def is_patient(self) -> bool:
        """Whether the child waits for what is not its GPU."""
        return bool(self._slot.patient)

    def owner(self, parent: Process) -> Owner | None:
        """Return as whom the child holds claims; None when it holds none."""
        return Owner(self.process, self.delivery, parent) if self.delivery else None

    def withdraw(self, delivery: str) -> None:
        """Tell the child that the claims of this delivery are gone."""
        self._slot.withdrawn = delivery.encode()


def _text(field: bytes) -> str:
    return field.decode("ascii", "replace")  # a child killed while it wrote may leave anything


class Pulses:
    """The memory of all children of one worker; made by its parent before the first child starts."""

    def __init__(self) -> None:
        self._board = _Board()
        self._seen = False
        if hasattr(os, "memfd_create") and os.path.isdir("/proc/self/fd"):  # noqa: PTH112 - no file, a feature
            handle = os.memfd_create("editfarm-pulse")
            os.ftruncate(handle, ctypes.sizeof(_Board))
            self._board, self._seen = _mapped(handle), True
            os.environ[_WHERE] = f"/proc/{os.getpid()}/fd/{handle}"

    @property
    def are_seen(self) -> bool:
        """Whether this system lets a parent see its children's pulses."""
        return self._seen

    def of_children(self) -> list[Pulse]:
        """Return what each child shows that ever began; a dead one's stays until it is cleared."""
        return [
            Pulse(slot, Process(this_host(), slot.pid, _text(slot.started)), self._board)
            for slot in self._board.slots
            if slot.pid
        ]

    def tell(self, stages: Iterable[Stage]) -> None:
        """Tell the children which stages to serve from their next job on; none: they come to an end."""
        self._board.stages = _SAID + sum(_STAGE_BITS[stage] for stage in set(stages))

    def clear(self, pulse: Pulse) -> None:
        """Forget a dead child."""
        ctypes.memset(ctypes.addressof(pulse._slot), 0, ctypes.sizeof(_Slot))


def pulse_of(process: Process) -> Pulse:
    """Return this child's own fields, in its parent's memory where there is such."""
    where = os.environ.get(_WHERE)
    if where is None:
        return Pulse(_entered(_Slot(), process), process)
    handle = os.open(where, os.O_RDWR | os.O_CLOEXEC)
    fcntl.flock(handle, fcntl.LOCK_EX)  # two children may start at once
    try:
        board = _mapped(handle)
        return Pulse(_entered(_free(board.slots, process), process), process, board)
    finally:
        fcntl.flock(handle, fcntl.LOCK_UN)  # closing would not do it: the mapping keeps the file open
        os.close(handle)


def _free(slots: ctypes.Array[_Slot], process: Process) -> _Slot:
    """Return a slot that no child has, living or not yet looked at; where all are taken, any."""
    return next((slot for slot in slots if not slot.pid), slots[process.pid % SLOTS])


def _entered(slot: _Slot, process: Process) -> _Slot:
    ctypes.memset(ctypes.addressof(slot), 0, ctypes.sizeof(_Slot))
    slot.started = process.started.encode()
    slot.pid = process.pid
    return slot


def _mapped(handle: int) -> _Board:
    return _Board.from_buffer(mmap.mmap(handle, ctypes.sizeof(_Board)))
