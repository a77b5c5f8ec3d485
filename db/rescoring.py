"""New scores for edits that a run has already: a run of its own by other scorers, which makes no edit again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    Select,
    and_,
    case,
    exists,
    func,
    literal,
    null,
    select,
)

from db.configuration import RunConfiguration
from db.engine import database_clock, transaction
from db.errors import WrongCall
from db.intake import COUNTED, Asked, benchmark_of, count_anew, enter_asked, found_again
from db.tables import OPEN_STATES, State, edits, runs
from db.to_do import ids_in_order
from db.transitions import insert_all, queue_scores
from db.twins import take_over


def enter_rescore(engine: Engine, run_id: str, configuration: RunConfiguration) -> tuple[str, bool]:
    """Enter a run of these scorers on the edits of that run, all or nothing.

    What is done there is done here, with its image and its scores queued; what failed has failed, what was cancelled
    is cancelled; what is still open is queued, and shared as between any two runs that ask for the same.
    Return the new run's id, and False when it was there already. Raises WrongCall where the run shares its edits with
    nobody and some are open, or where a run of just this was entered with edits of its own.
    """
    with transaction(engine) as connection:
        benchmark_of(connection, run_id)
        source = connection.execute(select(runs).where(runs.c.id == run_id)).one()
        asked = Asked(source.benchmark_id, configuration, source.editing, source.prompts)
        if found_again(connection, asked):
            _require_same_edits(connection, source, asked.run_id)
            return asked.run_id, False
        # Nobody finishes an edit until this is in: whoever does then finds the new run, and hands the image on to it.
        still_open = connection.scalars(ids_in_order(edits, _of(run_id, OPEN_STATES))).all()
        if still_open and source.editing is None:
            raise WrongCall(
                f"run {run_id} shares its edits with no other run, and {len(still_open):,} of them are still to come: "
                "rescore it when they are done"
            )
        now = database_clock(connection)
        enter_asked(connection, asked, now)
        copied = insert_all(edits, _copies(run_id, asked.run_id, now))
        count_anew(connection, connection.execute(copied, execution_options=COUNTED).rowcount)
        connection.execute(queue_scores(_of(asked.run_id, [State.DONE]), now))
        take_over(connection, asked.run_id, now)
    return asked.run_id, True


def _of(run_id: str, states: Sequence[State]) -> ColumnElement[bool]:
    return and_(edits.c.run_id == run_id, edits.c.state.in_(states))


_AS_THEY_ARE = ("sample_id", "repeat", "image", "seconds", "detail", "environment", "worker", "started_at", "retried")
_OF_A_FAILURE = ("failure_kind", "failure_reason", "last_words")


def _copies(run_id: str, new_run_id: str, now: float) -> Select[Any]:
    """Select the edits of a run as another one gets them, in their order; what is open waits from the beginning."""
    is_open = edits.c.state.in_(OPEN_STATES)
    made_for = case((edits.c.state == State.DONE, func.coalesce(edits.c.made_for, run_id)), else_=null())
    columns = {
        "run_id": literal(new_run_id),
        "state": case((is_open, State.QUEUED.value), else_=edits.c.state),
        "attempt": case((edits.c.state == State.DONE, 1), else_=0),  # none that is done has had none
        "not_before": literal(now),
        "finished_at": case((is_open, null()), else_=edits.c.finished_at),
        "made_for": made_for,
    }
    kept = [edits.c[name] for name in _AS_THEY_ARE]
    of_a_failure = [case((edits.c.state == State.FAILED, edits.c[name])).label(name) for name in _OF_A_FAILURE]
    changed = [column.label(name) for name, column in columns.items()]
    return select(*kept, *of_a_failure, *changed).where(edits.c.run_id == run_id).order_by(edits.c.id)


def _require_same_edits(connection: Connection, source: Row[Any], found_id: str) -> None:
    """Raise WrongCall where the run that was found has other images: one of the two was asked for as fresh."""
    theirs = edits.alias("theirs")
    same_edit = and_(theirs.c.sample_id == edits.c.sample_id, theirs.c.repeat == edits.c.repeat)
    other_image = exists().where(
        edits.c.run_id == source.id, theirs.c.run_id == found_id, same_edit, theirs.c.image != edits.c.image
    )
    if connection.scalar(select(other_image)):
        raise WrongCall(
            f"run {found_id} asked for these scores before, of edits of its own: those of run {source.id} are others, "
            "because one of the two was submitted with --fresh"
        )
