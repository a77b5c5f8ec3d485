"""Readings that cost a question to somebody who may not answer: asked in the background, kept for some seconds."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import structlog

from db.errors import first_line
from workers.metrics.catalogue import Metric, Source

log = structlog.get_logger()

FRESH_SECONDS = 5.0
"""For so long what was read is told again."""


class Reading(NamedTuple):
    """One series' value now."""

    metric: Metric
    value: float
    labels: Mapping[str, str]


class Sampler:
    """What one source says. `read` may take as long as it likes, and raise anything: nobody waits longer than he says.

    At most one thread asks at a time, so that a source that is gone for hours holds one.
    """

    def __init__(
        self,
        source: Source,
        read: Callable[[], Sequence[Reading]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.source = source
        self._read = read
        self._clock = clock
        self._read_at = -math.inf
        self._found: Sequence[Reading] | None = None
        self._at_it = False
        self._in_trouble = False
        self._changed = threading.Condition()

    def begin(self) -> None:
        """Have it asked, unless it was a moment ago."""
        with self._changed:
            if self._at_it or self._clock() - self._read_at < FRESH_SECONDS:
                return
            self._at_it = True
        threading.Thread(target=self._ask, name=f"metrics-{self.source}", daemon=True).start()

    def readings(self, seconds: float) -> Sequence[Reading] | None:
        """Return what it said, waiting so long for it; None where it has not answered or could not."""
        with self._changed:
            self._changed.wait_for(lambda: not self._at_it, max(0.0, seconds))
            return None if self._at_it else self._found

    def _ask(self) -> None:
        found: Sequence[Reading] | None = None
        try:
            found = self._read()
        except Exception as error:  # noqa: BLE001 - whatever a broker, a database or a driver that is gone comes to
            if not self._in_trouble:  # one line for an outage, however long it lasts
                log.warning("metrics.left_out", source=self.source.value, reason=first_line(error))
        self._in_trouble = found is None
        with self._changed:
            self._found, self._read_at, self._at_it = found, self._clock(), False
            self._changed.notify_all()
