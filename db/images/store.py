"""What every image store gives its callers."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

MISSING = "missing"
DAMAGED = "damaged"

CHECKED_AT_ONCE = 16
"""So many images are read at a time to see whether they are whole: in a bucket each is a wait for its server."""

_HANDED_OUT = 500
"""So many digests are taken at a time, however many there are."""

DIGEST = re.compile("[0-9a-f]{64}")
PROBE = ".probe-"


class ImageMissing(Exception):
    """The store has no image of this digest, or its bytes are not what the digest says; `fault` says which of both."""

    def __init__(self, digest: str, store: str, fault: str) -> None:
        what = f"is not in the store {store}" if fault == MISSING else f"in the store {store} is damaged"
        super().__init__(f"image {digest} {what}" + (": its content has changed" if fault == DAMAGED else ""))
        self.fault = fault


@dataclass(frozen=True)
class Stored:
    """What the store holds as it was a moment ago, by the name that the store has for it.

    `modified_at`, in seconds since the epoch, tells when an image was last put.
    """

    name: str
    digest: str
    bytes: int
    modified_at: float


def digest_of(content: bytes) -> str:
    """Return the sha-256 of the bytes as 64 hexadecimal digits: the name of the image everywhere in the farm."""
    return hashlib.sha256(content).hexdigest()


def faults_among(digests: Iterable[str], fault: Callable[[str], str | None]) -> Iterator[tuple[str, str]]:
    """Yield those of the images in which `fault` finds one, with what it is; it is asked by several threads."""
    rest = iter(digests)
    with ThreadPoolExecutor(CHECKED_AT_ONCE, "check") as threads:
        while some := list(islice(rest, _HANDED_OUT)):
            for digest, found in zip(some, threads.map(fault, some), strict=True):
                if found is not None:
                    yield digest, found


class ImageSource(Protocol):
    """Where images are read."""

    def get(self, digest: str) -> bytes:
        """Return the image's bytes, checked against the digest. Raises ImageMissing, or OSError for another cause."""


class ImageStore(ImageSource, Protocol):
    """Images by their digests. Any number of processes and threads may use it at once.

    All of it raises OSError for a store that cannot be read or written just now.
    """

    @property
    def folder(self) -> Path | None:
        """The folder on this machine that has the images as `ab/abcdef...`; None where there is no such."""

    @property
    def keeps_aside(self) -> bool:
        """Whether what is set aside has to lie there until a later gc, its time counted from then."""

    def place(self, digest: str) -> str:
        """Return where the image lies, or would lie, as a person can find it: a path or a URL."""

    def put(self, content: bytes) -> str:
        """Store the bytes durably and return their digest; what is there already is whole and young again.

        Whatever ends this amid it leaves no half image under a digest.
        """

    def fault(self, digest: str) -> str | None:
        """Return what is wrong with the image, MISSING or DAMAGED; None when `get` would return it."""

    def probe(self) -> None:
        """Write something that is no image, read it back and remove it. Raises OSError where that does not go well."""

    def stored(self) -> Iterator[Stored]:
        """Yield every image, in the order of digests; a 256th of their names is held at a time."""

    def unfinished(self) -> Iterator[Stored]:
        """Yield what writers that are at it, or died of it, have written so far. Its digest is not known: empty."""

    def all_set_aside(self) -> Iterator[Stored]:
        """Yield the images that are set aside: of a gc at work, or of an earlier one."""

    def set_aside(self, images: Sequence[Stored]) -> list[Stored]:
        """Take their names from these images, so that whoever puts them from now on writes them anew.

        Return as they now lie those that were still there, under names that no other gc uses.
        """

    def put_back(self, aside: Stored) -> None:
        """Give an image that is set aside its name again, unless another has it by now."""

    def remove(self, files: Sequence[Stored]) -> None:
        """Remove what is set aside or unfinished; what is gone already is no matter."""

    def restore(self, digest: str) -> bool:
        """Put the image back where it is set aside; False when it is not."""
