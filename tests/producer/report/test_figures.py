"""The figures of a report, held against tables computed by hand and against plain numpy on random runs."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from producer.report.figures import scorer_reports
from producer.report.schema import Failed
from producer.report.scores import Outcome
from producer.statistics.bootstrap import mean_interval
from tests.producer.report.made_up import NAN, dimension_of, overall, run_scores


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What figures are made of is read alike from both databases, which test_gather shows."""
    return sqlite_url


# -- by hand -----------------------------------------------------------------------------------------------------------


def test_a_table_computed_by_hand() -> None:
    found = dimension_of(run_scores([2, 4, 9, NAN, 7], categories=[0, 0, 0, 0, 1]))

    first, second = found.categories
    assert (first.n, first.scored, first.failed.total, first.coverage) == (4, 3, 1, 0.75)
    assert (first.mean, first.median, first.min, first.max) == (5.0, 4.0, 2.0, 9.0)
    assert first.sd == pytest.approx(math.sqrt(26 / 2))
    assert first.lower_bound.mean == 15 / 4
    assert (second.mean, second.sd, second.ci, second.lower_bound.mean) == (7.0, None, None, 7.0)
    assert (found.overall.mean, found.overall.lower_bound.mean) == (22 / 4, 22 / 5)
    assert (found.macro.categories, found.macro.mean, found.macro.lower_bound.mean) == (2, 6.0, (3.75 + 7) / 2)


def test_a_run_of_which_nothing_is_left_has_no_figures() -> None:
    found = dimension_of(run_scores([], categories=[]))

    assert (found.overall.n, found.overall.scored, found.overall.coverage) == (0, 0, None)
    assert (found.overall.mean, found.overall.ci, found.overall.lower_bound.mean) == (None, None, None)
    assert (found.macro.categories, found.macro.mean, found.categories) == (0, None, [])


def test_one_score() -> None:
    found = overall(run_scores([6.5], categories=[0]))

    assert (found.n, found.scored, found.coverage, found.mean, found.median) == (1, 1, 1.0, 6.5, 6.5)
    assert (found.sd, found.ci, found.lower_bound.mean, found.lower_bound.ci) == (None, None, 6.5, None)


def test_constant_scores_have_no_spread_and_an_interval_without_width() -> None:
    found = overall(run_scores([7.0] * 30, categories=[0] * 30))

    assert (found.mean, found.sd, found.min, found.max) == (7.0, 0.0, 7.0, 7.0)
    assert found.ci is not None
    assert (found.ci.low, found.ci.high) == (7.0, 7.0)


def test_where_all_failed_there_is_no_mean_and_the_lower_bound_is_the_least_score() -> None:
    found = dimension_of(run_scores([NAN, NAN, NAN], categories=[0, 0, 1]))

    assert (found.overall.n, found.overall.scored, found.overall.coverage) == (3, 0, 0.0)
    assert (found.overall.mean, found.overall.median, found.overall.ci) == (None, None, None)
    assert (found.overall.lower_bound.mean, found.macro.mean, found.macro.categories) == (0.0, None, 0)
    assert found.macro.lower_bound.mean == 0.0


def test_nothing_that_has_ended_has_neither_mean_nor_lower_bound() -> None:
    found = overall(run_scores([NAN, NAN], categories=[0, 0], outcome=[Outcome.OPEN, Outcome.OPEN]))

    assert (found.n, found.scored, found.open, found.failed.total) == (2, 0, 2, 0)
    assert (found.mean, found.lower_bound.mean, found.lower_bound.ci) == (None, None, None)


def test_one_category_has_its_mean_as_both_means() -> None:
    found = dimension_of(run_scores([3, 5, 10], categories=[0, 0, 0]))

    assert found.overall.mean == found.macro.mean == 6.0
    assert found.overall.ci == found.macro.ci == found.categories[0].ci


def test_a_category_counts_by_its_size_in_the_micro_mean_and_once_in_the_macro_mean() -> None:
    found = dimension_of(run_scores([10] + [1] * 9, categories=[0] + [1] * 9))

    assert (found.overall.mean, found.macro.mean) == (1.9, 5.5)


def test_every_kind_of_failure_is_counted_by_itself() -> None:
    once = [Outcome.EDIT_FAILED, Outcome.MISSING, Outcome.JUDGE_FAILED, Outcome.UNPARSED, Outcome.REFUSED]
    kinds = [*once, Outcome.LOST, Outcome.LOST]
    found = overall(run_scores([NAN] * 7 + [4.0], categories=[0] * 8, outcome=[*kinds, Outcome.SCORED]))

    assert found.failed == Failed(edit_failed=1, missing=1, judge_failed=1, unparsed=1, refused=1, lost=2)
    assert (found.failed.total, found.coverage) == (7, 1 / 8)
    assert (found.mean, found.lower_bound.mean) == (4.0, pytest.approx(4 / 8))


