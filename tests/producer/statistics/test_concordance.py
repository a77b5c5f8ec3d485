"""Pairs in the same order: as scipy counts them, as one counts them by hand, and with every tie."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from producer.statistics.concordance import Pairs, net_concordance, pairs_of, pairs_within, tied_pairs


def drawn(seed: int, count: int = 60, levels: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Return two related rows with many ties."""
    draw = np.random.default_rng(seed)
    first = draw.integers(0, levels, count).astype(float)
    return first, np.round(first * 0.5 + draw.normal(0, 1.5, count))


def test_pairs_by_hand() -> None:
    scores, truth = np.array([1.0, 2.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0, 2.0])

    found = pairs_of(scores, truth)

    # of six pairs: 12, 13, 14 alike, 24 the other way, 23 a tie of the scores, 34 a tie of the truth
    assert found == Pairs(net=2, first_differs=5, truth_differs=5, undecided=1)
    assert found.tau_b == pytest.approx(2 / 5)
    assert found.accuracy == pytest.approx((3 + 0.5) / 5)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(("count", "levels"), [(2, 3), (7, 2), (60, 6), (500, 400)])
def test_tau_b_is_scipys(seed: int, count: int, levels: int) -> None:
    first, second = drawn(seed, count, levels)
    theirs = stats.kendalltau(first, second).statistic

    ours = pairs_of(first, second).tau_b

    assert (ours is None) == bool(np.isnan(theirs))
    assert ours is None or ours == pytest.approx(theirs)


@pytest.mark.parametrize("seed", range(10))
def test_the_accuracy_is_that_of_somers_d(seed: int) -> None:
    scores, truth = drawn(seed)

    theirs = stats.somersd(truth, scores).statistic  # d of the scores given the truth's order

    assert pairs_of(scores, truth).accuracy == pytest.approx((1 + theirs) / 2)


@pytest.mark.parametrize("seed", range(10))
def test_each_thing_has_its_own_pairs(seed: int) -> None:
    first, second = drawn(seed, 40)

    signs = np.sign(first[:, None] - first) * np.sign(second[:, None] - second)

    assert net_concordance(first, second).tolist() == signs.sum(axis=1).tolist()


def test_ties_are_counted_in_one_row_and_in_both() -> None:
    first, second = np.array([1.0, 1.0, 1.0, 2.0]), np.array([5.0, 5.0, 6.0, 5.0])

    assert (tied_pairs(first), tied_pairs(second), tied_pairs(first, second)) == (3, 3, 1)


def test_what_is_a_tie_in_both_rows_is_not_undecided() -> None:
    assert pairs_of(np.array([1.0, 1.0, 1.0]), np.array([2.0, 2.0, 3.0])).undecided == 2


@pytest.mark.parametrize("count", [0, 1])
def test_without_a_pair_there_is_nothing_to_say(count: int) -> None:
    found = pairs_of(np.zeros(count), np.zeros(count))

    assert (found.tau_b, found.accuracy, found.truth_differs) == (None, None, 0)


def test_a_scorer_that_gives_all_the_same_is_right_half_the_time_and_has_no_correlation() -> None:
    found = pairs_of(np.full(5, 3.0), np.arange(5.0))

    assert (found.accuracy, found.undecided, found.tau_b) == (0.5, 10, None)


def test_pairs_of_several_categories_add_up() -> None:
    one, other = (
        pairs_of(np.array([1.0, 2.0]), np.array([1.0, 2.0])),
        pairs_of(np.array([1.0, 2.0]), np.array([2.0, 1.0])),
    )

    assert (one + other).accuracy == 0.5


def test_twenty_thousand_things_are_counted_at_once() -> None:
    draw = np.random.default_rng(0)
    values = draw.normal(size=20_000)

    assert pairs_of(values, values).net == 20_000 * 19_999 // 2


@pytest.mark.parametrize("seed", range(10))
def test_pairs_within_groups_are_those_that_one_finds_one_by_one(seed: int) -> None:
    scores, truth = drawn(seed, 40, 4)
    group = np.random.default_rng(seed).integers(0, 9, 40)
    pairs = [(a, b) for a, b in combinations(range(40), 2) if group[a] == group[b] and truth[a] != truth[b]]
    right = sum(
        0.5 if scores[a] == scores[b] else float((scores[a] > scores[b]) == (truth[a] > truth[b])) for a, b in pairs
    )
    ties = sum(scores[a] == scores[b] for a, b in pairs)

    assert pairs_within(scores, truth, group).sum(axis=0).tolist() == [len(pairs), right, ties]


def test_no_group_has_no_pairs() -> None:
    assert pairs_within(np.zeros(0), np.zeros(0), np.zeros(0, dtype=int)).shape == (0, 3)
