"""Work as plain figures: what edits, scores and loading take, and the least time that all of it can take.

Nothing but the standard library: the rivals read it too, in whatever environment they live; `drawing`, beside this,
makes it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Self


@dataclass(frozen=True)
class Card:
    """A GPU of this pace: 2 takes half as long. It dies so many seconds after the run began, if ever."""

    pace: float = 1.0
    dies_at: float = math.inf


@dataclass(frozen=True)
class Item:
    """A sample: the seconds that its edit takes, and its score when judged alone, on a card of pace 1."""

    key: str
    category: str
    pixels: int
    edit_seconds: float
    score_seconds: float


@dataclass(frozen=True)
class Workload:
    """Items, category by category, and how they can be done.

    A batch of n scores takes as long as its mean item would, times `batch_factors[n - 1]`; the last factor is that of a
    full batch. `load_seconds`: to bring either model onto a card of any pace.
    """

    items: Sequence[Item]
    load_seconds: float
    batch_factors: Sequence[float]

    @property
    def batch_size(self) -> int:
        """Scores in a full batch."""
        return len(self.batch_factors)

    def batch_seconds(self, batch: Sequence[Item]) -> float:
        """Return what judging these at once takes."""
        return sum(item.score_seconds for item in batch) / len(batch) * self.batch_factors[len(batch) - 1]

    def batches(self) -> list[Sequence[Item]]:
        """Return all items in full batches, but for the last."""
        return [self.items[start : start + self.batch_size] for start in range(0, len(self.items), self.batch_size)]

    @cached_property
    def work_seconds(self) -> float:
        """All edits, and all scores as if in full batches."""
        full = self.batch_factors[-1] / self.batch_size
        return sum(item.edit_seconds + full * item.score_seconds for item in self.items)

    def least_seconds(self, cards: Sequence[Card]) -> float:
        """Return the lower bound: no card idles before all is done, and each loads one model; a single card both."""
        loads = self.load_seconds * (2 if len(cards) == 1 else 1)
        return _end_of(self.work_seconds, cards, loads)

    def to_json(self) -> str:
        """Return what `from_json` reads."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a workload as it was written."""
        fields = json.loads(text)
        return cls(**{**fields, "items": tuple(Item(**item) for item in fields["items"])})


def _end_of(work_seconds: float, cards: Sequence[Card], starts_at: float) -> float:
    """Return when the cards have done so many seconds of work, all of them from `starts_at` to their deaths."""
    now, left = starts_at, work_seconds
    for death in sorted({card.dies_at for card in cards if card.dies_at > starts_at}):
        pace = sum(card.pace for card in cards if card.dies_at >= death)
        if left <= pace * (death - now):
            return now + left / pace
        now, left = death, left - pace * (death - now)
    return math.inf
