"""The figures of a report, from the scores as arrays: by scorer, dimension and category, with their intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from db.categories import ENGLISH_ALIASES
from producer.report.schema import (
    HISTOGRAM_BINS,
    Agreement,
    Bound,
    Dimension,
    Failed,
    Figures,
    Interval,
    Macro,
    ScorerReport,
    Spread,
)
from producer.report.scores import FAILURES, Asked, Outcome, RunScores, ScorerScores, mean_of_rows
from producer.statistics.agreement import krippendorff_alpha, spearman
from producer.statistics.bootstrap import (
    Indices,
    interval,
    numbered_by_stratum,
    ratio,
    resampled_totals,
    totals_by_image,
)
from producer.statistics.summary import Numbers, pooled_deviation, summarise

_COLUMNS = 4
"""Of each dimension: sum and count of what was scored, and the same with failures as the least score."""


def scorer_reports(scores: RunScores) -> list[ScorerReport]:
    """Return what every scorer said. All intervals are of the same resamples of the source images."""
    dimensions = [(scorer, name) for scorer in scores.scorers for name in scorer.dimensions]
    if not dimensions:
        return []
    replicates = _replicates(scores.asked, [_Counted.of(scorer, name) for scorer, name in dimensions])
    found = {
        (scorer.label, name): _dimension(scores.asked, scorer, name, replicates[:, :, number])
        for number, (scorer, name) in enumerate(dimensions)
    }
    return [
        ScorerReport(
            scorer=scorer.label,
            scale=scorer.scale,
            dimensions=[found[scorer.label, name] for name in scorer.dimensions],
            spread_over_seeds=_spread_over_seeds(scores.asked, scorer),
            spread_over_judging=_spread(scorer.overall),
        )
        for scorer in scores.scorers
    ]


def agreements(scores: RunScores) -> list[Agreement]:
    """Return how far each two scorers agree on the edits that both have scored."""
    means = {scorer.label: _on_unit_scale(mean_of_rows(scorer.overall), scorer.scale) for scorer in scores.scorers}
    return [_agreement((one, other), means[one], means[other]) for one, other in combinations(means, 2)]


# -- one dimension -----------------------------------------------------------------------------------------------------


def _dimension(asked: Asked, scorer: ScorerScores, name: str, replicates: Numbers) -> Dimension:
    """Return one dimension; `replicates` are its four columns in each category: (resamples, categories, columns)."""
    counted = _Counted.of(scorer, name)
    everything = np.ones(asked.category.size, dtype=bool)
    overall = _figures(asked, scorer, counted, everything, replicates.sum(axis=1), None)
    categories = [
        _figures(asked, scorer, counted, asked.category == number, replicates[:, number], category)
        for number, category in enumerate(asked.categories)
    ]
    given = counted.values[counted.is_scored]
    scale = scorer.scale_of(name)
    histogram, _ = np.histogram(given, bins=HISTOGRAM_BINS, range=scale)
    return Dimension(
        name=name,
        scale=scale,
        overall=overall,
        macro=_macro(asked, counted, categories, replicates),
        categories=categories,
        histogram=[int(count) for count in histogram],
    )


@dataclass(frozen=True)
class _Counted:
    """The numbers of one dimension, with what is one and what failed: (judge repeats, edits)."""

    values: Numbers
    is_scored: NDArray[np.bool_]
    is_failed: NDArray[np.bool_]
    least: float

    @classmethod
    def of(cls, scorer: ScorerScores, name: str) -> _Counted:
        values = scorer.dimensions[name]
        is_number = ~np.isnan(values)
        return cls(values, is_number, np.isin(scorer.outcome, FAILURES) & ~is_number, scorer.scale_of(name)[0])

    def columns(self) -> Numbers:
        """Return for each edit what `_COLUMNS` says: (edits, columns)."""
        total = np.nansum(self.values, axis=0)
        scored, failed = self.is_scored.sum(axis=0), self.is_failed.sum(axis=0)
        return np.column_stack([total, scored, total + failed * self.least, scored + failed])

    def images(self, asked: Asked, where: NDArray[np.bool_]) -> int:
        """Return how many source images these edits have, of those that were scored or failed."""
        return _different(asked.image[where & (self.is_scored | self.is_failed).any(axis=0)])

    def bound(self, where: NDArray[np.bool_]) -> float | None:
        """Return the mean of these edits with every failure as the least score."""
        given = self.values[:, where][self.is_scored[:, where]]
        failed = int(self.is_failed[:, where].sum())
        count = given.size + failed
        return (math.fsum(given) + failed * self.least) / count if count else None


def _figures(
    asked: Asked,
    scorer: ScorerScores,
    counted: _Counted,
    where: NDArray[np.bool_],
    replicates: Numbers,
    category: str | None,
) -> Figures:
    """Return the figures of the edits `where`; `replicates` are (resamples, columns)."""
    outcome, is_scored, is_failed = (
        values[:, where] for values in (scorer.outcome, counted.is_scored, counted.is_failed)
    )
    summary = summarise(counted.values[:, where][is_scored])
    images = _different(asked.image[where][is_scored.any(axis=0)])
    return Figures(
        category=category,
        alias=ENGLISH_ALIASES.get(category or ""),
        n=outcome.size,
        scored=summary.count,
        failed=Failed(**{kind.name.lower(): int((is_failed & (outcome == kind)).sum()) for kind in FAILURES}),
        open=int((outcome == Outcome.OPEN).sum()),
        not_given=int(((outcome == Outcome.SCORED) & ~is_scored).sum()),
        left_out=int((outcome == Outcome.LEFT_OUT).sum()),
        images=images,
        coverage=summary.count / outcome.size if outcome.size else None,
        mean=summary.mean,
        sd=summary.sd,
        median=summary.median,
        min=summary.min,
        max=summary.max,
        ci=_interval(ratio(replicates[:, 0], replicates[:, 1]), images),
        lower_bound=Bound(
            mean=counted.bound(where),
            ci=_interval(ratio(replicates[:, 2], replicates[:, 3]), counted.images(asked, where)),
        ),
    )


def _macro(asked: Asked, counted: _Counted, categories: Sequence[Figures], replicates: Numbers) -> Macro:
    """Return the mean of means. A resample without any row of one of the categories has none."""
    means, bounds = (ratio(replicates[..., first], replicates[..., first + 1]) for first in (0, 2))
    scored = [number for number, figures in enumerate(categories) if figures.mean is not None]
    bounded = [number for number, figures in enumerate(categories) if figures.lower_bound.mean is not None]
    fewest_scored = min((categories[number].images for number in scored), default=0)
    fewest_bounded = min((counted.images(asked, asked.category == number) for number in bounded), default=0)
    return Macro(
        categories=len(scored),
        mean=_mean([categories[number].mean for number in scored]),
        ci=_interval(means[:, scored].mean(axis=1), fewest_scored) if scored else None,
        lower_bound=Bound(
            mean=_mean([categories[number].lower_bound.mean for number in bounded]),
            ci=_interval(bounds[:, bounded].mean(axis=1), fewest_bounded) if bounded else None,
        ),
    )


def _different(images: Indices) -> int:
    return int(np.count_nonzero(np.bincount(images)))


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _interval(replicates: Numbers, images: int) -> Interval | None:
    return Interval.of(interval(replicates) if images > 1 else None)


def _replicates(asked: Asked, counted: Sequence[_Counted]) -> Numbers:
    """Return the columns of every dimension in each category and resample.

    (resamples, categories, dimensions, columns)
    """
    rows = np.concatenate([one.columns() for one in counted], axis=1)
    image, strata = numbered_by_stratum(asked.image, asked.category, len(asked.categories))
    groups = [
        totals_by_image(image[asked.category == number], rows[asked.category == number])
        for number in range(len(asked.categories))
    ]
    totals = resampled_totals(groups, strata)
    return totals.reshape(*totals.shape[:2], len(counted), _COLUMNS)


# -- spread and agreement ----------------------------------------------------------------------------------------------


def _spread_over_seeds(asked: Asked, scorer: ScorerScores) -> Spread:
    """Return the spread among the repeats of a sample, each judged as it was on average."""
    return _spread(asked.by_repeat(mean_of_rows(scorer.overall)))


def _spread(values: Numbers) -> Spread:
    sd, groups = pooled_deviation(values)
    return Spread(sd=sd, groups=groups)


def _on_unit_scale(values: Numbers, scale: tuple[float, float]) -> Numbers:
    return (values - scale[0]) / (scale[1] - scale[0])


def _agreement(scorers: tuple[str, str], first: Numbers, second: Numbers) -> Agreement:
    both = ~np.isnan(first) & ~np.isnan(second)
    return Agreement(
        scorers=scorers,
        n=int(both.sum()),
        spearman=spearman(first[both], second[both]),
        alpha=krippendorff_alpha(np.stack([first[both], second[both]])),
    )
