"""How fast this child is: what its jobs take, against what they take on all workers, and when it is done with them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from db.ledger import Ledger
from db.outlook import Opening
from db.seats import FASTEST, SLOWEST
from db.timings import remember

WEIGHT = 0.2
"""How much the newest job counts against those before it."""

SECONDS_BETWEEN_WRITES = 2.0
"""What was learned is written no more often than this, but for a model that has just been loaded."""


@dataclass
class Learned:
    """What was measured of one model since it was last written down: seconds a job, and of loading."""

    seconds: list[float] = field(default_factory=list)
    load_seconds: float | None = None


class Pace:
    """One for the life of a pool child. `pace` is the number of jobs it does while a worker on average does one.

    `resident` is the key of the model on the GPU, None while there is none.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.pace = 1.0
        self.resident: str | None = None
        self._clock = clock
        self._mine: dict[str, float] = {}
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
        before = self._mine.get(opening.key, seconds)
        self._mine[opening.key] = mine = (1 - WEIGHT) * before + WEIGHT * seconds
        if mine > 0 and opening.timing.measured:
            self.pace = min(FASTEST, max(SLOWEST, opening.timing.seconds / mine))
        if full:
            with self._lock:
                self._learned.setdefault(opening.key, Learned()).seconds.append(seconds)

    def write(self, ledger: Ledger) -> None:
        """Write down what was learned, now and then."""
        with self._lock:
            if not self._learned or self._clock() < self._write_at:
                return
            learned, self._learned = self._learned, {}
            self._write_at = self._clock() + SECONDS_BETWEEN_WRITES
        try:
            with ledger.write() as (connection, now):
                for key in sorted(learned):
                    remember(connection, now, key, learned[key].seconds, learned[key].load_seconds)
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
