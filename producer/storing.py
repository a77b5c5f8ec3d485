"""Images on their way into the store, a few at a time."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

from db.images import ImageStore

STORED_AT_ONCE = 4
"""So many images are on their way to the disk at a time: it flushes several as fast as one."""


class Storing:
    """Puts images into the store, a few at a time, so that no more than these are in memory."""

    def __init__(self, images: ImageStore) -> None:
        self._images = images
        self._threads = ThreadPoolExecutor(STORED_AT_ONCE, "store")
        self._under_way: deque[Future[str]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(cancel_futures=True)

    def put(self, content: bytes) -> None:
        """Have the image stored. Raises what an earlier one came to."""
        if len(self._under_way) == STORED_AT_ONCE:
            self._under_way.popleft().result()
        self._under_way.append(self._threads.submit(self._images.put, content))

    def wait(self) -> None:
        """Return when all of them are on disk; raise what one of them came to."""
        while self._under_way:
            self._under_way.popleft().result()
