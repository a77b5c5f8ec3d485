"""Whether this host has what workers and producers take: Python's packages, memory, open files."""

from __future__ import annotations

import platform
import resource
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement

from producer.doctor.disks import in_gigabytes, room
from producer.doctor.finding import Found, State, Trouble, fine

if TYPE_CHECKING:
    from producer.doctor.sights import Sights

LITTLE_SHARED_BYTES = 16 << 20
FEW_OPEN_FILES = 1024
FOR_PROCESSES_BYTES = 2_000_000_000
"""What the processes of a worker take beside its model."""

_CGROUP = Path("/sys/fs/cgroup")
_UNLIMITED = 1 << 60  # of the first version, which writes a very large number

WRONG_VERSION = Trouble(
    State.FAULT, "a package is missing, or of a version that does not go with the others", "`pip install '{wanted}'`"
)
LITTLE_MEMORY = Trouble(
    State.WARNING,
    "little host memory is left: models wait for some before they are loaded",
    "end what else takes memory, give the container more, or lower FARM_HOST_RESERVE_GB",
)
NO_MEMORY = Trouble(
    State.FAULT,
    "the memory limit is below what FARM_HOST_RESERVE_GB keeps free: no model is ever loaded",
    "raise the container's limit (`mem_limit` in compose.yaml), or lower FARM_HOST_RESERVE_GB",
)
LITTLE_SHARED = Trouble(
    State.WARNING,
    "/dev/shm is small or full: workers need it for locks, several GPUs per worker for much more",
    "`shm_size: 1gb` in compose.yaml, `docker run --shm-size 1g`, or remove what is left in /dev/shm",
)
FEW_FILES = Trouble(
    State.WARNING,
    "a process may hold few files and connections open",
    "`ulimit -n 65536` before the start, `LimitNOFILE=65536` in a systemd unit, `ulimits` in compose.yaml",
)


def packages(_sights: Sights) -> Iterator[Found]:
    """Hold the versions of editfarm's packages, and of Celery's own, against what each asks for."""
    wrong = list(dict.fromkeys([*_unmet("editfarm"), *_unmet("celery")]))
    for wanted, there in wrong:
        yield WRONG_VERSION(f"{wanted} is asked for, {there or 'none'} is there", wanted=wanted)
    if not wrong:
        told = ", ".join(f"{name} {version(name)}" for name in ("celery", "kombu", "redis", "SQLAlchemy"))
        yield fine(f"Python {platform.python_version()}, {told}")


def memory(sights: Sights) -> Iterator[Found]:
    """Hold host memory, or what a container may take of it, against what loading models leaves free."""
    reserve = sights.settings().host_reserve_gb * 1e9
    limit, left = _memory()
    seen = f"{in_gigabytes(left)} of {in_gigabytes(limit)} free; models leave {in_gigabytes(reserve)} of it"
    if limit < reserve:
        yield NO_MEMORY(seen)
    elif left < reserve + FOR_PROCESSES_BYTES:
        yield LITTLE_MEMORY(seen)
    else:
        yield fine(seen)


def shared_memory(_sights: Sights) -> Iterator[Found]:
    """See whether there is room in /dev/shm, which containers are given little of."""
    folder = Path("/dev/shm")
    if folder.is_dir():
        left = room(folder).free_bytes
        seen = f"{in_gigabytes(left)} free in /dev/shm"
        yield LITTLE_SHARED(seen) if left < LITTLE_SHARED_BYTES else fine(seen)


def open_files(_sights: Sights) -> Iterator[Found]:
    """See how many files a process may hold open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    seen = f"{soft:,} open files a process"
    yield FEW_FILES(seen) if 0 <= soft < FEW_OPEN_FILES else fine(seen)


def _unmet(package: str) -> Iterator[tuple[str, str | None]]:
    """Yield each requirement of the package that is not met, with the version that is there."""
    for line in _requires(package):
        try:
            wanted = Requirement(line)
        except InvalidRequirement:
            continue
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            continue
        there = _version(wanted.name)
        if there is None or not wanted.specifier.contains(there, prereleases=True):
            yield f"{wanted.name}{wanted.specifier}", there


def _requires(package: str) -> list[str]:
    try:
        return requires(package) or []
    except PackageNotFoundError:  # run from a checkout that is not installed
        return []


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _memory() -> tuple[int, int]:
    """Return how many bytes there are, and how many can still be taken; of a container by its own limit."""
    fields = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    total, free = (int(fields[name].split()[0]) * 1024 for name in ("MemTotal", "MemAvailable"))
    for most, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        limit, taken = _bytes(_CGROUP / most), _bytes(_CGROUP / used)
        if limit is not None and limit < min(total, _UNLIMITED):
            total, free = limit, min(free, limit - (taken or 0))
    return total, free


def _bytes(file: Path) -> int | None:
    try:
        text = file.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None
