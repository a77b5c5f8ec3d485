"""The scores of a run as arrays: one column for each edit, one row for each judge repeat."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from db.outcomes import AskedScorer, asked_scorers, edit_outcomes, numbers_in, score_outcomes
from db.rubric import Rubric
from db.tables import FailureKind, State
from producer.report.schema import OVERALL
from producer.statistics.bootstrap import Indices
from producer.statistics.summary import Numbers


class Outcome(IntEnum):
    """What became of a score that was asked."""

    OPEN = 0  # still to come, or cancelled
    SCORED = 1
    EDIT_FAILED = 2
    JUDGE_FAILED = 3
    UNPARSED = 4
    REFUSED = 5
    LOST = 6
    MISSING = 7
    LEFT_OUT = 8  # retried, where those are not wanted


FAILURES = (
    *(Outcome.EDIT_FAILED, Outcome.MISSING),
    *(Outcome.JUDGE_FAILED, Outcome.UNPARSED, Outcome.REFUSED, Outcome.LOST),
)

_BY_KIND: Mapping[str, Outcome] = {
    FailureKind.UNPARSED: Outcome.UNPARSED,
    FailureKind.REFUSED: Outcome.REFUSED,
    FailureKind.POISON: Outcome.LOST,
}

_BY_KIND_OF_EDIT: Mapping[str, Outcome] = {
    FailureKind.MISSING: Outcome.MISSING,
    FailureKind.POISON: Outcome.LOST,
}

_NO_NUMBERS = (Outcome.OPEN, Outcome.LEFT_OUT)

MOST_DIMENSIONS = 50
"""So many beside the score itself are told of one scorer."""

Outcomes = NDArray[np.int8]


@dataclass(frozen=True)
class Asked:
    """Every edit of a run, in the benchmark's order: its category and source image as numbers from 0, and so on."""

    categories: Sequence[str]
    sample_ids: Sequence[int]
    category: Indices
    image: Indices
    sample: Indices
    repeat: Indices

    def by_repeat(self, values: Numbers) -> Numbers:
        """Return what there is of each edit as (repeats, samples), NaN where a sample has no such repeat."""
        arranged = np.full((int(self.repeat.max(initial=0)) + 1, len(self.sample_ids)), np.nan)
        arranged[self.repeat, self.sample] = values
        return arranged


@dataclass
class ScorerScores:
    """What one scorer gave: `outcome` and each dimension are (judge repeats, edits); NaN where there is no number."""

    label: str
    scale: tuple[float, float]
    outcome: Outcomes
    dimensions: dict[str, Numbers] = field(default_factory=dict)
    rubric: Rubric | None = None

    def scale_of(self, name: str) -> tuple[float, float]:
        """Return the least and the best number of a dimension: a rubric's numbers have scales of their own."""
        return self.scale if self.rubric is None else self.rubric.scales().get(name, self.scale)

    @property
    def overall(self) -> Numbers:
        """The scores themselves."""
        return self.dimensions[OVERALL]

    def give(self, name: str, repeat: int, place: int, number: float) -> None:
        """Take in what was given beside a score; a judge that finds ever new names for it is not followed for ever."""
        if name not in self.dimensions:
            if name == OVERALL or len(self.dimensions) > MOST_DIMENSIONS:
                return
            self.dimensions[name] = np.full(self.outcome.shape, np.nan)
        self.dimensions[name][repeat, place] = number


@dataclass(frozen=True)
class RunScores:
    """What was asked of a run, and what each scorer gave."""

    asked: Asked
    scorers: Sequence[ScorerScores]


def read_scores(connection: Connection, run_id: str, *, without_retried: bool = False) -> RunScores:
    """Read all scores of a run. What was retried counts as left out where that is wanted."""
    edits = _Edits()
    for row in edit_outcomes(connection, run_id):
        edits.add(row, without_retried)
    columns = _Columns(asked_scorers(connection, run_id), edits)
    for row in score_outcomes(connection, run_id):
        columns.add(row, without_retried)
    for scorer in columns.scorers.values():
        scorer.dimensions = dict(sorted(scorer.dimensions.items(), key=_first_given))
    return RunScores(edits.asked(), list(columns.scorers.values()))


