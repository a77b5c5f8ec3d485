"""Scores of a run as arrays, made up for a test, and the figures of them."""

from __future__ import annotations

import math

import numpy as np

from producer.report.figures import scorer_reports
from producer.report.gather import gather_report
from producer.report.schema import Dimension, Figures, Report
from producer.report.scores import Asked, Outcome, RunScores, ScorerScores
from tests.producer.by_hand import RunByHand

NAN = math.nan


def run_scores(
    values: list[float], *, categories: list[int], images: list[int] | None = None, outcome: list[int] | None = None
) -> RunScores:
    """Return a run of one scorer with one edit for each value; NaN is a judge that failed."""
    count = len(values)
    places = np.arange(count)
    default = [Outcome.JUDGE_FAILED if math.isnan(value) else Outcome.SCORED for value in values]
    asked = Asked(
        categories=[f"c{number}" for number in range(max(categories, default=-1) + 1)],
        sample_ids=list(range(count)),
        category=np.array(categories, dtype=np.intp),
        image=np.array(images if images is not None else places, dtype=np.intp),
        sample=places,
        repeat=np.zeros(count, dtype=np.intp),
    )
    codes = np.array([outcome or default], dtype=np.int8).reshape(1, count)
    return RunScores(
        asked, [ScorerScores("judge", (0.0, 10.0), codes, {"overall": np.array([values]).reshape(1, count)})]
    )


def dimension_of(scores: RunScores) -> Dimension:
    return scorer_reports(scores)[0].dimensions[0]


def overall(scores: RunScores) -> Figures:
    return dimension_of(scores).overall


def gathered(run: RunByHand, *, without_retried: bool = False) -> Report:
    return gather_report(run.ledger.engine, run.id, without_retried=without_retried)
