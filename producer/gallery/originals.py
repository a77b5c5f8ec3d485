"""Full pictures for a page that opens offline: linked to where they lie in a folder, else copied beside the page."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from db.images import ImageMissing, ImageSource, ImageStore, digest_of

COPIED_AT_ONCE = 16
"""So many images are on their way from the store at a time: each is a wait for its server."""


def originals_for(digests: Iterable[str], images: ImageStore, folder: Path) -> tuple[ImageSource, str]:
    """Return where to read the images of a page in this folder, and their relative URL: it names no path elsewhere."""
    if images.folder is not None:
        return images, quote(os.path.relpath(images.folder.resolve(), folder.resolve())) + "/"
    copies = _Copies(images, folder / "originals")
    with ThreadPoolExecutor(COPIED_AT_ONCE, thread_name_prefix="original") as threads:
        list(threads.map(copies.ensure, digests))
    return copies, "originals/"


class _Copies:
    """Images of a store, each copied once, as `ab/abcdef...`; with the permissions of whatever the user writes."""

    def __init__(self, store: ImageSource, folder: Path) -> None:
        self._store = store
        self._folder = folder

    def ensure(self, digest: str) -> None:
        """Copy the image where it is whole."""
        with suppress(ImageMissing):
            self.get(digest)

    def get(self, digest: str) -> bytes:
        path = self._folder / digest[:2] / digest
        with suppress(FileNotFoundError):
            content = path.read_bytes()
            if digest_of(content) == digest:
                return content
        content = self._store.get(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{digest}-{os.getpid()}")
        unfinished.write_bytes(content)
        unfinished.replace(path)
        return content
