"""How much memory this host has, and how much of it can be had now."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")
_GIVES_WAY = ("inactive_file", "active_file")  # the page cache


@dataclass(frozen=True)
class Memory:
    """A host's memory in bytes: how much there is, and how much can be had now without swapping."""

    total: int
    available: int


def host_memory() -> Memory | None:
    """Return this host's memory, within this container's limit; None where it cannot be told."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    kilobytes = {line.partition(":")[0]: int(line.split()[1]) for line in lines if line.split()[1:]}
    host = Memory(kilobytes["MemTotal"] * 1024, kilobytes["MemAvailable"] * 1024)
    limit = _limit_of_container()
    if limit is None:
        return host
    return Memory(min(host.total, limit.total), min(host.available, limit.available))


def _limit_of_container() -> Memory | None:
    try:
        limit = int((_CGROUP / "memory.max").read_text())
        used = int((_CGROUP / "memory.current").read_text())
        stat = dict(line.split() for line in (_CGROUP / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):  # where there is no limit it reads "max"
        return None
    return Memory(limit, limit - used + sum(int(stat.get(name, 0)) for name in _GIVES_WAY))
