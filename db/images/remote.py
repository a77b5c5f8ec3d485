"""The image store in a bucket, by fsspec: objects that appear whole or not at all, but cannot be renamed.

An object is put in one request: it is durable when that is answered, younger than it was, and whole whatever lay there
before, so that nothing needs to be read or compared. No name can be taken from an object in one step. So it is set
aside as a copy first, and removed then; whoever puts it between the two loses it, and finds the copy: `get` looks
there, too. A copy is kept for so long that every row that may name it is committed (`db.upkeep.gc`). Which of several
requests comes first matters nowhere else, for under one digest there are never two contents.
"""

from __future__ import annotations

import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from operator import itemgetter
from typing import Any

from db.errors import StoreAway, StoreRefused
from db.images.faults import naming_faults
from db.images.store import DAMAGED, DIGEST, MISSING, PROBE, ImageMissing, Stored, digest_of

REQUESTS_AT_ONCE = 16
"""So many copies of a gc are under way at a time: each is a wait for the server, and hardly any work here."""

LONGEST_SECONDS = 120
"""How long any request may take with all that is tried again: there are waits that no timeout of a socket ends."""

_REMOVED_AT_ONCE = 1000
"""Names that S3 takes in one request."""

_ASIDE = "aside"
_BEGINNING = re.compile(".*/[0-9a-f]{2}")
_MODIFIED = ("LastModified", "last_modified", "mtime", "updated")
"""What the packages of the protocols call the time when an object was put."""


