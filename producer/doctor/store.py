"""Whether the image store takes images and gives them back, and whether there is room for what is to come."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from db.errors import StoreAway, StoreRefused, WrongCall, first_line
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
CANNOT_BE_MADE = Trouble(
    State.FAULT,
    "it is not there, and this user may not make it",
    "`install -d -m 700 -o {uid} {path}` as an administrator, or set FARM_IMAGES to a folder of this user",
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
WRONG_ADDRESS = Trouble(
    State.FAULT, "FARM_IMAGES cannot be used", "set FARM_IMAGES to a folder, or to s3://BUCKET/PREFIX"
)
BUCKET_AWAY = Trouble(
    State.FAULT,
    "its server does not answer: workers wait with their results in hand",
    "see that AWS_ENDPOINT_URL is right and can be reached from here (for s3://), or wait for the server",
)
BUCKET_REFUSES = Trouble(
    State.FAULT,
    "its server refuses: nothing can be submitted, and workers wait with their results in hand",
    "give this user's credentials (AWS_ACCESS_KEY_ID, ...) the rights that docs/howto/image-store.md lists",
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


def writable(sights: Sights) -> Iterator[Found]:
    """Put something in, read it back, take it out again."""
    sights.settings()
    store = _opened()
    if isinstance(store, WrongCall):
        yield WRONG_ADDRESS(first_line(store))
    elif store.folder is None:
        yield _bucket(store)
    elif not store.folder.exists():
        yield _to_be_made(store.folder)
    else:
        yield _folder(store, store.folder)


def space(sights: Sights) -> Iterator[Found]:
    """Hold the room on its disk against the edits that wait; FARM_HOME's disk as well where that is another."""
    settings = sights.settings()
    store = _opened()
    folder = None if isinstance(store, WrongCall) else store.folder
    if folder is not None and not isinstance(store, WrongCall):
        edits = _edits_waiting(sights)
        needed = edits * _usual_bytes(store) if edits else 0
        yield _room_for(folder, needed, f" for some {edits:,} edits of {in_gigabytes(needed)}" if edits else "")
    if folder is None or room(settings.home_path).device != room(folder).device:
        yield _room_for(settings.home_path, 0, "")


def _opened() -> ImageStore | WrongCall:
    try:
        return images()
    except WrongCall as error:
        return error


def _to_be_made(folder: Path) -> Found:
    above, uid = nearest(folder), os.geteuid()
    if os.access(above, os.W_OK):
        return NOT_THERE_YET(f"no folder {folder}")
    return CANNOT_BE_MADE(f"no folder {folder}, and uid {uid} may not write {above}", uid=uid, path=quote(str(folder)))


def _folder(store: ImageStore, folder: Path) -> Found:
    try:
        store.probe()
    except OSError as error:
        return _not_writable(folder, error)
    return fine(f"{folder}: written, read back and removed")


def _bucket(store: ImageStore) -> Found:
    try:
        store.probe()
    except StoreRefused as error:
        return BUCKET_REFUSES(first_line(error))
    except StoreAway as error:
        return BUCKET_AWAY(first_line(error))
    return fine(f"{store}: written, read back and removed")


def _not_writable(folder: Path, error: OSError) -> Found:
    known = {errno.EACCES: CLOSED, errno.EPERM: CLOSED, errno.ENOSPC: FULL, errno.EDQUOT: FULL, errno.EROFS: READ_ONLY}
    trouble = known.get(error.errno or 0, FAILS)
    return trouble(f"{folder}: {error.strerror or error}", uid=os.geteuid(), path=quote(str(folder)))


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
