"""The figures of a comparison, from every run's scores of the same samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from db.categories import ENGLISH_ALIASES
from producer.comparison.schema import ComparedDimension, Pair, PairFigures, Standing
from producer.report.schema import OVERALL, Interval
from producer.statistics.bootstrap import Indices, mean_interval
from producer.statistics.pairing import holm, paired
from producer.statistics.ranking import strength_intervals, strengths, win_counts
from producer.statistics.summary import Numbers

RANKED_FROM = 3
"""So many runs are ranked by who wins against whom; of two, the pair itself says all."""


@dataclass(frozen=True)
class Beside:
    """What each run was given for the samples they share: `values` are (runs, samples), NaN where there is no score."""

    runs: Sequence[str]
    values: Numbers
    image: Indices
    category: Indices
    categories: Sequence[str]


def compare_dimension(scorer: str, name: str, scale: tuple[float, float], beside: Beside) -> ComparedDimension:
    """Compare one dimension of one scorer: all runs among each other, and each two."""
    pairs = [_pair(beside, first, second) for first, second in combinations(range(len(beside.runs)), 2)]
    adjusted = holm([pair.overall.p for pair in pairs])
    return ComparedDimension(
        scorer=scorer,
        dimension=name,
        scale=scale,
        standings=_standings(beside, ranked=name == OVERALL and len(beside.runs) >= RANKED_FROM),
        pairs=[pair.model_copy(update={"p_holm": p}) for pair, p in zip(pairs, adjusted, strict=True)],
    )


# -- all runs ----------------------------------------------------------------------------------------------------------


def _standings(beside: Beside, *, ranked: bool) -> list[Standing]:
    """Return the runs by their means over the samples that every run has a score of, the best first.

    Only where they are to be `ranked` do they have a strength: it takes a while.
    """
    complete = ~np.isnan(beside.values).any(axis=0)
    values, image, category = beside.values[:, complete], beside.image[complete], beside.category[complete]
    ranked = ranked and values.shape[1] > 0
    strength = strengths(win_counts(values).sum(axis=0)) if ranked else None
    strength_ci = strength_intervals(values, image, category) if ranked else [None] * len(beside.runs)
    means = [float(row.mean()) if row.size else None for row in values]
    found = [
        Standing(
            run=run,
            rank=None if means[number] is None else _rank(means[number], means),
            n=values.shape[1],
            scored=int((~np.isnan(beside.values[number])).sum()),
            shared=beside.values.shape[1],
            mean=means[number],
            ci=Interval.of(mean_interval(values[number], image, category)),
            strength=None if strength is None else float(strength[number]),
            strength_ci=Interval.of(strength_ci[number]),
        )
        for number, run in enumerate(beside.runs)
    ]
    return sorted(found, key=lambda standing: standing.rank or 0)


def _rank(mean: float | None, means: Sequence[float | None]) -> int:
    return 1 + sum(other is not None and mean is not None and other > mean for other in means)


# -- two runs ----------------------------------------------------------------------------------------------------------


def _pair(beside: Beside, first: int, second: int) -> Pair:
    has = ~np.isnan(beside.values[[first, second]])
    both: NDArray[np.bool_] = np.logical_and(has[0], has[1])
    return Pair(
        first=beside.runs[first],
        second=beside.runs[second],
        overall=_figures(beside, first, second, both, None),
        p_holm=None,
        only_first=int((has[0] & ~has[1]).sum()),
        only_second=int((has[1] & ~has[0]).sum()),
        categories=[
            _figures(beside, first, second, both & (beside.category == number), category)
            for number, category in enumerate(beside.categories)
        ],
    )


def _figures(beside: Beside, first: int, second: int, where: NDArray[np.bool_], category: str | None) -> PairFigures:
    ours, theirs = beside.values[first, where], beside.values[second, where]
    found = paired(ours, theirs, beside.image[where], beside.category[where])
    return PairFigures(
        category=category,
        alias=ENGLISH_ALIASES.get(category or ""),
        n=found.n,
        images=found.images,
        first_mean=float(ours.mean()) if ours.size else None,
        second_mean=float(theirs.mean()) if theirs.size else None,
        difference=found.difference,
        ci=Interval.of(found.ci),
        wins=found.wins,
        ties=found.ties,
        losses=found.losses,
        p=found.p,
    )
