"""Mean, deviation, median and range: by hand, and against numpy and the standard library."""

from __future__ import annotations

import math
import random
import statistics

import numpy as np
import pytest

from producer.statistics.summary import Summary, pooled_deviation, summarise


def test_a_summary_by_hand() -> None:
    summary = summarise(np.array([2.0, 4.0, 9.0]))

    assert summary == Summary(
        count=3, mean=5.0, sd=pytest.approx(math.sqrt((9 + 1 + 16) / 2)), median=4.0, min=2.0, max=9.0
    )


def test_of_nothing_nothing_is_known() -> None:
    assert summarise(np.array([])) == Summary(count=0, mean=None, sd=None, median=None, min=None, max=None)


def test_one_score_has_a_mean_and_no_deviation() -> None:
    assert summarise(np.array([7.5])) == Summary(count=1, mean=7.5, sd=None, median=7.5, min=7.5, max=7.5)


@pytest.mark.parametrize("count", [2, 3, 999])
@pytest.mark.parametrize("value", [0.0, 0.1, 10 / 3, 10.0])
def test_equal_scores_have_exactly_their_value_as_mean_and_no_spread(value: float, count: int) -> None:
    summary = summarise(np.full(count, value))

    assert (summary.mean, summary.sd, summary.median, summary.min, summary.max) == (value, 0.0, value, value, value)


@pytest.mark.parametrize("seed", range(20))
def test_a_summary_is_what_numpy_and_the_standard_library_say(seed: int) -> None:
    values = np.random.default_rng(seed).uniform(0, 10, random.Random(seed).randint(2, 500))

    summary = summarise(values)

    assert summary.mean == pytest.approx(statistics.fmean(values), rel=1e-15)
    assert summary.sd == pytest.approx(values.std(ddof=1), rel=1e-12)
    assert summary.median == statistics.median(values)
    assert (summary.min, summary.max) == (values.min(), values.max())


def test_a_small_spread_about_a_large_mean_is_not_lost() -> None:
    values = 1e9 + np.array([0.1, 0.2, 0.3])

    assert summarise(values).sd == pytest.approx(float(np.std(values, ddof=1)), rel=1e-9)


def test_the_order_of_scores_changes_no_digit() -> None:
    values = np.random.default_rng(3).uniform(0, 10, 1000)
    shuffled = np.random.default_rng(4).permutation(values)

    assert summarise(values) == summarise(shuffled)


# -- spread within groups ----------------------------------------------------------------------------------------------


def test_the_pooled_deviation_by_hand() -> None:
    nan = math.nan
    values = np.array([[1.0, 5.0, 7.0, nan], [3.0, 5.0, nan, nan], [nan, 8.0, nan, nan]])

    sd, groups = pooled_deviation(values)

    assert groups == 2  # the third column has one number, the fourth none
    assert sd == pytest.approx(math.sqrt((2.0 + 6.0) / (1 + 2)))


@pytest.mark.parametrize("values", [np.zeros((1, 5)), np.full((3, 2), math.nan), np.zeros((2, 0))])
def test_without_two_numbers_in_a_group_there_is_no_spread(values: np.ndarray) -> None:
    assert pooled_deviation(values) == (None, 0)


def test_with_equal_groups_the_pooled_deviation_is_the_root_of_the_mean_variance() -> None:
    values = np.random.default_rng(0).normal(5, 1, (4, 300))

    sd, groups = pooled_deviation(values)

    assert groups == 300
    assert sd == pytest.approx(math.sqrt(values.var(axis=0, ddof=1).mean()))
