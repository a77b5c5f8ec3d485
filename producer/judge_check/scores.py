"""What every scorer gave the edits of all runs, in one row: run after run, as `Edits` has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from producer.report.scores import RunScores, ScorerScores, mean_of_rows
from producer.statistics.agreement import DIGITS
from producer.statistics.summary import Numbers


@dataclass(frozen=True)
class Judged:
    """One scorer: by run, what it gave there; None where a run has none of this name."""

    label: str
    scale: tuple[float, float]
    runs: Sequence[ScorerScores | None]
    edits: Sequence[int]

    @property
    def dimensions(self) -> list[str]:
        """What it gives in any run."""
        return list(dict.fromkeys(name for scorer in self.runs if scorer is not None for name in scorer.dimensions))

    def repeats(self, dimension: str) -> Numbers:
        """Return what it gave in each of its judge repeats: (judge repeats, edits), NaN where there is no number."""
        most = max(len(scorer.outcome) for scorer in self.runs if scorer is not None)
        found = np.full((most, sum(self.edits)), np.nan)
        start = 0
        for scorer, count in zip(self.runs, self.edits, strict=True):
            if scorer is not None and dimension in scorer.dimensions:
                values = scorer.dimensions[dimension]
                found[: len(values), start : start + count] = values
            start += count
        return found


def judged_by(scores: Sequence[RunScores], labels: Sequence[str]) -> list[Judged]:
    """Return the scorers of these labels; of the runs' scales the first is told."""
    by_label = [{scorer.label: scorer for scorer in found.scorers} for found in scores]
    edits = [found.asked.category.size for found in scores]
    found = []
    for label in labels:
        runs = [of_run.get(label) for of_run in by_label]
        scale = next(scorer.scale for scorer in runs if scorer is not None)
        found.append(Judged(label, scale, runs, edits))
    return found


def averaged(repeats: Numbers) -> Numbers:
    """Return the mean over judge repeats, NaN where there is none; the same repeats in another order are the same."""
    return np.round(mean_of_rows(repeats), DIGITS)
