"""Edits and scores of a run that went missing, entered anew."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Engine, and_, exists, select

from db.engine import database_clock, transaction
from db.intake.chosen import queue_edits
from db.tables import State, edits, run_scorers, runs, samples, scores
from db.to_do import ids_in_order
from db.transitions import insert_all, queue_scores


def enter_missing_edits(engine: Engine, run_id: str, repeat: int, sample_ids: Sequence[int]) -> None:
    """Queue one edit of each of these samples for which the run has none of this repeat: someone deleted it."""
    there = exists().where(edits.c.run_id == run_id, edits.c.sample_id == samples.c.id, edits.c.repeat == repeat)
    with transaction(engine) as connection:
        connection.execute(select(runs.c.id).where(runs.c.id == run_id).with_for_update())
        missing = queue_edits(run_id, repeat, database_clock(connection)).where(samples.c.id.in_(sample_ids), ~there)
        connection.execute(insert_all(edits, missing))


def enter_missing_scores(engine: Engine, edit_ids: Sequence[int]) -> None:
    """Queue for those of these edits that are done the scores that are missing: one per scorer of their run."""
    done = and_(edits.c.id.in_(edit_ids), edits.c.state == State.DONE)
    with transaction(engine) as connection:
        connection.execute(ids_in_order(edits, done))
        connection.execute(queue_scores(lacking_scores(done), database_clock(connection)))


def lacking_scores(which: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition, for `queue_scores`, that one of these edits has no score by a scorer of its run."""
    there = exists().where(scores.c.edit_id == edits.c.id, scores.c.scorer_id == run_scorers.c.id)
    return and_(which, ~there)
