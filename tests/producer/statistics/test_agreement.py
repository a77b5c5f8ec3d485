"""Agreement of scorers: rank correlation as scipy has it, Krippendorff's alpha as its author computes it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from producer.statistics.agreement import (
    Rated,
    equal_pairs,
    krippendorff_alpha,
    leave_one_out,
    ranked,
    spearman,
)

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


def test_of_differences_too_small_to_be_squared_there_is_no_alpha() -> None:
    assert krippendorff_alpha(np.array([[1e-300, 0.0], [0.0, 1e-300]])) is None


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


# -- raters ------------------------------------------------------------------------------------------------------------


def rated(ratings: np.ndarray) -> Rated:
    """Return (raters, units) as a row of ratings, in another order than they stand in."""
    rater, unit = np.nonzero(~np.isnan(ratings))
    shuffled = np.random.default_rng(0).permutation(rater.size)
    return Rated(unit[shuffled], rater[shuffled], ratings[rater, unit][shuffled])


def test_ratings_are_averaged_by_unit() -> None:
    means = rated(np.array([[1.0, NAN, 4.0], [2.0, NAN, NAN]])).rounded_means(4)

    assert means.tolist()[::2] == [1.5, 4.0]
    assert np.isnan(means[1::2]).all()


def test_the_same_ratings_in_another_order_have_the_same_mean() -> None:
    found = Rated(np.array([0, 0, 0, 1, 1, 1]), np.arange(6) % 3, np.array([0.1, 0.2, 0.3, 0.3, 0.2, 0.1]))

    means = found.rounded_means(2)

    assert means[0] == means[1]


def test_alpha_does_not_ask_whose_a_rating_is() -> None:
    assert krippendorff_alpha(rated(KRIPPENDORFFS_EXAMPLE).stacked()) == pytest.approx(0.849, abs=0.0005)


def test_each_rater_is_held_against_the_mean_of_the_others() -> None:
    draw = np.random.default_rng(4)
    ratings = draw.integers(1, 6, (3, 20)) + draw.integers(0, 5, 20).astype(float)
    expected = [
        stats.spearmanr(ratings[one], np.delete(ratings, one, axis=0).mean(axis=0)).statistic for one in range(3)
    ]

    assert leave_one_out(rated(ratings)) == (pytest.approx(np.mean(expected)), 3)


def test_who_shares_nothing_with_others_or_says_always_the_same_is_left_out() -> None:
    ratings = np.full((4, 5), NAN)
    ratings[:3, :3] = [[1, 2, 3], [1, 3, 2], [5, 5, 5]]
    ratings[3, 2:] = [1, 2, 3]  # the last two of which nobody else has rated

    assert leave_one_out(rated(ratings))[1] == 2
    assert leave_one_out(rated(ratings[:1])) == (None, 0)
    assert leave_one_out(rated(np.zeros((2, 0)))) == (None, 0)


def test_equal_judgements_of_the_same_thing_are_counted_in_pairs() -> None:
    judged = np.array([[1.0, 5.0, NAN], [1.0, 6.0, NAN], [1.0, NAN, 1.0], [2.0, 5.0, NAN]])

    # six pairs of the first column, three of which are equal; three of the second, one of which is
    assert equal_pairs(judged) == (9, 4)
    assert equal_pairs(np.full((3, 2), np.nan)) == (0, 0)
