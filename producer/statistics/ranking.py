"""A ranking of several runs by who wins against whom, sample by sample: the Bradley-Terry model."""

from __future__ import annotations

import numpy as np

from producer.statistics.bootstrap import Indices, interval, numbered_by_stratum, resampled_totals, totals_by_image
from producer.statistics.summary import Numbers

RESAMPLES = 500
"""Fewer than for means: each takes a fit of its own."""

METHOD = (
    "Bradley-Terry, ties half a win each way, half a win added for each pair each way, "
    f"its intervals from {RESAMPLES} resamples"
)

_PRIOR_WINS = 0.5
"""Added each way, so that a run which wins always, or never, has a strength all the same."""

_ROUNDS, _CLOSE, _LONGEST_STEP = 200, 1e-10, 2.0


def win_counts(scores: Numbers) -> Numbers:
    """Return for each column of (runs, samples) who wins against whom: (samples, runs, runs), a tie being a half."""
    first, second = scores[:, None, :], scores[None, :, :]
    wins = (first > second) + 0.5 * (first == second)
    wins[np.arange(len(scores)), np.arange(len(scores))] = 0
    return np.moveaxis(wins, -1, 0)


def strengths(wins: Numbers) -> Numbers:
    """Return the log-strength of each run, with mean 0: one that lies d above another wins 1 / (1 + exp(-d)) times.

    `wins[i, j]` is how often i wins against j. The maximum of the likelihood (R. A. Bradley & M. E. Terry, Biometrika
    39, 1952) with `_PRIOR_WINS` wins more for each pair each way, found by Newton's method in steps of limited length.
    """
    runs = len(wins)
    played = wins + _PRIOR_WINS * (1 - np.eye(runs))
    together = played + played.T
    strength = np.zeros(runs)
    for _ in range(_ROUNDS):
        chance = 1 / (1 + np.exp(strength[None, :] - strength[:, None]))
        slope = (played - together * chance).sum(axis=1)
        weights = together * chance * (1 - chance)
        curvature = np.diag(weights.sum(axis=1)) - weights + 1 / runs  # the last term holds the mean where it is
        step = np.linalg.solve(curvature, slope)
        longest = np.abs(step).max()
        strength = strength + step * min(1.0, _LONGEST_STEP / max(longest, _CLOSE))
        if longest < _CLOSE:
            break
    centred: Numbers = strength - strength.mean()
    return centred


def strength_intervals(scores: Numbers, image: Indices, stratum: Indices) -> list[tuple[float, float] | None]:
    """Return the interval of each run's log-strength, resampling images within strata; None for fewer than two images.

    `image` and `stratum` are those of each sample.
    """
    runs = len(scores)
    if np.unique(image).size < 2:
        return [None] * runs
    place, strata = numbered_by_stratum(image, stratum, int(stratum.max(initial=0)) + 1)
    rows = win_counts(scores).reshape(-1, runs * runs)
    totals = resampled_totals([totals_by_image(place, rows)], strata, resamples=RESAMPLES)
    fitted = np.array([strengths(total.reshape(runs, runs)) for total in totals[:, 0]])
    return [interval(column) for column in fitted.T]
