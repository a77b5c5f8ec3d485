"""The content of a report, read from the ledger: what every way of writing it shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine

from db.queries import (
    Progress,
    Run,
    edit_outcomes,
    environments_of,
    find_run,
    progress_of,
    score_outcomes,
    scorer_labels,
    shared_edits,
)
from db.tables import Stage, State
from producer.statistics import Summary, summarise


@dataclass(frozen=True)
class Group:
    """One scorer's scores of one category, or of all (`category` None)."""

    category: str | None
    summary: Summary


@dataclass(frozen=True)
class ScorerReport:
    """All that one scorer said, overall and by category in the benchmark's order."""

    scorer: str
    overall: Group
    categories: Sequence[Group]


@dataclass(frozen=True)
class FailedJob:
    """A job that ended without a result; `scorer` is None for an edit."""

    stage: Stage
    scorer: str | None
    category: str
    key: str
    repeat: int
    kind: str
    reason: str


@dataclass(frozen=True)
class Report:
    """A report; `progress` tells whether it is final or PARTIAL, `shared_edits` how many edits other runs have made."""

    run: Run
    progress: Progress
    scorers: Sequence[ScorerReport]
    environments: Sequence[Mapping[str, Any]]
    shared_edits: Mapping[str, int]
    failures: Sequence[FailedJob]


def gather_report(engine: Engine, given_run: str) -> Report:
    """Gather the report of the run of this id, or `latest`. Raises UnknownRun."""
    run = find_run(engine, given_run)
    progress = progress_of(engine, run.id)
    edits = edit_outcomes(engine, run.id)
    scores = {(row.edit_id, row.label): row for row in score_outcomes(engine, run.id)}
    labels = scorer_labels(engine, run.id)
    return Report(
        run=run,
        progress=progress,
        scorers=[_scorer_report(label, edits, scores) for label in labels],
        environments=environments_of(engine, run.id),
        shared_edits=shared_edits(engine, run.id),
        failures=_failures(edits, scores, labels),
    )


@dataclass
class _Tally:
    asked: int = 0
    failed: int = 0
    values: list[float] = field(default_factory=list)

    def summary(self) -> Summary:
        return summarise(self.values, asked=self.asked, failed=self.failed)


def _scorer_report(label: str, edits: Iterable[Any], scores: dict[tuple[int, str], Any]) -> ScorerReport:
    """Every edit asks for one score; an edit that failed is a score that failed."""
    by_category: dict[str, _Tally] = defaultdict(_Tally)
    overall = _Tally()
    for edit in edits:
        score = scores.get((edit.id, label))
        for tally in (overall, by_category[edit.category]):
            tally.asked += 1
            if score is not None and score.state == State.DONE:
                tally.values.append(score.value)
            elif edit.state == State.FAILED or (score is not None and score.state == State.FAILED):
                tally.failed += 1
    groups = [Group(category, tally.summary()) for category, tally in by_category.items()]
    return ScorerReport(label, Group(None, overall.summary()), groups)


def _failures(edits: Iterable[Any], scores: dict[tuple[int, str], Any], labels: Sequence[str]) -> list[FailedJob]:
    failures = []
    for edit in edits:
        place = {"category": edit.category, "key": edit.key, "repeat": edit.repeat}
        if edit.state == State.FAILED:
            failures.append(
                FailedJob(stage=Stage.EDIT, scorer=None, kind=edit.failure_kind, reason=edit.failure_reason, **place)
            )
        for label in labels:
            score = scores.get((edit.id, label))
            if score is not None and score.state == State.FAILED:
                failures.append(
                    FailedJob(
                        stage=Stage.SCORE, scorer=label, kind=score.failure_kind, reason=score.failure_reason, **place
                    )
                )
    return failures
