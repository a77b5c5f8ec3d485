"""A ranking of several runs by who wins against whom, sample by sample: the Bradley-Terry model."""

from __future__ import annotations

import numpy as np

from producer.statistics.bootstrap import Indices, interval, resampled_totals, totals_by_image
from producer.statistics.summary import Numbers

METHOD = "Bradley-Terry, ties half a win each way, half a win added for each pair each way"

RESAMPLES = 500
"""Fewer than for means: each takes a fit of its own."""

_PRIOR_WINS = 0.5
"""Added each way, so that a run which wins always, or never, has a strength all the same."""

_ROUNDS, _CLOSE = 1000, 1e-9


def win_counts(scores: Numbers) -> Numbers:
    """Return for each column of (runs, samples) who wins against whom: (samples, runs, runs), a tie being a half."""
    first, second = scores[:, None, :], scores[None, :, :]
    wins = (first > second) + 0.5 * (first == second)
    wins[np.arange(len(scores)), np.arange(len(scores))] = 0
    return np.moveaxis(wins, -1, 0)


def strengths(wins: Numbers) -> Numbers:
    """Return the log-strength of each run, with mean 0: one that lies d above another wins 1 / (1 + exp(-d)) times.

    `wins[i, j]` is how often i wins against j. The maximum of the likelihood, found by D. R. Hunter's MM algorithm
    (Annals of Statistics 32, 2004, equation 3), with `_PRIOR_WINS` wins more for each pair each way.
    """
    runs = len(wins)
    played = wins + _PRIOR_WINS * (1 - np.eye(runs))
    together = played + played.T
    strength = np.ones(runs)
    for _ in range(_ROUNDS):
        shares = together / (strength[:, None] + strength[None, :])
        following = played.sum(axis=1) / shares.sum(axis=1)
        following /= np.exp(np.log(following).mean())
        if np.abs(np.log(following / strength)).max() < _CLOSE:
            break
        strength = following
    logarithms: Numbers = np.log(following)
    return logarithms


def strength_intervals(scores: Numbers, image_of_sample: Indices) -> list[tuple[float, float] | None]:
    """Return the interval of each run's log-strength, resampling source images; None for fewer than two images."""
    runs = len(scores)
    images, place = np.unique(image_of_sample, return_inverse=True)
    if images.size < 2:
        return [None] * runs
    rows = win_counts(scores).reshape(-1, runs * runs)
    totals = resampled_totals([totals_by_image(place, rows)], images.size, resamples=RESAMPLES)
    fitted = np.array([strengths(total.reshape(runs, runs)) for total in totals[:, 0]])
    return [interval(column) for column in fitted.T]
