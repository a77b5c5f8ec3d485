"""Asked again: a person no longer wants what a run has left, or wants once more what has ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, exists, select, update

from db.failed import FailedJobs
from db.ledger.transactions import Transactions
from db.tables import JOB_TABLES, OPEN_STATES, Stage, State, edits, run_scorers, runs, scores
from db.to_do import ids_in_order, in_order, with_run
from db.transitions import asked_again, ended
from db.twins import take_over

ALL_FAILED = FailedJobs()

Which = Callable[[Stage], ColumnElement[bool]]
"""The condition that jobs of a stage are meant."""


class AskingAgain(Transactions):
    """From whatever is open to `cancelled`, and from whatever has ended to `queued`."""

    def cancel(self, run_id: str) -> int:
        """Cancel what waits or runs; a worker still at it finds its claim gone. Return how many jobs that were."""
        with self.write() as (connection, now):
            return _change(connection, run_id, _is(*OPEN_STATES), lambda _: ended(State.CANCELLED, now))

    def resume(self, run_id: str) -> int:
        """Queue what was cancelled, unless another run has made it meanwhile. Return how many jobs that were."""
        return self._ask_again(run_id, _is(State.CANCELLED))

    def retry(self, run_id: str, which: FailedJobs = ALL_FAILED) -> int:
        """Queue what failed, or only these, with as many attempts as at first, and mark it as retried; likewise."""
        return self._ask_again(run_id, lambda stage: which.of(run_id, stage), retried=True)

    def remake(self, edit_ids: Sequence[int]) -> int:
        """Queue again edits that are done but whose image is lost, and forget the scores of that image.

        Return how many edits that were.
        """
        with self.write() as (connection, now):
            lost = and_(edits.c.id.in_(edit_ids), edits.c.state == State.DONE)
            remade = connection.scalars(ids_in_order(edits, lost)).all()
            connection.execute(delete(scores).where(scores.c.edit_id.in_(remade)))
            again = {**asked_again(edits, now), "image": None, "seconds": None, "environment": None, "made_for": None}
            connection.execute(update(edits).where(edits.c.id.in_(remade)).values(**again))
            return len(remade)

    def forget_scores(self, score_ids: Sequence[int]) -> int:
        """Delete those of these scores whose edit is not done or whose scorer is of another run; return how many."""
        with self.write() as (connection, _):
            of_them = select(scores.c.edit_id).where(scores.c.id.in_(score_ids))
            connection.execute(ids_in_order(edits, edits.c.id.in_(of_them)))
            of_its_run = exists().where(
                edits.c.id == scores.c.edit_id,
                edits.c.state == State.DONE,
                run_scorers.c.id == scores.c.scorer_id,
                run_scorers.c.run_id == edits.c.run_id,
            )
            return connection.execute(delete(scores).where(scores.c.id.in_(score_ids), ~of_its_run)).rowcount

    def _ask_again(self, run_id: str, which: Which, **more: bool) -> int:
        with self.write() as (connection, now):
            changed = _change(connection, run_id, which, lambda jobs: {**asked_again(jobs, now), **more})
            take_over(connection, run_id, now)
            return changed


def _is(*states: State) -> Which:
    return lambda stage: JOB_TABLES[stage].c.state.in_(states)


def _change(connection: Connection, run_id: str, which: Which, values: Callable[[Table], Mapping[str, Any]]) -> int:
    """Give these values to the jobs of a run that are meant; return how many they are."""
    changed = 0
    for stage, jobs in JOB_TABLES.items():
        of_run = select(jobs.c.id).select_from(with_run(stage)).where(runs.c.id == run_id)
        meant = in_order(jobs, and_(which(stage), jobs.c.id.in_(of_run)))
        changed += connection.execute(update(jobs).where(meant).values(**values(jobs))).rowcount
    return changed
