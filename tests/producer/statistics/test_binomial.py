"""Shares: Wilson's interval and the exact test of one half, both as scipy has them."""

from __future__ import annotations

import pytest
from scipy import stats

from producer.statistics.binomial import even_chance_p, wilson

COUNTS = [(0, 1), (1, 1), (0, 7), (3, 7), (7, 7), (19, 40), (700, 1400), (650, 1400), (30_200, 60_000)]


@pytest.mark.parametrize(("successes", "count"), COUNTS)
def test_the_interval_is_scipys(successes: int, count: int) -> None:
    theirs = stats.binomtest(successes, count).proportion_ci(0.95, method="wilson")

    assert wilson(successes, count) == pytest.approx((theirs.low, theirs.high))


@pytest.mark.parametrize(("successes", "count"), COUNTS)
def test_the_test_of_one_half_is_scipys(successes: int, count: int) -> None:
    assert even_chance_p(successes, count) == pytest.approx(stats.binomtest(successes, count).pvalue, rel=1e-9)


def test_by_hand_nine_of_ten() -> None:
    assert even_chance_p(9, 10) == pytest.approx(2 * (1 + 10) / 2**10)
    assert even_chance_p(5, 10) == 1.0


def test_of_nothing_nothing_is_known() -> None:
    assert (wilson(0, 0), even_chance_p(0, 0)) == (None, None)


def test_what_no_float_could_hold_has_a_p_all_the_same() -> None:
    assert even_chance_p(0, 5000) == 0.0
    assert even_chance_p(49_000, 100_000) == pytest.approx(stats.binomtest(49_000, 100_000).pvalue, rel=1e-8)
