"""Who holds a claim: one delivery of a message to one process of one host, and whether it may still come to an end."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """A process that cannot be mistaken for a later one with the same number.

    `host` includes boot and PID namespace, so machines and containers that share a name differ. `started` is the
    kernel's start tick; empty where there is no /proc, and there a process number alone must do.
    """

    host: str
    pid: int
    started: str

    def __str__(self) -> str:
        return f"{self.host}|{self.pid}|{self.started}"

    @classmethod
    def parse(cls, text: str) -> Process:
        """Read what `str` wrote."""
        host, pid, started = text.split("|")
        return cls(host, int(pid), started)

    def is_here(self) -> bool:
        """Tell whether this process belongs to this host, so that its life can be seen from here."""
        return self.host == this_host()

    def is_dead(self) -> bool:
        """Tell whether this process is known to be gone. Of another host's process nothing is known: False."""
        return self.is_here() and _start_tick(self.pid) != self.started


@dataclass(frozen=True)
class Owner:
    """A process working on one delivery; the delivery is Celery's task id.

    `parent` is the process that looks after it: while it lives, it is the one to say how its child ended.
    """

    process: Process
    delivery: str
    parent: Process | None = None

    def is_lost(self, is_dead: Callable[[Process], bool] = Process.is_dead) -> bool:
        """Tell whether process and parent are known to be dead, so that nobody will speak for this claim any more."""
        return is_dead(self.process) and (self.parent is None or is_dead(self.parent))

    def __str__(self) -> str:
        parent = f"|{self.parent.pid}|{self.parent.started}" if self.parent is not None else ""
        return f"{self.process}|{self.delivery}{parent}"

    @classmethod
    def parse(cls, text: str) -> Owner:
        """Read what `str` wrote."""
        host, pid, started, delivery, *parent = text.split("|")
        return cls(
            Process(host, int(pid), started),
            delivery,
            Process(host, int(parent[0]), parent[1]) if parent else None,
        )


def process_of(pid: int) -> Process:
    """Return the living process of this number on this host, as claims name it."""
    return Process(this_host(), pid, _start_tick(pid) or "")


def this_process() -> Process:
    """Return the calling process."""
    return process_of(os.getpid())


@cache
def this_host() -> str:
    """Return the host's name with its boot and its PID namespace: the name alone may be another machine's too."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
        namespace = str(Path("/proc/self/ns/pid").readlink()).strip("pid:[]")
    except OSError:
        return socket.gethostname()
    return f"{socket.gethostname()}/{boot}/{namespace}"


def _start_tick(pid: int) -> str | None:
    """Return when the process started, "" where that cannot be told, None when there is no such living process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return None if Path("/proc/self/stat").exists() or not _answers_signals(pid) else ""
    except ProcessLookupError:
        return None
    state, *fields = stat.rpartition(")")[2].split()  # the name before it may hold spaces and brackets
    return None if state in "ZX" else fields[18]


def _answers_signals(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