def test_the_lower_bound_takes_the_least_score_of_the_scale() -> None:
    scores = run_scores([5, NAN], categories=[0, 0])
    of_five = replace(scores.scorers[0], scale=(1.0, 5.0))

    assert overall(replace(scores, scorers=[of_five])).lower_bound.mean == 3.0


def test_a_histogram_holds_every_score_once_and_the_best_in_its_last_bin() -> None:
    found = dimension_of(run_scores([0, 0.49, 0.5, 9.99, 10, NAN], categories=[0] * 6))

    assert (found.histogram[0], found.histogram[1], found.histogram[-1]) == (2, 1, 2)
    assert sum(found.histogram) == 5


# -- intervals ---------------------------------------------------------------------------------------------------------


def test_intervals_are_those_of_whole_source_images() -> None:
    draw = np.random.default_rng(0)
    values, images = draw.uniform(0, 10, 60), np.repeat(np.arange(15), 4)

    found = overall(run_scores(values.tolist(), categories=[0] * 60, images=images.tolist()))

    assert found.images == 15
    assert found.ci is not None
    assert (found.ci.low, found.ci.high) == pytest.approx(mean_interval(values, images, np.zeros_like(images)))


def test_how_categories_take_turns_changes_only_which_images_are_drawn() -> None:
    values = np.random.default_rng(1).uniform(0, 10, 200)
    in_turns = dimension_of(run_scores(values.tolist(), categories=[0, 1] * 100))
    one_by_one = dimension_of(run_scores([*values[::2], *values[1::2]], categories=[0] * 100 + [1] * 100))

    assert in_turns == one_by_one


def test_an_image_of_two_categories_moves_both() -> None:
    shared = dimension_of(run_scores([2, 8, 3, 9], categories=[0, 1, 0, 1], images=[0, 0, 1, 1]))

    assert shared.macro.ci is not None
    assert (shared.macro.ci.low, shared.macro.ci.high) == (5.0, 6.0)


def test_many_small_categories_have_a_macro_interval_about_their_macro_mean() -> None:
    values = np.random.default_rng(2).uniform(0, 10, 100)

    found = dimension_of(run_scores(values.tolist(), categories=[number // 2 for number in range(100)]))

    assert found.macro.ci is not None
    assert found.macro.mean is not None
    assert found.macro.ci.low < found.macro.mean < found.macro.ci.high


def test_a_macro_bound_needs_two_images_of_each_category_that_were_scored_or_failed() -> None:
    outcome = [Outcome.SCORED, Outcome.SCORED, Outcome.JUDGE_FAILED, Outcome.OPEN]
    found = dimension_of(run_scores([5, 6, NAN, NAN], categories=[0, 0, 1, 1], outcome=outcome))

    assert found.categories[1].lower_bound.ci is None
    assert found.macro.lower_bound.ci is None


def test_a_dimension_of_a_score_that_failed_counts_where_it_was_given() -> None:
    scores = run_scores([7, NAN], categories=[0, 0], outcome=[Outcome.SCORED, Outcome.UNPARSED])
    scores.scorers[0].dimensions["SC"] = np.array([[7.0, 1.0]])
    scores.scorers[0].dimensions["PQ"] = np.array([[5.0, NAN]])

    _, first, second = scorer_reports(scores)[0].dimensions

    assert (first.overall.scored, first.overall.mean, first.overall.failed.total) == (2, 4.0, 0)
    assert (second.overall.scored, second.overall.failed.unparsed, second.overall.not_given) == (1, 1, 0)


def test_a_macro_mean_with_a_category_of_one_image_has_no_interval() -> None:
    found = dimension_of(run_scores([1, 9, 5], categories=[0, 0, 1]))

    assert found.macro.ci is None
    assert found.overall.ci is not None


@pytest.mark.parametrize("seed", range(10))
def test_random_runs_are_what_plain_numpy_says(seed: int) -> None:
    draw = np.random.default_rng(seed)
    count = int(draw.integers(5, 200))
    values = np.where(draw.uniform(size=count) < 0.2, NAN, draw.uniform(0, 10, count))
    categories = draw.integers(0, 4, count)

    found = dimension_of(run_scores(values.tolist(), categories=categories.tolist()))

    assert found.overall.mean == pytest.approx(np.nanmean(values))
    assert found.overall.sd == pytest.approx(np.nanstd(values, ddof=1))
    assert found.overall.lower_bound.mean == pytest.approx(np.nan_to_num(values).mean())
    of_category = [values[categories == number] for number in range(max(categories) + 1)]
    means = [np.nanmean(one) for one in of_category if np.isfinite(one).any()]
    assert found.macro.mean == pytest.approx(np.mean(means))
    for figures in (found.overall, *found.categories):
        if figures.ci is not None and figures.mean is not None:
            assert figures.ci.low <= figures.mean <= figures.ci.high
