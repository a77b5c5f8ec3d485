"""Whether the image store takes images and gives them back, and whether there is room for what is to come."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from db.farm import images
from db.images import ImageStore
from db.tables import Stage
from producer.doctor.disks import in_gigabytes, nearest, room
from producer.doctor.finding import Found, State, Trouble, fine

if TYPE_CHECKING:
    from producer.doctor.sights import Sights

LITTLE_BYTES, LEAST_BYTES = 2_000_000_000, 100_000_000
FEW_FILES = 10_000
USUAL_IMAGE_BYTES = 2_000_000
"""A PNG of a megapixel, where the store has no images yet to judge by."""

LOOKED_AT = 200

CLOSED = Trouble(
    State.FAULT,
    "this user may not write the store: nothing can be submitted, and workers wait with their results in hand",
    "`chown {uid} {path}`, or set FARM_IMAGES to a folder of this user",
)
FULL = Trouble(State.FAULT, "its disk is full: workers wait with their results in hand", "make room: `df -h {path}`")
READ_ONLY = Trouble(
    State.FAULT, "its disk is mounted read-only", "`mount -o remount,rw {path}`, or set FARM_IMAGES to another folder"
)
FAILS = Trouble(
    State.FAULT,
    "it fails for a reason of its own",
    "see that `{path}` can be written and read; workers wait until then",
)
NOT_THERE_YET = Trouble(State.NOTE, "there is no image store yet", "nothing to do: the first run makes it")
NO_ROOM = Trouble(
    State.FAULT,
    "the disk is full, or will be before the waiting runs are done",
    "free {bytes} on the disk of {path}: `python -m producer gc` removes what no run names; or move it to another disk",
)
LITTLE_ROOM = Trouble(State.WARNING, "there is little room left", NO_ROOM.fix)
NO_FILES = Trouble(
    State.FAULT, "the disk takes hardly any more files, though it has room", "remove files there: `df -i {path}`"
)


def probe(store: ImageStore) -> None:
    """Write an object of our own, read it back and remove it. Raises OSError.

    It lies beside the images under a name that is no digest, so nothing ever takes it for one.
    """
    path = store.folder / f".doctor-{secrets.token_hex(8)}"
    content = secrets.token_bytes(64)
    try:
        path.write_bytes(content)
        if path.read_bytes() != content:
            raise OSError(f"{path} reads back other than it was written")
    finally:
        path.unlink(missing_ok=True)


def writable(sights: Sights) -> Iterator[Found]:
    """Put something in, read it back, take it out again."""
    sights.settings()
    folder = images().folder
    if not folder.exists():
        above, closed = nearest(folder), PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        may = os.access(above, os.W_OK)
        yield NOT_THERE_YET(f"no folder {folder}") if may else _not_writable(folder, above, closed)
        return
    try:
        probe(images())
    except OSError as error:
        yield _not_writable(folder, folder, error)
    else:
        yield fine(f"{folder}: written, read back and removed")


def space(sights: Sights) -> Iterator[Found]:
    """Hold the room on its disk against the edits that wait; FARM_HOME's disk as well where that is another."""
    settings = sights.settings()
    folder = images().folder
    edits = _edits_waiting(sights)
    needed = edits * _usual_bytes(images()) if edits else 0
    yield _room_for(folder, needed, f" for some {edits:,} edits of {in_gigabytes(needed)}" if edits else "")
    if room(settings.home_path).device != room(folder).device:
        yield _room_for(settings.home_path, 0, "")


def _not_writable(folder: Path, closed: Path, error: OSError) -> Found:
    known = {errno.EACCES: CLOSED, errno.EPERM: CLOSED, errno.ENOSPC: FULL, errno.EDQUOT: FULL, errno.EROFS: READ_ONLY}
    trouble = known.get(error.errno or 0, FAILS)
    return trouble(f"{folder}: {error.strerror or error}", uid=os.geteuid(), path=quote(str(closed)))


def _room_for(folder: Path, needed: int, what_for: str) -> Found:
    left = room(folder)
    seen = f"{in_gigabytes(left.free_bytes)} free at {folder}{what_for}"
    wanted = in_gigabytes(max(needed, LITTLE_BYTES))
    if left.files is not None and left.files < FEW_FILES:
        return NO_FILES(f"{left.files:,} more files fit at {folder}", path=quote(str(nearest(folder))))
    if left.free_bytes < max(needed, LEAST_BYTES):
        return NO_ROOM(seen, bytes=wanted, path=quote(str(nearest(folder))))
    if left.free_bytes < LITTLE_BYTES:
        return LITTLE_ROOM(seen, bytes=wanted, path=quote(str(nearest(folder))))
    return fine(seen)


def _edits_waiting(sights: Sights) -> int:
    ledger = sights.ledger.tried()
    return 0 if isinstance(ledger, Exception) else ledger.waiting[Stage.EDIT]


def _usual_bytes(store: ImageStore) -> int:
    """Return what an image here takes, by some that are there."""
    sizes = [image.bytes for image in islice(store.stored(), LOOKED_AT)]
    return sum(sizes) // len(sizes) if sizes else USUAL_IMAGE_BYTES
