"""The statements that gather what a job needs from the tables around it; they change nothing."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Row, Select, Table, select

from db.choice import ModelChoice
from db.jobs import Doorbell
from db.seeds import edit_seed
from db.tables import JOB_TABLES, Stage, State, edits, run_scorers, runs, samples, scores


def with_run(stage: Stage) -> FromClause:
    """Return the stage's jobs joined with the run they belong to."""
    if stage is Stage.EDIT:
        return edits.join(runs, edits.c.run_id == runs.c.id)
    return scores.join(run_scorers, scores.c.scorer_id == run_scorers.c.id).join(
        runs, run_scorers.c.run_id == runs.c.id
    )


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


def edits_to_do(which: ColumnElement[bool]) -> Select[Any]:
    """Select all that making these edits needs, in the order of ids."""
    return (
        select(
            edits.c.id,
            edits.c.attempt,
            edits.c.last_words,
            edits.c.run_id,
            edits.c.repeat,
            runs.c.configuration,
            *_SAMPLE,
        )
        .select_from(with_run(Stage.EDIT).join(samples, edits.c.sample_id == samples.c.id))
        .where(which)
        .order_by(edits.c.id)
    )


def scores_to_do(which: ColumnElement[bool]) -> Select[Any]:
    """Select all that giving these scores needs, in the order of ids."""
    return (
        select(
            scores.c.id,
            scores.c.attempt,
            scores.c.last_words,
            edits.c.run_id,
            edits.c.repeat,
            edits.c.image,
            runs.c.configuration,
            run_scorers.c.configuration.label("scorer"),
            samples.c.description,
            samples.c.reference_image,
            *_SAMPLE,
        )
        .select_from(
            with_run(Stage.SCORE)
            .join(edits, scores.c.edit_id == edits.c.id)
            .join(samples, edits.c.sample_id == samples.c.id)
        )
        .where(which)
        .order_by(scores.c.id)
    )


def first_waiting(jobs: Table, which: ColumnElement[bool], now: float) -> Select[Any]:
    """Select and lock those of these jobs that may start now, in the order of ids; whom another is taking is left out.

    What is done again comes first by itself: it was among the first before.
    """
    columns = (jobs.c.id, jobs.c.attempt, jobs.c.attempts_allowed, jobs.c.last_words)
    ready = (jobs.c.state == State.QUEUED, jobs.c.not_before <= now)
    return select(*columns).where(which, *ready).order_by(jobs.c.id).with_for_update(skip_locked=True)


def common_fields(stage: Stage, row: Row[Any]) -> dict[str, Any]:
    """Return the fields that claims of both stages have, from a row of `edits_to_do` or `scores_to_do`."""
    configuration = row.configuration
    return {
        "stage": stage,
        "job_id": row.id,
        "attempt": row.attempt,
        "run_id": row.run_id,
        "key": row.key,
        "category": row.category,
        "repeat": row.repeat,
        "instruction": row.instruction,
        "source_image": row.source_image,
        "seed": edit_seed(configuration["seed"], row.key, row.repeat),
        "tried_before": row.last_words is not None,
        "model": ModelChoice.model_validate(configuration["editor"] if stage is Stage.EDIT else row.scorer),
    }


_SAMPLE = (samples.c.key, samples.c.category, samples.c.instruction, samples.c.source_image)
