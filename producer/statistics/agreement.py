"""How far scorers, or raters, agree about the same images: rank correlation, Krippendorff's alpha, one to others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from producer.statistics.bootstrap import Indices
from producer.statistics.summary import Numbers

DIGITS = 9
"""Means of the same numbers in another order are the same: what differs behind so many digits is rounding."""


def spearman(first: Numbers, second: Numbers) -> float | None:
    """Return Spearman's rank correlation of two rows of numbers, ties given their mean rank; in [-1, 1].

    None for fewer than two pairs, and where one of the two is constant.
    """
    if first.size < 2:
        return None
    ranks = [ranked(values) for values in (first, second)]
    centred = [values - values.mean() for values in ranks]
    scale = np.sqrt((centred[0] ** 2).sum() * (centred[1] ** 2).sum())
    return float(np.clip((centred[0] * centred[1]).sum() / scale, -1, 1)) if scale > 0 else None


def ranked(values: Numbers) -> Numbers:
    """Return each number's rank from 1, those that are equal sharing the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    mean_rank: Numbers = last - (counts - 1) / 2
    return mean_rank[place]


def krippendorff_alpha(ratings: Numbers) -> float | None:
    """Return Krippendorff's alpha of (raters, units) for interval data: 1 is agreement, 0 what chance would give.

    NaN is no rating; a unit with fewer than two has nothing to agree about and is left out. None where no such unit is
    left, or where all ratings are the same. K. Krippendorff, Computing Krippendorff's Alpha-Reliability (2011): one
    minus the observed over the expected disagreement, with the squared difference as the metric.
    """
    pairable = ratings[:, np.count_nonzero(~np.isnan(ratings), axis=0) > 1]
    count = np.count_nonzero(~np.isnan(pairable))
    if not count or np.nanmin(pairable) == np.nanmax(pairable):
        return None
    # Of m values the squared differences of all ordered pairs add up to 2 m times their squares about the mean.
    per_unit = np.count_nonzero(~np.isnan(pairable), axis=0)
    within = np.nansum((pairable - np.nanmean(pairable, axis=0)) ** 2, axis=0)
    observed = (2 * per_unit * within / (per_unit - 1)).sum() / count
    expected = 2 * np.nansum((pairable - np.nanmean(pairable)) ** 2) / (count - 1)
    return float(1 - observed / expected) if expected > 0 else None  # the squares of very small differences are 0


@dataclass(frozen=True)
class Rated:
    """Ratings in a row: the unit that each is of and who gave it, as numbers from 0. Nobody rates a unit twice."""

    unit: Indices
    rater: Indices
    value: Numbers

    def rounded_means(self, units: int) -> Numbers:
        """Return the mean rating of each of so many units to `DIGITS`, NaN where it has none."""
        counts = np.bincount(self.unit, minlength=units)
        sums = np.bincount(self.unit, self.value, units)
        means: Numbers = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
        return np.round(means, DIGITS)

    def stacked(self) -> Numbers:
        """Return (ratings, units) of those that have any, NaN below the last of each: alpha asks not whose they are."""
        _, place, counts = np.unique(self.unit, return_inverse=True, return_counts=True)
        order = np.argsort(place, kind="stable")
        row = np.arange(place.size) - np.repeat(np.cumsum(counts) - counts, counts)
        stack = np.full((int(counts.max(initial=0)), counts.size), np.nan)
        stack[row, place[order]] = self.value[order]
        return stack


def leave_one_out(rated: Rated) -> tuple[float | None, int]:
    """Return the mean rank correlation of a rater with the mean of all others, and of how many raters it is.

    Each over the units that the rater and somebody else have rated; a rater who has no correlation there (fewer than
    two units, or the same rating for all) is left out. Leaving one out (S. M. Weiss & C. A. Kulikowski, Computer
    Systems That Learn, 1991), done to raters: it is what one more person would reach, and so what a judge may.
    """
    _, place = np.unique(rated.unit, return_inverse=True)
    counts, sums = np.bincount(place), np.bincount(place, rated.value)
    shared = counts[place] > 1
    others: Numbers = np.round((sums[place] - rated.value) / np.maximum(counts[place] - 1, 1), DIGITS)
    found = []
    for rows in _of_each(rated.rater[shared]):
        correlation = spearman(rated.value[shared][rows], others[shared][rows])
        if correlation is not None:
            found.append(correlation)
    return (float(np.mean(found)), len(found)) if found else (None, 0)


def equal_pairs(values: Numbers) -> tuple[int, int]:
    """Return how many pairs of numbers of the same column of (k, columns) there are, and how many are exactly equal."""
    is_number = ~np.isnan(values)
    counts = is_number.sum(axis=0, dtype=np.int64)
    column = np.broadcast_to(np.arange(values.shape[1]), values.shape)[is_number]
    level = np.unique(values[is_number], return_inverse=True)[1]
    alike = np.unique(column * (level.size + 1) + level, return_counts=True)[1].astype(np.int64)
    return int((counts * (counts - 1) // 2).sum()), int((alike * (alike - 1) // 2).sum())


def _of_each(numbers: Indices) -> list[Indices]:
    """Return where each number stands."""
    _, starts = np.unique(np.sort(numbers), return_index=True)
    return np.split(np.argsort(numbers, kind="stable"), starts[1:]) if numbers.size else []
