"""The statements that gather what a job needs from the tables around it; they change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Row, Select, Table, and_, select

from db.choice import ModelChoice
from db.jobs import Doorbell, EditClaim, ScoreClaim
from db.seeds import edit_seed, judge_seed
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


def with_run(stage: Stage) -> FromClause:
    """Return the stage's jobs joined with the run they belong to."""
    if stage is Stage.EDIT:
        return edits.join(runs, edits.c.run_id == runs.c.id)
    return scores.join(run_scorers, scores.c.scorer_id == run_scorers.c.id).join(
        runs, run_scorers.c.run_id == runs.c.id
    )


def whose(stage: Stage, job_ids: Sequence[int]) -> Select[Any]:
    """Select of these jobs id, attempt, run, sample and state."""
    jobs = JOB_TABLES[stage]
    source = edits if stage is Stage.EDIT else scores.join(edits, scores.c.edit_id == edits.c.id)
    with_sample = source.join(samples, edits.c.sample_id == samples.c.id)
    columns = (jobs.c.id, jobs.c.attempt, edits.c.run_id, samples.c.key, jobs.c.state)
    return select(*columns).select_from(with_sample).where(jobs.c.id.in_(job_ids)).order_by(jobs.c.id)


def doorbells_for(connection: Connection, stage: Stage, which: ColumnElement[bool]) -> list[Doorbell]:
    """Return the messages that wake a worker for these jobs, in the order of ids."""
    jobs = JOB_TABLES[stage]
    columns = (jobs.c.id, runs.c.priority, jobs.c.last_words.is_not(None))
    query = select(*columns).select_from(with_run(stage)).where(which).order_by(jobs.c.id)
    return [Doorbell(stage, *row) for row in connection.execute(query)]


