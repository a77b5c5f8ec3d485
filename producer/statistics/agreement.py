"""How far scorers agree about the same images: rank correlation and Krippendorff's alpha."""

from __future__ import annotations

import numpy as np

from producer.statistics.summary import Numbers


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
    return float(1 - observed / expected)