def _first_given(dimension: tuple[str, Numbers]) -> tuple[bool, int]:
    """Return what dimensions are ordered by: the score itself first, the others by the first edit that has them."""
    name, values = dimension
    return name != OVERALL, int(np.argmax(~np.isnan(values).all(axis=0))) if values.size else 0


def mean_of_rows(values: Numbers) -> Numbers:
    """Return the mean of each column over what it has, NaN where it has nothing."""
    counts = np.count_nonzero(~np.isnan(values), axis=0)
    means: Numbers = np.where(counts > 0, np.nansum(values, axis=0) / np.maximum(counts, 1), np.nan)
    return means


class _Edits:
    """Takes in edits, one row after the other."""

    def __init__(self) -> None:
        self.place: dict[int, int] = {}
        self.outcome: list[Outcome] = []
        self._categories: dict[str, int] = {}
        self._images: dict[str, int] = {}
        self._samples: dict[int, int] = {}
        self._codes: list[tuple[int, int, int, int]] = []

    def add(self, row: Any, without_retried: bool) -> None:
        self.place[row.id] = len(self.place)
        self._codes.append(
            (
                self._categories.setdefault(row.category, len(self._categories)),
                self._images.setdefault(row.source_image, len(self._images)),
                self._samples.setdefault(row.sample_id, len(self._samples)),
                row.repeat,
            )
        )
        self.outcome.append(Outcome.LEFT_OUT if without_retried and row.retried else _of_edit(row))

    def asked(self) -> Asked:
        codes = np.array(self._codes, dtype=np.intp).reshape(-1, 4).T
        return Asked(list(self._categories), list(self._samples), *codes)


class _Columns:
    """Takes in scores, one row after the other."""

    def __init__(self, askings: Iterable[AskedScorer], edits: _Edits) -> None:
        self._edits = edits
        by_label: dict[str, list[AskedScorer]] = {}
        for asking in askings:
            by_label.setdefault(asking.label, []).append(asking)
        self.scorers = {label: self._empty(repeats) for label, repeats in by_label.items()}
        self._of = {
            asking.id: (self.scorers[label], row)
            for label, repeats in by_label.items()
            for row, asking in enumerate(repeats)
        }

    def add(self, row: Any, without_retried: bool) -> None:
        edit_id, scorer_id, state, value, failure_kind, retried, criteria = row
        scorer, repeat = self._of[scorer_id]
        place = self._edits.place[edit_id]
        if self._edits.outcome[place] is Outcome.LEFT_OUT:
            return
        outcome = Outcome.LEFT_OUT if without_retried and retried else _of_score(state, failure_kind)
        scorer.outcome[repeat, place] = outcome
        if outcome in _NO_NUMBERS:
            return
        if outcome is Outcome.SCORED:
            scorer.overall[repeat, place] = value
        for name, number in numbers_in(criteria):
            scorer.give(name, repeat, place, number)

    def _empty(self, repeats: Sequence[AskedScorer]) -> ScorerScores:
        of_edits = [Outcome.OPEN if outcome is Outcome.SCORED else outcome for outcome in self._edits.outcome]
        outcome = np.tile(np.array(of_edits, dtype=np.int8), (len(repeats), 1))
        nothing = np.full(outcome.shape, np.nan)
        first = repeats[0]
        return ScorerScores(first.label, first.scale, outcome, {OVERALL: nothing}, first.rubric)


def _of_edit(row: Any) -> Outcome:
    """Return what an edit means for the scores asked of it; SCORED: nothing yet, it has its image."""
    if row.state == State.FAILED:
        return _BY_KIND_OF_EDIT.get(row.failure_kind, Outcome.EDIT_FAILED)
    return Outcome.SCORED if row.state == State.DONE else Outcome.OPEN


def _of_score(state: str, failure_kind: str | None) -> Outcome:
    if state == State.FAILED:
        return _BY_KIND.get(failure_kind or "", Outcome.JUDGE_FAILED)
    return Outcome.SCORED if state == State.DONE else Outcome.OPEN
