"""Intervals: they resample images, repeat themselves, agree with scipy's, and cover what they say they do."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from producer.statistics.bootstrap import (
    RESAMPLES,
    Totals,
    interval,
    mean_interval,
    numbered_by_stratum,
    ratio,
    resampled_totals,
    totals_by_image,
)


def interval_of(values: np.ndarray, image: np.ndarray) -> tuple[float, float] | None:
    """Return the interval of a mean whose images are all of one stratum."""
    return mean_interval(values, image, np.zeros_like(image))


def test_rows_that_share_an_image_are_added_up() -> None:
    totals = totals_by_image(np.array([7, 2, 7]), np.array([[1.0, 1], [5.0, 1], [3.0, 1]]))

    assert totals.images.tolist() == [2, 7]
    assert totals.totals.tolist() == [[5, 1], [4, 2]]


def test_the_same_seed_draws_the_same_and_another_one_does_not() -> None:
    group = [Totals(np.arange(40), np.arange(80.0).reshape(40, 2))]

    first, again, other = (resampled_totals(group, [40], seed=seed) for seed in (0, 0, 1))

    assert (first == again).all()
    assert not (first == other).all()


def test_each_resample_draws_as_many_images_as_there_are() -> None:
    ones = [Totals(np.arange(3), np.ones((3, 1))), Totals(np.arange(3, 10), np.ones((7, 1)))]

    drawn = resampled_totals(ones, [10])

    assert (drawn.sum(axis=1) == 10).all()
    assert len(np.unique(drawn[:, 0])) > 3


def test_how_many_are_drawn_at_a_time_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    group = [Totals(np.array([0, 2, 3]), np.arange(6.0).reshape(3, 2))]
    at_once = resampled_totals(group, [5], resamples=50)
    monkeypatch.setattr("producer.statistics.bootstrap._AT_ONCE", 15)

    assert (resampled_totals(group, [5], resamples=50) == at_once).all()


def test_images_with_gaps_between_their_numbers_are_added_up_like_others() -> None:
    values = np.random.default_rng(0).uniform(0, 10, (6, 1))
    gaps, none = (
        Totals(np.array([0, 1, 2, 3, 4, 9]), values),
        Totals(np.arange(10), np.vstack([values[:5], np.zeros((4, 1)), values[5:]])),
    )

    assert np.allclose(resampled_totals([gaps], [10]), resampled_totals([none], [10]))


@pytest.mark.parametrize("seed", range(5))
def test_without_shared_images_the_interval_is_scipys(seed: int) -> None:
    values = np.random.default_rng(seed).uniform(0, 10, 60)

    ours = interval_of(values, np.arange(60))
    theirs = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=9999, rng=seed).confidence_interval

    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.12)


def test_with_shared_images_the_interval_is_that_of_whole_clusters() -> None:
    draw = np.random.default_rng(5)
    of_image = np.repeat(draw.uniform(0, 10, 40), 10)  # ten rows that say the same
    image = np.repeat(np.arange(40), 10)

    together, apart = interval_of(of_image, image), interval_of(of_image, np.arange(400))
    single = interval_of(of_image[::10], np.arange(40))

    assert together is not None and apart is not None and single is not None
    assert together == pytest.approx(single)
    assert (together[1] - together[0]) > 2.5 * (apart[1] - apart[0])


def test_of_one_image_there_is_no_interval() -> None:
    assert interval_of(np.array([1.0, 9.0]), np.array([4, 4])) is None
    assert interval_of(np.array([]), np.array([], dtype=int)) is None


def test_constant_scores_have_an_interval_without_width() -> None:
    assert interval_of(np.full(50, 7.3), np.arange(50)) == pytest.approx((7.3, 7.3))


def test_resamples_without_any_row_are_left_out() -> None:
    means = ratio(np.array([0.0] + [6.0, 8.0] * 10), np.array([0.0] + [2.0, 2.0] * 10))

    assert math.isnan(means[0])
    assert interval(means) == pytest.approx((3, 4))
    assert interval(np.full(3, np.nan)) is None


def test_of_the_few_resamples_that_happened_to_have_something_there_is_no_interval() -> None:
    assert interval(np.array([np.nan] * 2 + [5.0] * 8)) is None
    assert interval(np.array([np.nan] * 1 + [5.0] * 9)) == (5, 5)


def test_from_each_stratum_as_many_images_are_drawn_as_it_has() -> None:
    ones = [Totals(np.arange(3), np.ones((3, 1))), Totals(np.arange(3, 10), np.ones((7, 1)))]

    drawn = resampled_totals(ones, [3, 0, 7])

    assert (drawn[:, 0] == 3).all()
    assert (drawn[:, 1] == 7).all()


@pytest.mark.slow
def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    draw = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        values = draw.exponential(2, 80)
        found = interval_of(values, np.arange(80))
        assert found is not None
        covered += found[0] <= 2 <= found[1]

    assert 0.88 <= covered / 200 <= 0.99
    assert RESAMPLES >= 1000


def test_images_are_numbered_stratum_by_stratum_each_by_the_first_that_it_is_in() -> None:
    image, stratum = np.array([9, 4, 7, 4, 9]), np.array([1, 0, 1, 1, 1])

    numbers, strata = numbered_by_stratum(image, stratum, 3)

    assert strata == [1, 2, 0]
    assert numbers.tolist() == [2, 0, 1, 0, 2]
