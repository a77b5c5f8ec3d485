"""For how long a worker has done nothing though it could."""

from __future__ import annotations

import time
from collections.abc import Callable


class Idleness:
    """To be asked again and again; time without a look counts as `longest_seconds` at most."""

    def __init__(self, longest_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._longest_seconds = longest_seconds
        self._clock = clock
        self._looked_at = clock()
        self._seconds = 0.0

    def seconds(self, *, idle: bool) -> float:
        """Take note of how it is now; return for how long it has been idle."""
        now = self._clock()
        since, self._looked_at = min(now - self._looked_at, self._longest_seconds), now
        self._seconds = self._seconds + since if idle else 0.0
        return self._seconds