class RemoteStore:
    """Images below one URL, as `ab/abcdef...`, named as in a folder, so that copying moves a store.

    Opened by the process that first uses it: what fsspec opens has a thread, and does not survive a fork.
    """

    folder = None
    keeps_aside = True

    def __init__(self, protocol: str, root: str, open_files: Callable[[], Any]) -> None:
        self._protocol = protocol
        self._root = root.strip("/")
        self._open_files = open_files
        self._opening = threading.Lock()
        self._opened: tuple[int, Any] | None = None

    def __str__(self) -> str:
        return f"{self._protocol}://{self._root}"

    def place(self, digest: str) -> str:
        """Return the image's URL."""
        return f"{self._protocol}://{self._key(digest)}"

    # -- written and read ------------------------------------------------------------------------------------------

    def put(self, content: bytes) -> str:
        """Store the bytes durably and return their digest: one request."""
        digest = digest_of(content)
        self._ask("pipe_file", self._key(digest), content)
        return digest

    def get(self, digest: str) -> bytes:
        """Return the image's bytes, checked against the digest: one request. Raises ImageMissing."""
        content = self._whole(self._key(digest), digest)
        if content is None:
            aside = (self._whole(one.name, digest) for one in self._aside(digest))
            content = next(filter(None, aside), None)
        if content is None:
            return self._put_back_meanwhile(digest)
        return content

    def _put_back_meanwhile(self, digest: str) -> bytes:
        """Return the image after all: it may have had its name again before we looked where it was set aside."""
        content = self._read(self._key(digest))
        if content is None or digest_of(content) != digest:
            raise ImageMissing(digest, str(self), MISSING if content is None else DAMAGED)
        return content

    def fault(self, digest: str) -> str | None:
        """Return what is wrong with the image; it is read to tell."""
        try:
            self.get(digest)
        except ImageMissing as error:
            return error.fault
        return None

    def probe(self) -> None:
        """Write something that is no image, read it back and remove it. Raises OSError."""
        key = f"{self._root}/{PROBE}{secrets.token_hex(8)}"
        content = secrets.token_bytes(64)
        with naming_faults(str(self)):
            self._files().pipe_file(key, content)
        try:
            if self._read(key) != content:
                raise StoreAway(f"the image store {self} gives back other than was written: {key}")
        finally:
            self._remove([key])
        if self._read(key) is not None:
            raise StoreRefused(f"the image store {self} does not let its objects be removed")

    # -- listed and removed ----------------------------------------------------------------------------------------

    def stored(self) -> Iterator[Stored]:
        """Yield every image, in the order of digests: one request for a thousand, and for each of 256 beginnings."""
        for folder in self._beginnings(self._root):
            yield from _objects(self._listed(folder), digest_at=-1)

    def unfinished(self) -> Iterator[Stored]:
        """Yield nothing: no object is there before it is whole."""
        yield from ()

    def all_set_aside(self) -> Iterator[Stored]:
        """Yield the images that are set aside; `modified_at` tells since when."""
        for folder in self._beginnings(f"{self._root}/{_ASIDE}"):
            yield from _objects(self._ask("find", folder, detail=True).values(), digest_at=-2)

    def set_aside(self, images: Sequence[Stored]) -> list[Stored]:
        """Copy these images, then remove them; return the copies of those that were still there."""
        with ThreadPoolExecutor(REQUESTS_AT_ONCE, "aside") as threads:
            aside = [copy for copy in threads.map(self._copied_aside, images) if copy is not None]
        self._remove([self._key(copy.digest) for copy in aside])
        return aside

    def put_back(self, aside: Stored) -> None:
        """Put an image that is set aside anew, if it is whole, and remove it there."""
        content = self._read(aside.name)
        if content is not None and digest_of(content) == aside.digest:
            self.put(content)
        self.remove([aside])

    def remove(self, files: Sequence[Stored]) -> None:
        """Remove copies that are set aside: one request for a thousand. It is answered alike where one may not."""
        self._remove([file.name for file in files])

    def restore(self, digest: str) -> bool:
        """Put the image back where it is set aside; False when it is not."""
        aside = self._aside(digest)
        for one in aside:
            self.put_back(one)
        return bool(aside)

    def _aside(self, digest: str) -> list[Stored]:
        return list(_objects(self._listed(self._aside_key(digest)), digest_at=-2))

    def _copied_aside(self, image: Stored) -> Stored | None:
        name = f"{self._aside_key(image.digest)}/{secrets.token_hex(4)}"
        try:
            self._ask("cp_file", self._key(image.digest), name)
        except FileNotFoundError:
            return None
        return Stored(name, image.digest, image.bytes, time.time())

    # -- names -----------------------------------------------------------------------------------------------------

    def _key(self, digest: str) -> str:
        return f"{self._root}/{digest[:2]}/{digest}"

    def _aside_key(self, digest: str) -> str:
        return f"{self._root}/{_ASIDE}/{digest[:2]}/{digest}"

    # -- requests --------------------------------------------------------------------------------------------------

    def _files(self) -> Any:
        """Return the fsspec file system of this process."""
        with self._opening:
            if self._opened is None or self._opened[0] != os.getpid():
                self._opened = os.getpid(), self._open_files()
            return self._opened[1]

    def _ask(self, what: str, *given: Any, **options: Any) -> Any:
        """Call this method of the file system. Raises FileNotFoundError, StoreAway or StoreRefused, all in time."""
        with naming_faults(str(self)):
            files = self._files()
            limit = {"timeout": LONGEST_SECONDS} if files.async_impl else {}
            return getattr(files, what)(*given, **options, **limit)

    def _read(self, key: str) -> bytes | None:
        """Return an object's content; None where there is none."""
        try:
            return bytes(self._ask("cat_file", key))
        except FileNotFoundError:
            return None

    def _whole(self, key: str, digest: str) -> bytes | None:
        content = self._read(key)
        return content if content is not None and digest_of(content) == digest else None

    def _listed(self, folder: str) -> list[dict[str, Any]]:
        """Return what lies directly below; nothing is no fault."""
        try:
            return list(self._ask("ls", folder, detail=True))
        except FileNotFoundError:
            return []

    def _beginnings(self, folder: str) -> list[str]:
        return sorted(one["name"] for one in self._listed(folder) if _BEGINNING.fullmatch(one["name"]))

    def _remove(self, keys: Sequence[str]) -> None:
        for first in range(0, len(keys), _REMOVED_AT_ONCE):
            with suppress(FileNotFoundError):
                self._ask("rm", list(keys[first : first + _REMOVED_AT_ONCE]))


def _objects(found: Iterable[dict[str, Any]], *, digest_at: int) -> Iterator[Stored]:
    """Yield those that are images by their name, in the order of names."""
    for one in sorted(found, key=itemgetter("name")):
        parts = one["name"].split("/")
        digest = parts[digest_at] if len(parts) > -digest_at else ""
        if one["type"] == "file" and DIGEST.fullmatch(digest):
            yield Stored(one["name"], digest, int(one["size"]), _modified_at(one))


def _modified_at(found: dict[str, Any]) -> float:
    """Return when an object was put, in seconds since the epoch."""
    said = next(found[name] for name in _MODIFIED if name in found)
    return datetime.fromisoformat(said).timestamp() if isinstance(said, str) else float(said.timestamp())
