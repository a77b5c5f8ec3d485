"""An image store of each kind, and hands that do to it what no store would."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import Any

from db.images import FolderStore, ImageStore
from db.images.remote import RemoteStore

DAY = 86400.0


class Shelf(ABC):
    """A store whose files or objects a test can look at and change."""

    images: ImageStore

    @abstractmethod
    def names(self) -> list[str]:
        """Return the names below the store, in their order."""

    @abstractmethod
    def overwrite(self, digest: str, content: bytes) -> None:
        """Leave other bytes where an image lies."""

    @abstractmethod
    def lose(self, digest: str) -> None:
        """Remove an image by hand."""

    @abstractmethod
    def write(self, name: str, content: bytes) -> None:
        """Leave something below the store that is none of its own."""

    def young_since(self, digest: str) -> float:
        """Return when the image was last put."""
        return next(one.modified_at for one in self.images.stored() if one.digest == digest)


class FolderShelf(Shelf):
    def __init__(self, images: FolderStore) -> None:
        self.images = self._store = images

    def names(self) -> list[str]:
        files = (path for path in self._store.folder.rglob("*") if path.is_file())
        return sorted(str(path.relative_to(self._store.folder)) for path in files)

    def overwrite(self, digest: str, content: bytes) -> None:
        self._store.path(digest).write_bytes(content)

    def lose(self, digest: str) -> None:
        self._store.path(digest).unlink()

    def write(self, name: str, content: bytes) -> None:
        (self._store.folder / name).write_bytes(content)


class BucketShelf(Shelf):
    def __init__(self, images: RemoteStore, client: Any) -> None:
        self.images = images
        self._client = client
        self._bucket, _, self._prefix = str(images).removeprefix("s3://").partition("/")

    def names(self) -> list[str]:
        found = self._client.list_objects_v2(Bucket=self._bucket, MaxKeys=1000).get("Contents", [])
        return sorted(one["Key"].removeprefix(f"{self._prefix}/") for one in found)

    def overwrite(self, digest: str, content: bytes) -> None:
        self.write(f"{digest[:2]}/{digest}", content)

    def lose(self, digest: str) -> None:
        self._client.delete_object(Bucket=self._bucket, Key=f"{self._prefix}/{digest[:2]}/{digest}")

    def write(self, name: str, content: bytes) -> None:
        self._client.put_object(Bucket=self._bucket, Key=f"{self._prefix}/{name}", Body=content)


def later(days: float) -> float:
    """Return the time so many days from now: a server's own clock cannot be set back."""
    return time.time() + days * DAY
