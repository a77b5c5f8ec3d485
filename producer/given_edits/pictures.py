"""Images that were found, checked before any is taken, and then put into the store."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from db.decode import MAX_BYTES, decode_image
from db.errors import BenchmarkInvalid, ImageFault
from db.given import GivenEdit
from db.images import ImageStore, digest_of
from producer.benchmark.faults import Faults
from producer.benchmark.files import open_regular
from producer.benchmark.sample import Fault
from producer.given_edits.names import Found
from producer.storing import Storing

CHECKED_AT_ONCE = 4
"""So many images are decoded at a time: decoders leave the interpreter's lock to others."""


def check_pictures(found: Sequence[Found], faults: Faults) -> list[GivenEdit]:
    """Return the edits with the digests of their images; what cannot be used is added to the faults."""
    threads = ThreadPoolExecutor(CHECKED_AT_ONCE, "check")
    edits = []
    try:
        for edit, checked in zip(found, threads.map(_checked, found), strict=True):
            if isinstance(checked, Fault):
                faults.add(checked)
            else:
                edits.append(GivenEdit(edit.position, edit.repeat, checked, edit.missing))
    finally:
        threads.shutdown(cancel_futures=True)
    return edits


def store_pictures(found: Sequence[Found], edits: Sequence[GivenEdit], images: ImageStore) -> None:
    """Put the images of these edits into the store. Raises BenchmarkInvalid where one is another than was checked."""
    with Storing(images) as storing:
        for place, edit in zip(found, edits, strict=True):
            if place.path is not None and edit.image is not None:
                storing.put(_as_checked(place.path, edit.image))
        storing.wait()


def _checked(found: Found) -> str | Fault | None:
    """Return the digest of the image, None where there is none."""
    if found.path is None:
        return None
    try:
        content = _read(found.path)
        decode_image(content)
    except OSError as error:
        return Fault(found.place, f"image cannot be read: {error.strerror}")
    except ImageFault as error:
        return Fault(found.place, str(error))
    return digest_of(content)


def _as_checked(path: str, digest: str) -> bytes:
    try:
        content = _read(path)
    except (OSError, ImageFault) as error:
        raise BenchmarkInvalid(f"{path}: changed while it was read; submit it again") from error
    if digest_of(content) != digest:
        raise BenchmarkInvalid(f"{path}: changed while it was read; submit it again")
    return content


def _read(path: str) -> bytes:
    with open_regular(Path(path)) as file:
        size = os.fstat(file.fileno()).st_size
        if size > MAX_BYTES:
            raise ImageFault(f"image has {size:,} bytes; at most {MAX_BYTES:,} are read")
        return file.read(size + 1)  # room is made for as much as is asked for
