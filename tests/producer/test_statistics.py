"""The statistics of scores, by hand and against numpy and the standard library."""

from __future__ import annotations

import math
import random
import statistics

import numpy as np
import pytest

from producer.statistics import Summary, summarise


def test_a_summary_by_hand() -> None:
    summary = summarise([2.0, 4.0, 9.0], asked=5, failed=1)

    assert summary == Summary(
        n=5, scored=3, failed=1, mean=5.0, sd=pytest.approx(math.sqrt((9 + 1 + 16) / 2)), min=2.0, max=9.0
    )
    assert summary.coverage == pytest.approx(0.6)


def test_nothing_asked_has_neither_mean_nor_coverage() -> None:
    summary = summarise([], asked=0, failed=0)

    assert summary == Summary(n=0, scored=0, failed=0, mean=None, sd=None, min=None, max=None)
    assert summary.coverage is None


def test_where_all_failed_there_is_no_mean_and_the_coverage_is_zero() -> None:
    summary = summarise([], asked=4, failed=4)

    assert summary == Summary(n=4, scored=0, failed=4, mean=None, sd=None, min=None, max=None)
    assert summary.coverage == 0


def test_one_score_has_a_mean_and_no_deviation() -> None:
    summary = summarise([7.5], asked=1, failed=0)

    assert (summary.mean, summary.sd, summary.min, summary.max) == (7.5, None, 7.5, 7.5)


@pytest.mark.parametrize("value", [0.0, 0.1, 10 / 3, 10.0])
def test_equal_scores_have_exactly_their_value_as_mean_and_no_spread(value: float) -> None:
    summary = summarise([value] * 999, asked=999, failed=0)

    assert (summary.mean, summary.sd, summary.min, summary.max) == (value, 0.0, value, value)


def test_a_score_of_zero_is_a_score() -> None:
    assert summarise([0.0, 10.0], asked=2, failed=0).mean == 5.0


@pytest.mark.parametrize("count", [2, 3, 10, 1000])
def test_it_agrees_with_numpy_and_the_standard_library(count: int) -> None:
    generator = random.Random(count)
    values = [generator.uniform(0, 10) for _ in range(count)]

    summary = summarise(values, asked=count, failed=0)

    assert summary.mean == pytest.approx(np.mean(values), rel=1e-14)
    assert summary.mean == pytest.approx(statistics.fmean(values), rel=1e-15)
    assert summary.sd == pytest.approx(np.std(values, ddof=1), rel=1e-12)
    assert summary.sd == pytest.approx(statistics.stdev(values), rel=1e-14)
    assert (summary.min, summary.max) == (np.min(values), np.max(values))


def test_the_order_of_the_scores_does_not_change_a_digit() -> None:
    generator = random.Random(0)
    values = [generator.uniform(0, 10) for _ in range(500)]
    shuffled = generator.sample(values, len(values))

    assert summarise(values, asked=500, failed=0) == summarise(shuffled, asked=500, failed=0)


@pytest.mark.parametrize(
    "values",
    [
        [1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16],  # the one-pass formula gives nonsense here
        [1e16, 1.0, -1e16],  # a plain sum loses the 1
        [5e-324, 0.0],
        [1e150, -1e150],
        [math.nextafter(10, 0), 10.0],
    ],
)
def test_extreme_scores_lose_no_precision(values: list[float]) -> None:
    summary = summarise(values, asked=len(values), failed=0)

    assert summary.mean == pytest.approx(statistics.mean(values), rel=1e-15)
    assert summary.sd == pytest.approx(statistics.stdev(values), rel=1e-12)
