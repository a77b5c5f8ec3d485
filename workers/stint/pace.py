"""How fast this child is: what its jobs take, against what they take on all workers, and when it is done with them."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from db.ledger import Ledger
from db.outlook import Opening
from db.seats import FASTEST, SLOWEST
from db.timings import remember

WEIGHT = 0.02
"""How much the newest job counts against those before it, once there are enough for a mean."""

SURE_AFTER_JOBS, SURE_ERRORS = 3, 2.5
"""A worker is as fast as the others until its mean is so many standard errors away from theirs, of so many jobs."""

SECONDS_BETWEEN_WRITES = 2.0
"""What was learned is written no more often than this, but for a model that has just been loaded."""


@dataclass
class Learned:
    """What was measured of one model since it was last written down: seconds a job, and of loading.

    `partly_seconds` is a score's share of a batch that was not full.
    """

    seconds: list[float] = field(default_factory=list)
    load_seconds: float | None = None
    partly_seconds: float | None = None


@dataclass
class _Lately:
    """What one model's jobs took here lately: mean and variance, the newest weighted by WEIGHT where there are many."""

    jobs: int = 0
    seconds: float = 0.0
    variance: float = 0.0

    def add(self, seconds: float) -> None:
        self.jobs += 1
        weight, away = max(WEIGHT, 1 / self.jobs), seconds - self.seconds
        self.seconds += weight * away
        self.variance = (1 - weight) * (self.variance + weight * away**2)

    def differs_from(self, seconds: float) -> bool:
        """Tell whether it is surely another mean than this one."""
        error = math.sqrt(self.variance / min(self.jobs, 1 / WEIGHT))
        return self.jobs >= SURE_AFTER_JOBS and abs(self.seconds - seconds) > SURE_ERRORS * error


class Pace:
    """One for the life of a pool child. `pace` is the number of jobs it does while a worker on average does one.

    `resident` is the key of the model on the GPU, None while there is none.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.pace = 1.0
        self.resident: str | None = None
        self._clock = clock
        self._mine: dict[str, _Lately] = {}
        self._learned: dict[str, Learned] = {}
        self._busy_until = self._write_at = 0.0
        self._lock = threading.Lock()

    def begins(self, seconds: float) -> None:
        """A job begins that will take about so long."""
        self._busy_until = self._clock() + seconds

    def seconds_left(self) -> float:
        """Return how long the present job will take yet."""
        return max(0.0, self._busy_until - self._clock())

    def loaded(self, key: str, seconds: float) -> None:
        """The model of this key came onto the GPU."""
        self.resident = key
        with self._lock:
            self._learned.setdefault(key, Learned()).load_seconds = seconds
            self._write_at = 0.0

    def did(self, opening: Opening, seconds: float, *, full: bool) -> None:
        """A job took so long; of a batch, its share. `full`: it tells what others can expect, too."""
        if full and opening.timing.measured:
            mine, others = self._mine.setdefault(opening.key, _Lately()), opening.timing.seconds
            mine.add(seconds)
            pace = others / mine.seconds if mine.seconds > 0 and mine.differs_from(others) else 1.0
            self.pace = min(FASTEST, max(SLOWEST, pace))
        if full or not opening.timing.measured:
            with self._lock:
                learned = self._learned.setdefault(opening.key, Learned())
                if full:
                    learned.seconds.append(seconds)
                else:
                    learned.partly_seconds = seconds

    def write(self, ledger: Ledger) -> None:
        """Write down what was learned, now and then."""
        with self._lock:
            if not self._learned or self._clock() < self._write_at:
                return
            learned, self._learned = self._learned, {}
            self._write_at = self._clock() + SECONDS_BETWEEN_WRITES
        try:
            with ledger.write() as (connection, now):
                for key, one in sorted(learned.items()):
                    remember(connection, now, key, one.seconds, one.load_seconds, one.partly_seconds)
        except BaseException:
            self._put_back(learned)
            raise

    def _put_back(self, learned: Mapping[str, Learned]) -> None:
        """Keep what could not be written, in front of what was learned since."""
        with self._lock:
            self._write_at = 0.0
            for key, before in learned.items():
                since = self._learned.setdefault(key, Learned())
                since.seconds[:0] = before.seconds
                if since.load_seconds is None:
                    since.load_seconds = before.load_seconds
                if since.partly_seconds is None:
                    since.partly_seconds = before.partly_seconds
