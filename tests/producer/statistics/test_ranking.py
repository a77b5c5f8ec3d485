"""The Bradley-Terry model: closed forms, the maximum of its likelihood, and intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import optimize

from producer.statistics.ranking import strength_intervals, strengths, win_counts


def test_wins_are_counted_sample_by_sample_and_ties_are_halves() -> None:
    wins = win_counts(np.array([[3.0, 5.0], [1.0, 5.0]]))

    assert wins.tolist() == [[[0, 1], [0, 0]], [[0, 0.5], [0.5, 0]]]


def test_of_two_runs_the_odds_are_the_wins() -> None:
    first, second = strengths(np.array([[0.0, 29.5], [9.5, 0.0]]))

    assert first - second == pytest.approx(math.log(30 / 10))
    assert first + second == pytest.approx(0)


@pytest.mark.parametrize("seed", range(5))
def test_strengths_are_where_the_likelihood_is_greatest(seed: int) -> None:
    wins = np.random.default_rng(seed).integers(0, 40, (4, 4)).astype(float)
    np.fill_diagonal(wins, 0)
    played = wins + 0.5 * (1 - np.eye(4))

    def surprise(free: np.ndarray) -> float:
        strength = np.append(free, -free.sum())
        return float((played * np.log1p(np.exp(strength[None, :] - strength[:, None]))).sum())

    best = optimize.minimize(surprise, np.zeros(3), tol=1e-12).x

    assert strengths(wins)[:3] == pytest.approx(best, abs=1e-4)


def test_a_run_that_always_wins_has_a_strength_all_the_same() -> None:
    found = strengths(np.array([[0.0, 100, 100], [0, 0, 100], [0, 0, 0]]))

    assert np.isfinite(found).all()
    assert found[0] > found[1] > found[2]


def test_runs_alike_are_equally_strong() -> None:
    assert strengths(np.zeros((3, 3))) == pytest.approx([0, 0, 0])


def test_intervals_hold_the_strengths_and_repeat_themselves() -> None:
    draw = np.random.default_rng(1)
    scores = draw.normal([[6.0], [5.0], [5.0]], 2, (3, 150))
    found = strengths(win_counts(scores).sum(axis=0))

    first, again = (strength_intervals(scores, np.arange(150), np.zeros(150, dtype=int)) for _ in range(2))

    assert first == again
    for strength, interval in zip(found, first, strict=True):
        assert interval is not None
        assert interval[0] < strength < interval[1]


def test_of_one_image_there_is_no_interval() -> None:
    assert strength_intervals(np.ones((3, 4)), np.zeros(4, dtype=int), np.zeros(4, dtype=int)) == [None, None, None]


def test_runs_that_are_far_apart_are_so_in_equal_steps() -> None:
    chain = np.triu(np.full((6, 6), 5000.0), 1)

    found = strengths(chain)

    assert found == pytest.approx(-found[::-1])
    assert (np.diff(found) < -1).all()
