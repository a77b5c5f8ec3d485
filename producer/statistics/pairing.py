"""Two runs on the same samples: the differences, who wins how often, and whether it could be chance."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from producer.statistics.bootstrap import Indices, mean_interval
from producer.statistics.summary import Numbers

PERMUTATIONS = 10_000
EXACT_UP_TO = 13
"""So many source images have fewer sign patterns than are drawn otherwise: all are tried."""

SEED = 0

METHOD = (
    f"two-sided sign-flip test, signs flipped by source image: all patterns up to {EXACT_UP_TO} images, "
    f"else {PERMUTATIONS:,} random ones, seed {SEED}"
)

_AT_ONCE = 1_000_000
_ROUNDING = 1e-12
"""Relative: sums in another order are the same sum."""


@dataclass(frozen=True)
class Paired:
    """The second minus the first on `n` shared samples of `images` source images; None where it is not defined."""

    n: int
    images: int
    difference: float | None
    ci: tuple[float, float] | None
    wins: int
    ties: int
    losses: int
    p: float | None


def paired(first: Numbers, second: Numbers, image: Indices, stratum: Indices) -> Paired:
    """Compare what two runs were given for the same samples, in the same order; a win is the second's.

    `image` and `stratum` are those of each sample.
    """
    differences = second - first
    return Paired(
        n=differences.size,
        images=np.unique(image).size,
        difference=float(differences.mean()) if differences.size else None,
        ci=mean_interval(differences, image, stratum),
        wins=int((differences > 0).sum()),
        ties=int((differences == 0).sum()),
        losses=int((differences < 0).sum()),
        p=sign_flip_p(differences, image),
    )


def sign_flip_p(differences: Numbers, image: Indices) -> float | None:
    """Return how probable a mean difference as large as this, either way, is if the two runs were the same.

    Were they, each image's differences might as well have the other sign: the permutation test for pairs (R. A. Fisher,
    The Design of Experiments, 1935, section 21). Of random patterns the one seen counts as one (Phipson & Smyth 2010),
    so p is never 0. None where there is nothing to compare.
    """
    images, place = np.unique(image, return_inverse=True)
    if not images.size:
        return None
    sums = np.bincount(place, weights=differences)
    seen = abs(sums.sum())
    least = seen - _ROUNDING * np.abs(sums).sum()
    if images.size <= EXACT_UP_TO:
        signs = np.array(list(product((1.0, -1.0), repeat=images.size)))
        return float((np.abs(signs @ sums) >= least).mean())
    generator = np.random.default_rng(SEED)
    chunk = max(1, _AT_ONCE // images.size)
    as_large = 0
    for start in range(0, PERMUTATIONS, chunk):
        size = (min(chunk, PERMUTATIONS - start), images.size)
        signs = generator.integers(0, 2, size, dtype=np.int8) * 2.0 - 1.0
        as_large += int((np.abs(signs @ sums) >= least).sum())
    return (as_large + 1) / (PERMUTATIONS + 1)


def holm(p_values: list[float | None]) -> list[float | None]:
    """Return the p-values as they are after so many tests (S. Holm 1979); None stays None and counts as no test."""
    tested = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, place) in enumerate(tested):
        largest = max(largest, min(1.0, p * (len(tested) - rank)))
        adjusted[place] = largest
    return adjusted
