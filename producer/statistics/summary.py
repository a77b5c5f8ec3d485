"""Mean, deviation, median and range of finite numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Summary:
    """What is known of so many numbers; None where it is not defined: of none, or the deviation of fewer than two."""

    count: int
    mean: float | None
    sd: float | None
    median: float | None
    min: float | None
    max: float | None


def summarise(values: Numbers) -> Summary:
    """Summarise finite numbers. `sd` is the sample standard deviation (n - 1), two-pass; sums by `math.fsum`."""
    if not values.size:
        return Summary(0, None, None, None, None, None)
    least, most = float(values.min()), float(values.max())
    mean = least if least == most else math.fsum(values) / values.size
    sd = None
    if values.size > 1:
        sd = math.sqrt(math.fsum((values - mean) ** 2) / (values.size - 1))
    return Summary(values.size, mean, sd, float(np.median(values)), least, most)


def pooled_deviation(values: Numbers) -> tuple[float | None, int]:
    """Return the standard deviation within the columns of (k, groups), pooled over them, and how many groups it is of.

    NaN is no number; a column with fewer than two is no group. Pooled by degrees of freedom: the root of the summed
    squares over the summed (n - 1).
    """
    counts = np.count_nonzero(~np.isnan(values), axis=0)
    several = values[:, counts > 1]
    if not several.size:
        return None, 0
    squares = np.nansum((several - np.nanmean(several, axis=0)) ** 2)
    return math.sqrt(squares / (counts[counts > 1] - 1).sum()), several.shape[1]
