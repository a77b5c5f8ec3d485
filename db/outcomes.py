"""What came of a run, job by job, in the order of the benchmark: what reports are made of. Nothing here changes it.

Rows come as they are read, some thousands at a time: a run may have hundreds of thousands. All functions take the
connection, so that a report sees one moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from db.rubric import Rubric, there_is
from db.tables import (
    ASKED_OF_EDITOR,
    JOB_TABLES,
    SHOWN_TO_JUDGE,
    Stage,
    State,
    edits,
    run_scorers,
    runs,
    samples,
    scores,
)
from db.to_do import with_run

_AT_ONCE = {"yield_per": 5000}


@dataclass(frozen=True)
class AskedScorer:
    """One asking of a scorer: `repeat` of the judge repeats of `label`; the scale is the least and the best score.

    `configuration` is as the run has it, options and all.
    """

    id: int
    label: str
    repeat: int
    scale: tuple[float, float]
    configuration: Mapping[str, Any]

    @property
    def rubric(self) -> Rubric | None:
        """What it asks in several questions, read anew each time; None where it has no rubric."""
        rubric = self.configuration.get("options", {}).get("rubric")
        return None if rubric is None else Rubric.model_validate(rubric)


def asked_scorers(connection: Connection, run_id: str) -> list[AskedScorer]:
    """Return the run's scorers in the order they were asked for, one for each judge repeat."""
    query = select(run_scorers).where(run_scorers.c.run_id == run_id).order_by(run_scorers.c.id)
    return [
        AskedScorer(row.id, row.label, row.repeat, (row.scale_min, row.scale_max), row.configuration)
        for row in connection.execute(query)
    ]


@dataclass(frozen=True)
class JudgedSample:
    """What of a sample a rubric's conditions, and tables by a field, look at."""

    category: str
    there: frozenset[str]
    fields: Mapping[str, Any]


def judged_samples(connection: Connection, run_id: str) -> dict[int, JudgedSample]:
    """Return the samples of a run's benchmark, by their ids."""
    query = select(samples.c.id, samples.c.category, samples.c.more_sources, *SHOWN_TO_JUDGE)
    of_run = query.join(runs, samples.c.benchmark_id == runs.c.benchmark_id).where(runs.c.id == run_id)
    return {row.id: _judged(row) for row in connection.execute(of_run.execution_options(**_AT_ONCE))}


def _judged(row: Any) -> JudgedSample:
    fields = row.fields or {}
    there = there_is(
        fields,
        reference=row.reference_image is not None,
        reference_text=row.reference_text,
        description=row.description,
        more_sources=bool(row.more_sources),
    )
    return JudgedSample(row.category, there, fields)


def edit_outcomes(connection: Connection, run_id: str) -> Iterator[Any]:
    """Yield (id, sample_id, category, source_image, repeat, state, failure_kind, retried) of every edit."""
    columns = (
        *(edits.c.id, edits.c.sample_id, samples.c.category, samples.c.source_image),
        *(edits.c.repeat, edits.c.state, edits.c.failure_kind, edits.c.retried),
    )
    query = select(*columns).join(samples, edits.c.sample_id == samples.c.id).where(edits.c.run_id == run_id)
    yield from connection.execute(query.order_by(samples.c.position, edits.c.repeat).execution_options(**_AT_ONCE))


def score_outcomes(connection: Connection, run_id: str) -> Iterator[Any]:
    """Yield (edit_id, scorer_id, state, value, failure_kind, retried, criteria) of every score that exists.

    `criteria` is what the scorer gave beside its score, by name; None where it gave nothing.
    """
    columns = (
        *(scores.c.edit_id, scores.c.scorer_id, scores.c.state, scores.c.value, scores.c.failure_kind),
        *(scores.c.retried, scores.c.detail["criteria"].label("criteria")),
    )
    of_run = select(run_scorers.c.id).where(run_scorers.c.run_id == run_id)
    query = select(*columns).where(scores.c.scorer_id.in_(of_run))
    yield from connection.execute(query.execution_options(**_AT_ONCE))


LARGEST_NUMBER = 1e30
"""No scale is so wide; sums and squares of what lies beyond would be no numbers."""


def numbers_in(criteria: object) -> Iterator[tuple[str, float]]:
    """Yield what of a score's criteria is a number, by name: they are a model's words, and may hold anything."""
    if isinstance(criteria, Mapping):
        for name, value in criteria.items():
            if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST_NUMBER:
                yield name, float(value)


def failures_of(connection: Connection, run_id: str) -> Iterator[tuple[Stage, Any]]:
    """Yield every job that failed, first the edits, then the scores.

    Rows are (position, category, key, repeat, failure_kind, failure_reason) of edits; of scores they have `scorer_id`,
    `label` and `judge_repeat` besides.
    """
    for stage, jobs in JOB_TABLES.items():
        source = with_run(stage)
        columns: list[ColumnElement[Any]] = [
            *(samples.c.position, samples.c.category, samples.c.key, edits.c.repeat),
            *(jobs.c.failure_kind, jobs.c.failure_reason),
        ]
        if stage is Stage.SCORE:
            source = source.join(edits, scores.c.edit_id == edits.c.id)
            columns += [scores.c.scorer_id, run_scorers.c.label, run_scorers.c.repeat.label("judge_repeat")]
        query = (
            select(*columns)
            .select_from(source.join(samples, edits.c.sample_id == samples.c.id))
            .where(runs.c.id == run_id, jobs.c.state == State.FAILED)
        )
        for row in connection.execute(query.execution_options(**_AT_ONCE)):
            yield stage, row


def retried_jobs(connection: Connection, run_id: str) -> dict[Stage, int]:
    """Return how many jobs of each stage a person had done again."""
    counts = {}
    for stage, jobs in JOB_TABLES.items():
        query = select(func.count()).select_from(with_run(stage)).where(runs.c.id == run_id, jobs.c.retried)
        counts[stage] = connection.scalar(query) or 0
    return counts


def last_outcome_at(connection: Connection, run_id: str) -> float | None:
    """Return when the run's last job ended, in seconds since the epoch; None when none has."""
    latest = [
        connection.scalar(select(func.max(jobs.c.finished_at)).select_from(with_run(stage)).where(runs.c.id == run_id))
        for stage, jobs in JOB_TABLES.items()
    ]
    return max((float(at) for at in latest if at is not None), default=None)


def sample_identities(connection: Connection, benchmark_id: str) -> Sequence[Any]:
    """Return (id, category, key, instruction, source_image, more_sources) of every sample: it is the same elsewhere."""
    query = select(samples.c.id, *ASKED_OF_EDITOR).where(samples.c.benchmark_id == benchmark_id)
    return connection.execute(query.order_by(samples.c.position)).all()
