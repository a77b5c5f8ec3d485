"""Room on disks, and on which file system a path lies."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
_OVER_A_NETWORK = ("nfs", "cifs", "smb", "9p", "lustre", "ceph", "gpfs", "beegfs", "glusterfs", "fuse.", "afs")


@dataclass(frozen=True)
class Room:
    """What a disk has left for this user; `files`: how many more it takes, None where it sets no limit."""

    device: int
    free_bytes: int
    files: int | None


def nearest(path: Path) -> Path:
    """Return the path, or the first folder above it that is there."""
    return next(one for one in (path, *path.parents) if one.exists())


def room(path: Path) -> Room:
    """Return the room on the disk where the path lies, or would lie."""
    there = nearest(path)
    found = os.statvfs(there)
    return Room(there.stat().st_dev, found.f_bavail * found.f_frsize, found.f_favail if found.f_files else None)


def network_filesystem(path: Path) -> str | None:
    """Return the kind of network file system that the path lies on, None on a local disk or where that is unknown."""
    try:
        mounts = _MOUNTS.read_text(errors="replace").splitlines()
    except OSError:
        return None
    there = nearest(path.absolute()).resolve()
    kinds = {Path(line.split()[4]): line.partition(" - ")[2].split()[0] for line in mounts}  # the last one lies on top
    kind = next((kinds[folder] for folder in (there, *there.parents) if folder in kinds), "")
    return kind if kind.startswith(_OVER_A_NETWORK) else None


def in_gigabytes(count: float) -> str:
    """Return bytes as people say them (1e9 bytes are a GB)."""
    return f"{count / 1e9:,.1f} GB" if count >= 1e8 else f"{count / 1e6:,.1f} MB"
