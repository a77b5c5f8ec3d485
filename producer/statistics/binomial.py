"""What is known of a share of independent things: its interval, and whether it could be one half by chance."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from producer.statistics.bootstrap import LEVEL

METHOD = "Wilson's score interval"


def wilson(successes: int, count: int, *, level: float = LEVEL) -> tuple[float, float] | None:
    """Return the interval of a share; None of nothing.

    E. B. Wilson, Probable Inference, the Law of Succession, and Statistical Inference, JASA 22 (1927), 209-212.
    """
    if not count:
        return None
    z = NormalDist().inv_cdf((1 + level) / 2)
    share, shrink = successes / count, 1 + z * z / count
    middle = (share + z * z / (2 * count)) / shrink
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / shrink
    low = 0.0 if not successes else max(0.0, middle - half)
    high = 1.0 if successes == count else min(1.0, middle + half)
    return low, high


def even_chance_p(successes: int, count: int) -> float | None:
    """Return how probable a share as far from one half is, either way, if it were one half; None of nothing.

    The exact binomial test of one half, or sign test (J. Arbuthnott, Philosophical Transactions 27, 1710, 186-190):
    both tails are alike, so twice the smaller one. Summed by logarithms: no float holds binomials of large counts.
    """
    if not count:
        return None
    fewer = min(successes, count - successes)
    number = np.arange(fewer)
    logarithms = np.concatenate([[0.0], np.cumsum(np.log((count - number) / (number + 1)))]) - count * math.log(2)
    largest = float(logarithms.max())
    return min(1.0, 2 * math.exp(largest) * math.fsum(np.exp(logarithms - largest)))
