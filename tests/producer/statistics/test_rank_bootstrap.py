"""Resampled correlations and accuracies: those that one finds by writing every resample out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from producer.statistics import rank_bootstrap
from producer.statistics.bootstrap import RESAMPLES, drawn_in_chunks, interval
from producer.statistics.concordance import pairs_of
from producer.statistics.rank_bootstrap import Replicates, rank_replicates


def related(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    truth = draw.integers(0, 5, count).astype(float)
    return np.round(truth + draw.normal(0, 2, count)), truth


def first_draws(strata: list[int], count: int) -> np.ndarray:
    _, drawn = next(drawn_in_chunks(strata))
    return drawn[:count].astype(int)


def of_all(scores: np.ndarray, truth: np.ndarray, image: np.ndarray, strata: list[int]) -> Replicates:
    return rank_replicates(scores, truth, image, strata, [np.ones(scores.size, dtype=bool)])[0]


@pytest.mark.parametrize("images", [3, 12, 30])
def test_each_resample_is_what_its_images_written_out_come_to(images: int) -> None:
    scores, truth = related(images, 30)
    image = np.arange(30) % images

    found = of_all(scores, truth, image, [images])

    for number, drawn in enumerate(first_draws([images], 25)):
        rows = np.repeat(np.arange(30), drawn[image])
        pairs = pairs_of(scores[rows], truth[rows])
        written_out = (
            stats.spearmanr(scores[rows], truth[rows]).statistic,
            stats.kendalltau(scores[rows], truth[rows]).statistic,
            pairs.accuracy if pairs.accuracy is not None else np.nan,
        )
        ours = (found.spearman[number], found.kendall[number], found.accuracy[number])
        assert ours == pytest.approx(written_out, nan_ok=True)


def test_images_are_drawn_within_their_strata_and_a_group_sees_its_own() -> None:
    scores, truth = related(1, 30)
    image, category = np.arange(30), np.repeat([0, 1], [10, 20])

    found = rank_replicates(scores, truth, image, [10, 20], [category == 0, category == 1])

    for number, drawn in enumerate(first_draws([10, 20], 10)):
        rows = np.repeat(np.arange(30), drawn)[drawn[:10].sum() :]
        assert found[1].kendall[number] == pytest.approx(stats.kendalltau(scores[rows], truth[rows]).statistic)


def test_of_many_images_the_first_order_gives_the_same_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    scores, truth = related(2, 450)
    exact = of_all(scores, truth, np.arange(450), [450])
    monkeypatch.setattr(rank_bootstrap, "EXACT_UP_TO", 0)

    close = of_all(scores, truth, np.arange(450), [450])

    assert not np.array_equal(exact.kendall, close.kendall)
    for name in ("kendall", "accuracy"):
        theirs, ours = interval(getattr(exact, name)), interval(getattr(close, name))
        assert theirs is not None and ours is not None
        assert ours == pytest.approx(theirs, abs=0.05 * (theirs[1] - theirs[0]))


def test_how_many_are_drawn_at_a_time_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    scores, truth = related(3, 40)
    at_once = of_all(scores, truth, np.arange(40), [40])
    monkeypatch.setattr("producer.statistics.bootstrap._AT_ONCE", 200)
    monkeypatch.setattr(rank_bootstrap, "_AT_ONCE", 50)

    found = of_all(scores, truth, np.arange(40), [40])

    assert found.spearman == pytest.approx(at_once.spearman, nan_ok=True)
    assert found.kendall == pytest.approx(at_once.kendall, nan_ok=True)


def test_where_there_is_nothing_there_are_no_numbers() -> None:
    found = of_all(np.zeros(0), np.zeros(0), np.zeros(0, dtype=int), [])

    assert found.spearman.shape == (RESAMPLES,)
    assert np.isnan([found.spearman, found.kendall, found.accuracy]).all()


@pytest.mark.slow
def test_the_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    draw, covered = np.random.default_rng(1), 0
    truth = 2 / np.pi * np.arcsin(0.5)  # Kendall's tau of two normals that correlate with one half
    for _ in range(150):
        pair = draw.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], 80)
        found = interval(of_all(pair[:, 0], pair[:, 1], np.arange(80), [80]).kendall)
        assert found is not None
        covered += found[0] <= truth <= found[1]

    assert 0.90 <= covered / 150 <= 0.99
