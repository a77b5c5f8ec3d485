"""The image store: image bytes by the digest of their content, in a local folder.

A name is written once and never changed, so readers need no lock. Bytes are on disk before `put` returns.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path


class ImageMissing(Exception):
    """The store has no image of this digest, or its bytes are not what the digest says."""


def digest_of(content: bytes) -> str:
    """Return the sha-256 of the bytes as 64 hexadecimal digits: the name of the image everywhere in the farm."""
    return hashlib.sha256(content).hexdigest()


class ImageStore:
    """Images below one folder, as `ab/abcdef...`: 256 folders keep each small."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, digest: str) -> Path:
        """Return where the image lies, or would lie."""
        return self.folder / digest[:2] / digest

    def has(self, digest: str) -> bool:
        """Tell whether the image is there."""
        return self.path(digest).is_file()

    def put(self, content: bytes) -> str:
        """Store the bytes durably and return their digest; storing the same again costs nothing.

        Written under a temporary name, flushed to disk and renamed, so a crash leaves no half image under a digest.
        Raises OSError when the folder cannot be written.
        """
        digest = digest_of(content)
        path = self.path(digest)
        if path.is_file():
            return digest
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
        return digest

    def get(self, digest: str) -> bytes:
        """Return the image's bytes, checked against the digest. Raises ImageMissing."""
        try:
            content = self.path(digest).read_bytes()
        except FileNotFoundError as error:
            raise ImageMissing(f"image {digest} is not in the store {self.folder}") from error
        if digest_of(content) != digest:
            raise ImageMissing(f"image {digest} in the store {self.folder} is damaged: its content has changed")
        return content


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
