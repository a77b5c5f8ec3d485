"""How often two rows of numbers put the same two things in the same order: Kendall's tau-b and pairwise accuracy.

A pair of things that differ in both rows is concordant where the rows agree which of them is more, else discordant.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from producer.statistics.bootstrap import Indices
from producer.statistics.summary import Numbers


@dataclass(frozen=True)
class Pairs:
    """All pairs of some things by two rows of numbers, the second of which is the truth.

    `net`: concordant less discordant ones. `first_differs`, `truth_differs`: those that are no tie there. `undecided`:
    no tie in the truth, but one in the first row.
    """

    net: int
    first_differs: int
    truth_differs: int
    undecided: int

    @property
    def tau_b(self) -> float | None:
        """Kendall's tau-b, in [-1, 1]; None where one of the two rows has nothing but ties, or no pair.

        M. G. Kendall, The Treatment of Ties in Ranking Problems, Biometrika 33 (1945), 239-251.
        """
        known = self.first_differs > 0 and self.truth_differs > 0
        return self.net / float(np.sqrt(float(self.first_differs) * self.truth_differs)) if known else None

    @property
    def accuracy(self) -> float | None:
        """The share of the pairs that truly differ which the first row orders alike, its ties counting one half.

        That is (1 + d) / 2 with d of R. H. Somers, American Sociological Review 27 (1962), 799-811. None of no pair.
        """
        return (1 + self.net / self.truth_differs) / 2 if self.truth_differs else None

    def __add__(self, other: Pairs) -> Pairs:
        return Pairs(
            self.net + other.net,
            self.first_differs + other.first_differs,
            self.truth_differs + other.truth_differs,
            self.undecided + other.undecided,
        )


def pairs_of(first: Numbers, truth: Numbers) -> Pairs:
    """Count all pairs of these things, in O(n log n)."""
    ties = tied_pairs(first)
    return Pairs(
        net=int(net_concordance(first, truth).sum()) // 2,
        first_differs=_pairs_among(first.size) - ties,
        truth_differs=_pairs_among(first.size) - tied_pairs(truth),
        undecided=ties - tied_pairs(first, truth),
    )


def tied_pairs(*rows: Numbers) -> int:
    """Return how many pairs are alike in all of these rows."""
    levels = np.zeros(rows[0].size, dtype=np.int64)
    for values in rows:
        both = levels * (values.size + 1) + np.unique(values, return_inverse=True)[1]
        levels = np.unique(both, return_inverse=True)[1]
    counts = np.bincount(levels)
    return int((counts * (counts - 1) // 2).sum())


def net_concordance(first: Numbers, second: Numbers) -> Indices:
    """Return for each thing with how many others it is concordant, less those that it is discordant with."""
    if not first.size:
        return np.zeros(0, dtype=np.intp)
    alike = _below_in_both(first, second) + _below_in_both(-first, -second)
    net: Indices = alike - _below_in_both(first, -second) - _below_in_both(-first, second)
    return net


def _below_in_both(first: Numbers, second: Numbers) -> Indices:
    """Return how many others are less than each in both rows, in O(n log n).

    In the order of the first row it counts what comes earlier and is less in the second: as a merge sort counts
    inversions (W. R. Knight, A Computer Method for Calculating Kendall's Tau, JASA 61, 1966, 436-439), but bit by bit
    of the second row's levels, so that numpy does each step for all of them. Within a tie of the first row the larger
    come earlier, and so are not counted.
    """
    level = np.unique(second, return_inverse=True)[1].astype(np.intp)
    place = np.lexsort((-level, first))
    below = np.zeros(level.size, dtype=np.intp)
    for bit in reversed(range(int(level.max()).bit_length())):
        here = level[place]
        is_one = (here >> bit) & 1
        zeros_before = np.cumsum(1 - is_one)
        group = here >> (bit + 1)  # these have been told apart; they stand together, each in the first row's order
        starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
        before_group = np.repeat(zeros_before[starts] - (1 - is_one[starts]), np.diff(np.r_[starts, level.size]))
        below[place] += np.where(is_one, zeros_before - before_group, 0)
        place = place[np.argsort(here >> bit, kind="stable")]
    return below


def _pairs_among(count: int) -> int:
    return count * (count - 1) // 2


# -- pairs within groups -----------------------------------------------------------------------------------------------

WITHIN_COLUMNS = 3


def pairs_within(first: Numbers, truth: Numbers, group: Indices) -> Numbers:
    """Count the pairs of things of the same group, each at one of its two things: (things, 3).

    The columns: pairs that truly differ; of these, those that the first row orders alike, a tie of it counting one
    half; and those that are a tie of the first row.
    """
    order = np.argsort(group, kind="stable")
    counted = np.zeros((group.size, WITHIN_COLUMNS))
    largest = int(np.unique(group, return_counts=True)[1].max(initial=0))
    for apart in range(1, largest):
        one, other = order[:-apart], order[apart:]
        together = group[one] == group[other]
        one, other = one[together], other[together]
        said, true = np.sign(first[one] - first[other]), np.sign(truth[one] - truth[other])
        differs = true != 0
        right = np.where(said == true, 1.0, np.where(said == 0, 0.5, 0.0))
        counted[one] += np.column_stack([differs, differs * right, differs & (said == 0)])
    return counted