def in_order(jobs: Table, which: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition `which` for a statement that changes many jobs: it locks them in the order of ids.

    Two that lock the same rows in different orders deadlock on PostgreSQL, as a cancel and a batch's heartbeat did.
    """
    return jobs.c.id.in_(ids_in_order(jobs, which))


def ids_in_order(jobs: Table, which: ColumnElement[bool]) -> Select[Any]:
    """Select the ids of these jobs, in their order, and lock them: until the transaction ends nobody changes them."""
    return select(jobs.c.id).where(which).order_by(jobs.c.id).with_for_update()


def waiting_edits(which: ColumnElement[bool], now: float) -> Select[Any]:
    """Select and lock those of these edits that may start now, with all that making them needs."""
    columns = (edits.c.run_id, edits.c.repeat, *ASKED_OF_EDITOR)
    with_sample = edits.join(samples, edits.c.sample_id == samples.c.id)
    return _waiting(edits, edits.c.run_id, with_sample, columns, which, now)


def waiting_scores(which: ColumnElement[bool], now: float) -> Select[Any]:
    """Select and lock those of these scores that may start now, with all that giving them needs."""
    columns = (
        scores.c.scorer_id,
        edits.c.run_id,
        edits.c.repeat,
        edits.c.image,
        *SHOWN_TO_JUDGE,
        *ASKED_OF_EDITOR,
    )
    with_sample = scores.join(edits, scores.c.edit_id == edits.c.id).join(samples, edits.c.sample_id == samples.c.id)
    return _waiting(scores, scores.c.scorer_id, with_sample, columns, which, now)


def _waiting(
    jobs: Table,
    of: ColumnElement[Any],
    source: FromClause,
    columns: Sequence[ColumnElement[Any]],
    which: ColumnElement[bool],
    now: float,
) -> Select[Any]:
    """Select in the order of ids; whom another is taking is left out.

    What is done again comes first by itself: it was among the first before.
    """
    claim = (jobs.c.id, jobs.c.attempt, jobs.c.attempts_allowed, jobs.c.last_words)
    chosen = select(*claim, *columns).select_from(source).where(which, _may_start_by_index(jobs, now))
    return chosen.order_by(of, *in_index(jobs)).with_for_update(skip_locked=True, of=jobs)


def has_waiting(connection: Connection, stage: Stage, which: ColumnElement[bool], now: float) -> bool:
    """Tell whether any of these jobs of one run or scorer may start now."""
    jobs = JOB_TABLES[stage]
    first = select(jobs.c.id).where(which, _may_start_by_index(jobs, now)).order_by(*in_index(jobs)).limit(1)
    return connection.scalar(first) is not None


def by_index(jobs: Table, first: State, last: State) -> ColumnElement[bool]:
    """Return the condition that jobs of one run or scorer are in one of these states, to be ordered by `in_index`.

    It is asked as a range even for one state: so only the index by run or scorer, state and id has the jobs in that
    order. Else PostgreSQL, which believes that everything waits as when it last counted, takes the primary key instead,
    and walks past all that is done.
    """
    return jobs.c.state.between(first, last)


def in_index(jobs: Table) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Return by what to order jobs of one run or scorer, of one state or of several."""
    return jobs.c.state, jobs.c.id


def may_start(jobs: Table, now: float) -> ColumnElement[bool]:
    """Return the condition that a job waits, and behind no back-off."""
    return and_(jobs.c.state == State.QUEUED, jobs.c.not_before <= now)


def _may_start_by_index(jobs: Table, now: float) -> ColumnElement[bool]:
    """Return the same of jobs of one run or scorer, to be ordered by `in_index`."""
    return and_(by_index(jobs, State.QUEUED, State.QUEUED), jobs.c.not_before <= now)


@dataclass(frozen=True)
class _Run:
    """What the claims of a run's jobs take from its configuration."""

    seed: int
    editor: ModelChoice
    aggregate: str | None


class Claims:
    """Makes claims of what was selected to be done; reads the models of runs once, because they never change."""

    def __init__(self) -> None:
        self._runs: dict[str, _Run] = {}
        self._scorers: dict[int, tuple[int, ModelChoice]] = {}

    def of_edit(self, connection: Connection, row: Row[Any]) -> EditClaim:
        """Return the claim of a row of `waiting_edits`, whose attempt this one follows."""
        run = self._run(connection, row.run_id)
        return EditClaim(**_common(Stage.EDIT, row, edit_seed(run.seed, row.key, row.repeat)), model=run.editor)

    def of_score(self, connection: Connection, row: Row[Any]) -> ScoreClaim:
        """Return the claim of a row of `waiting_scores`, likewise."""
        run = self._run(connection, row.run_id)
        judge_repeat, scorer = self._scorer(connection, row.scorer_id)
        return ScoreClaim(
            **_common(Stage.SCORE, row, judge_seed(run.seed, row.key, row.repeat, judge_repeat)),
            model=scorer,
            description=row.description,
            edited_image=row.image,
            reference_image=row.reference_image,
            reference_text=row.reference_text,
            fields=row.fields or {},
            aggregate=run.aggregate,
        )

    def _run(self, connection: Connection, run_id: str) -> _Run:
        if run_id not in self._runs:
            asked = connection.execute(select(runs.c.configuration).where(runs.c.id == run_id)).scalar_one()
            self._runs[run_id] = _Run(asked["seed"], ModelChoice(**asked["editor"]), asked.get("aggregate"))
        return self._runs[run_id]

    def _scorer(self, connection: Connection, scorer_id: int) -> tuple[int, ModelChoice]:
        if scorer_id not in self._scorers:
            asked = select(run_scorers.c.repeat, run_scorers.c.configuration).where(run_scorers.c.id == scorer_id)
            judge_repeat, configuration = connection.execute(asked).one()
            self._scorers[scorer_id] = judge_repeat, ModelChoice(**configuration)
        return self._scorers[scorer_id]


def _common(stage: Stage, row: Row[Any], seed: int) -> dict[str, Any]:
    return {
        "stage": stage,
        "job_id": row.id,
        "attempt": row.attempt + 1,
        "run_id": row.run_id,
        "key": row.key,
        "category": row.category,
        "repeat": row.repeat,
        "instruction": row.instruction,
        "source_image": row.source_image,
        "more_sources": tuple(row.more_sources.split()),
        "seed": seed,
        "tried_before": row.last_words is not None,
    }
