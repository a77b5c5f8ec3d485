"""The cases of `benchmarks.scheduling`: how much work on which cards, what our farm must reach, which rivals try."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from benchmarks.drawn_work.drawing import Draw, joined
from benchmarks.drawn_work.workload import Card

FIRST_SCRIPTS = "first scripts, all GPUs score"
ONE_SCORER = "first scripts, one scoring GPU"
PROCESS_POOL = "process pool"
PLAIN_CELERY = "plain Celery"
RAY_ACTORS = "Ray actors"
RAY_DATA = "Ray Data"
ALL_RIVALS = (FIRST_SCRIPTS, ONE_SCORER, PROCESS_POOL, PLAIN_CELERY, RAY_ACTORS, RAY_DATA)

DIES_AT = 0.5
"""A card dies when this share of the bound without a death is over."""


@dataclass(frozen=True)
class Case:
    """Work, cards and goals; seconds before they are scaled.

    `goal`: makespan over the bound, at most. `faster`: that many times the makespan of ours the first scripts take at
    least. `runs`: so many at once, each with an editor of its own. `dies`: the last card is killed midway.
    """

    name: str
    samples: int
    paces: tuple[float, ...]
    swap_seconds: float
    goal: float
    faster: float | None = None
    rivals: tuple[str, ...] = ()
    runs: int = 1
    dies: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether nothing happens but one run."""
        return self.runs == 1 and not self.dies

    def draws(self, scale: float, seed: int) -> list[Draw]:
        """Return the draw of each run."""
        return [Draw(self.samples, self.swap_seconds, scale, seed, editor) for editor in range(self.runs)]

    def cards(self, scale: float, seed: int) -> list[Card]:
        """Return the cards; one that dies does so at half of what the bound would be if it lived."""
        cards = [Card(pace) for pace in self.paces]
        if self.dies:
            alive = joined(self.draws(scale, seed)).least_seconds(cards)
            cards[-1] = replace(cards[-1], dies_at=DIES_AT * alive)
        return cards

    def bound(self, scale: float, seed: int) -> float:
        """Return the least seconds for all runs, from what was drawn; a card that dies helps until then."""
        return joined(self.draws(scale, seed)).least_seconds(self.cards(scale, seed))


def _mixed(count: int) -> tuple[float, ...]:
    draw = random.Random(0)
    return tuple(round(draw.uniform(0.5, 2), 2) for _ in range(count))


# Rivals only where they end within about twice the time of ours: beyond that they cost minutes and show no more.
CASES = (
    Case("270 x 6, swap 3.5 s", 270, (1.0,) * 6, 3.5, goal=1.03, faster=1.45, rivals=ALL_RIVALS),
    Case(
        "270 x 6, swap 30 s",
        270,
        (1.0,) * 6,
        30,
        goal=1.06,
        faster=1.9,
        rivals=(FIRST_SCRIPTS, PROCESS_POOL, RAY_ACTORS, RAY_DATA),
    ),
    Case("900 x 6, swap 30 s", 900, (1.0,) * 6, 30, goal=1.03, rivals=(PROCESS_POOL,)),
    Case("270 x 1, swap 3.5 s", 270, (1.0,), 3.5, goal=1.01, rivals=(PROCESS_POOL,)),
    Case("1000 x 24 mixed, swap 3.5 s", 1000, _mixed(24), 3.5, goal=1.04, rivals=(PROCESS_POOL, PLAIN_CELERY)),
    Case("270 x 6, one slow, one dies", 270, (0.5, *(1.0,) * 5), 3.5, goal=1.06, dies=True),
    Case("two runs of 270 x 6", 270, (1.0,) * 6, 3.5, goal=1.10, runs=2),
)
