"""Whether the clocks agree: the database's, by which the ledger goes, the broker's and this host's.

Leases are written and judged by the database's clock alone, so a host whose clock is wrong loses nothing. What goes by
a host's own clock are ages that people read, the age at which `gc` takes an image, certificates, and requests to S3,
which refuses those of another quarter of an hour.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from producer.doctor.finding import Found, State, Trouble, fine
from producer.words import in_words

if TYPE_CHECKING:
    from producer.doctor.sights import Sights

SEEN_BY_PEOPLE_SECONDS = 5.0
REFUSED_SECONDS = 900.0

_MEND = "let all hosts keep time: `timedatectl set-ntp true`, and `chronyc tracking` shows how far off one is"
WRONG_AGES = Trouble(State.WARNING, "this host's clock differs: `watch` and Flower show wrong ages", _MEND)
FAR_OFF = Trouble(
    State.FAULT, "a quarter of an hour and more: S3 and TLS refuse this host, `gc` misjudges the age of images", _MEND
)
BROKER_OFF = Trouble(State.NOTE, "the broker's clock differs; nothing of the farm goes by it", _MEND)


@dataclass(frozen=True)
class ClockReading:
    """How far another clock is ahead of ours, in seconds, and how wrong that can be."""

    ahead: float
    give_or_take: float

    @property
    def surely(self) -> float:
        """By how much the two differ at least."""
        return max(0.0, abs(self.ahead) - self.give_or_take)

    def __str__(self) -> str:
        if not self.surely:
            return f"agrees with this host's within {self.give_or_take * 1000:.0f} ms"
        return f"{in_words(abs(self.ahead))} {'ahead of' if self.ahead > 0 else 'behind'} this host's"


def clock_reading(before: float, theirs: float, after: float) -> ClockReading:
    """Return what follows from another clock read at some moment between two of ours (Cristian's algorithm)."""
    return ClockReading(theirs - (before + after) / 2, (after - before) / 2)


def read_clock(ask: Callable[[], float]) -> ClockReading:
    """Ask another clock, now."""
    before = time.time()
    theirs = ask()
    return clock_reading(before, theirs, time.time())


def database_clock_agrees(sights: Sights) -> Iterator[Found]:
    """Hold the database's clock against this host's."""
    database = sights.database()
    if database.file is not None:
        yield fine("SQLite goes by this host's clock")
        return
    seen = f"the database's clock {database.clock}"
    if database.clock.surely >= REFUSED_SECONDS:
        yield FAR_OFF(seen)
    elif database.clock.surely >= SEEN_BY_PEOPLE_SECONDS:
        yield WRONG_AGES(seen)
    else:
        yield fine(seen)


def broker_clock_agrees(sights: Sights) -> Iterator[Found]:
    """Hold the broker's clock against this host's."""
    clock = sights.broker().clock
    if clock is not None:
        seen = f"the broker's clock {clock}"
        yield BROKER_OFF(seen) if clock.surely >= SEEN_BY_PEOPLE_SECONDS else fine(seen)
