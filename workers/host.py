"""What the workers of one host share: turns at loading a model, and the host's memory; agreed on by locked files.

A lock goes with the process that holds it, so nothing has to be cleaned up after a crash.
"""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from db.settings import farm_home, make_private, settings
from workers.models.loading.host_memory import Memory, host_memory

LOOK_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 900.0
"""How long a worker waits for others to free host memory before its job is handed back."""

SMALL_BYTES = 256 * 1024**2
"""What a laptop has left at any time is neither waited for nor reserved."""


class HostTooSmall(Exception):
    """The host has not the memory for this; `for_good`: it would not have it either if all else were gone."""

    def __init__(self, reason: str, *, for_good: bool) -> None:
        super().__init__(reason)
        self.for_good = for_good


class Host:
    """Turns and memory of this host; `folder` must be the same for all of its workers."""

    def __init__(
        self,
        folder: Path,
        *,
        loads_at_once: int,
        reserve_bytes: int,
        memory: Callable[[], Memory | None] | None = None,
    ) -> None:
        for made in (folder.parent, folder):  # `parents` would leave the upper one to the umask
            made.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._turns = [FileLock(folder / f"load-{number}.lock", mode=0o600) for number in range(loads_at_once)]
        self._reserve_bytes = reserve_bytes
        self._memory = memory or host_memory

    @contextmanager
    def loading(self, needed_bytes: int, on_wait: Callable[[str], None]) -> Iterator[None]:
        """Hold a turn at loading, and a reservation of host memory, for the length of the block.

        `on_wait` is told what is waited for, again and again. Raises HostTooSmall at once where waiting is of no use,
        else after LONGEST_WAIT_SECONDS.
        """
        with self._turn(on_wait):
            self._wait_for_room(needed_bytes, on_wait)
            with self.reserved(needed_bytes):
                yield

    def has_room(self, needed_bytes: int) -> bool:
        """Tell whether so much host memory is free beyond the reserve and what others have reserved."""
        memory = self._memory()
        if memory is None or needed_bytes < SMALL_BYTES:
            return True
        return memory.available - self._reserved_by_others() >= needed_bytes + self._reserve_bytes

    @contextmanager
    def reserved(self, needed_bytes: int) -> Iterator[bool]:
        """Reserve host memory that is about to be allocated; yield False, with nothing reserved, if there is no room.

        The block ends when the memory is allocated: from then on it is seen to be gone.
        """
        if needed_bytes < SMALL_BYTES:
            yield True
            return
        # by its PID namespace as well: in containers that share the folder processes have the same numbers
        mine = FileLock(self._folder / f"memory-{_namespace()}-{os.getpid()}.lock", mode=0o600)
        with FileLock(self._folder / "memory.lock", mode=0o600):
            granted = self.has_room(needed_bytes)
            if granted:
                mine.acquire()
                make_private(self._amount(mine))
                self._amount(mine).write_text(str(needed_bytes))
        try:
            yield granted
        finally:
            if granted:
                self._amount(mine).unlink(missing_ok=True)
                mine.release()

    @contextmanager
    def _turn(self, on_wait: Callable[[str], None]) -> Iterator[None]:
        while (turn := self._free_turn()) is None:
            on_wait("waiting for its turn to load")
            time.sleep(LOOK_SECONDS)
        try:
            yield
        finally:
            turn.release()

    def _free_turn(self) -> FileLock | None:
        for turn in self._turns:
            try:
                turn.acquire(blocking=False)
            except Timeout:
                continue
            return turn
        return None

    def _wait_for_room(self, needed_bytes: int, on_wait: Callable[[str], None]) -> None:
        deadline = time.monotonic() + LONGEST_WAIT_SECONDS
        while not self.has_room(needed_bytes):
            memory = self._memory()
            for_good = memory is not None and memory.total < needed_bytes + self._reserve_bytes
            if memory is not None and (for_good or time.monotonic() > deadline):
                raise HostTooSmall(
                    f"loading takes {_gb(needed_bytes)} of host memory; {_gb(memory.available)} of {_gb(memory.total)} "
                    f"are free, and FARM_HOST_RESERVE_GB keeps {_gb(self._reserve_bytes)}",
                    for_good=for_good,
                )
            on_wait("waiting for host memory")
            time.sleep(LOOK_SECONDS)

    def _reserved_by_others(self) -> int:
        reserved = 0
        for path in self._folder.glob("memory-*.lock"):
            lock = FileLock(path, mode=0o600)
            try:
                lock.acquire(blocking=False)
            except Timeout:
                reserved += _read_number(self._amount(lock))
            else:  # its process is gone
                self._amount(lock).unlink(missing_ok=True)
                lock.release()
        return reserved

    def _amount(self, lock: FileLock) -> Path:
        return Path(lock.lock_file).with_suffix(".bytes")


def this_host() -> Host:
    """Return this host as the settings have it."""
    return Host(
        farm_home() / "hosts" / socket.gethostname(),  # FARM_HOME may be a folder that several hosts share
        loads_at_once=settings().loads_at_once,
        reserve_bytes=round(settings().host_reserve_gb * 1e9),
    )


def _namespace() -> str:
    try:
        return re.sub(r"\D", "", str(Path("/proc/self/ns/pid").readlink()))
    except OSError:
        return "0"


def _read_number(path: Path) -> int:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return 0


def _gb(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
