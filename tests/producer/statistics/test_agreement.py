"""Agreement of scorers: rank correlation as scipy has it, Krippendorff's alpha as its author computes it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from producer.statistics.agreement import krippendorff_alpha, ranked, spearman

NAN = math.nan

KRIPPENDORFFS_EXAMPLE = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
)
"""Four observers and twelve units: "Computing Krippendorff's Alpha-Reliability" (2011), example C."""


@pytest.mark.parametrize("seed", range(10))
def test_the_rank_correlation_is_scipys(seed: int) -> None:
    draw = np.random.default_rng(seed)
    first, second = draw.integers(0, 8, (2, 50)).astype(float)  # with many ties

    assert spearman(first, second) == pytest.approx(stats.spearmanr(first, second).statistic)
    assert ranked(first) == pytest.approx(stats.rankdata(first))


def test_a_monotone_relation_is_perfect_agreement_of_ranks() -> None:
    values = np.array([1.0, 2.0, 5.0, 9.0])

    assert spearman(values, values**3) == 1.0
    assert spearman(values, -values) == -1.0


@pytest.mark.parametrize("values", [np.array([]), np.array([3.0])])
def test_fewer_than_two_pairs_have_no_correlation(values: np.ndarray) -> None:
    assert spearman(values, values) is None


def test_a_constant_scorer_has_no_correlation() -> None:
    assert spearman(np.array([1.0, 2.0, 3.0]), np.array([5.0, 5.0, 5.0])) is None


def test_alpha_of_krippendorffs_own_example() -> None:
    assert krippendorff_alpha(KRIPPENDORFFS_EXAMPLE) == pytest.approx(0.849, abs=0.0005)


def test_alpha_by_its_definition_over_all_pairs() -> None:
    ratings = np.array([[1.0, 4.0, 2.0], [2.0, 4.0, 5.0]])
    values = ratings.ravel()
    observed = sum(2 * (a - b) ** 2 for a, b in ratings.T) / 6
    expected = sum((a - b) ** 2 for a in values for b in values) / (6 * 5)

    assert krippendorff_alpha(ratings) == pytest.approx(1 - observed / expected)


def test_alpha_is_one_where_all_agree_and_near_zero_where_nobody_does() -> None:
    draw = np.random.default_rng(0)
    same = draw.uniform(0, 1, 500)

    assert krippendorff_alpha(np.stack([same, same])) == 1.0
    assert krippendorff_alpha(draw.uniform(0, 1, (2, 2000))) == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize(
    "ratings",
    [
        np.zeros((2, 0)),
        np.full((2, 3), 5.0),
        np.full((2, 3), 0.1),
        np.full((2, 7), 7.3),
        np.array([[1.0, NAN], [NAN, 2.0]]),
    ],
)
def test_without_anything_to_disagree_about_there_is_no_alpha(ratings: np.ndarray) -> None:
    assert krippendorff_alpha(ratings) is None
