"""Ended: a job that was claimed has its result, or none; or its attempts are used up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Table, update

from db.jobs import Claim, Done, Doorbell, EditClaim, Failure, ScoreClaim
from db.ledger.transactions import Transactions
from db.tables import JOB_TABLES, FailureKind, Stage, State, edits, scores
from db.to_do import doorbells_for
from db.transitions import (
    BACK_OFF_SPREAD,
    back_off,
    done_with,
    ended,
    finished,
    queue_again,
    queue_scores,
    still_mine,
    still_running,
)
from db.twins import hand_on


class Ending(Transactions):
    """From `running` to `done` or `failed`, where the claim still counts; or back to `queued`, behind a wait."""

    def finish_edits(
        self, results: Sequence[tuple[EditClaim, Done]], *, announced: bool = True
    ) -> tuple[list[int], list[Doorbell]]:
        """Write edited images and queue one score for each and each scorer of its run; likewise for waiting twins.

        Return the ids of the edits whose claims still counted, and the messages to send; where the scores are not to be
        `announced`, none are sent now, but owed. Of the other edits, which were taken over or cancelled, nothing is
        written.
        """
        with self.write() as (connection, now):
            kept = _finish(connection, edits, results, now)
            if not kept:
                return [], []
            published_at = now if announced else None
            connection.execute(queue_scores(edits.c.id.in_(kept), now, published_at=published_at))
            shared = hand_on(connection, kept, list({claim.run_id for claim, _ in results}), now, published_at)
            new = scores.c.edit_id.in_([*kept, *shared])
            return kept, doorbells_for(connection, Stage.SCORE, new) if announced else []

    def finish_scores(self, results: Sequence[tuple[ScoreClaim, Done]]) -> list[int]:
        """Write scores; return the ids of those whose claims still counted, likewise."""
        with self.write() as (connection, now):
            return _finish(connection, scores, results, now)

    def fail(self, claim: Claim, failure: Failure) -> State | None:
        """Write that the job has no result, or queue it again where the cause may pass and attempts are left.

        Return the state it is in now; None when the claim is no longer valid and nothing was written.
        """
        jobs = JOB_TABLES[claim.stage]
        with self.write() as (connection, now):
            if failure.again:
                wait = back_off(jobs) * self._spread(*BACK_OFF_SPREAD) + failure.wait_seconds
                again = queue_again(jobs, now + wait).where(
                    still_mine(jobs, claim), jobs.c.attempt < jobs.c.attempts_allowed
                )
                if connection.execute(again.values(last_words=failure.reason)).rowcount:
                    return State.QUEUED
            failed = {
                "failure_kind": failure.kind.value,
                "failure_reason": failure.reason,
                "detail": dict(failure.detail) or None,
            }
            end = update(jobs).where(still_mine(jobs, claim)).values(**ended(State.FAILED, now), **failed)
            return State.FAILED if connection.execute(end).rowcount else None


def _finish(connection: Connection, jobs: Table, results: Sequence[tuple[Claim, Done]], now: float) -> list[int]:
    """Write the results of those claims that still count; return the ids of their jobs."""
    if not results:
        return []
    given = {(claim.job_id, claim.attempt): done for claim, done in results}
    asked = still_running(jobs, [claim.job_id for claim, _ in results])
    kept = [(row.id, given[row.id, row.attempt]) for row in connection.execute(asked) if tuple(row) in given]
    if kept:
        values = [{"job_id": job_id, **done_with(jobs, done)} for job_id, done in kept]
        connection.execute(finished(jobs, now), values)
    return [job_id for job_id, _ in kept]


def give_up(connection: Connection, jobs: Table, row: Row[Any], last_words: str, now: float) -> bool:
    """Fail a job whose attempts are used up; False while it may be tried again."""
    if row.attempt < row.attempts_allowed:
        return False
    poison = {
        "failure_kind": FailureKind.POISON.value,
        "failure_reason": f"given up after {row.attempt} attempts; the last: {last_words}",
        "last_words": last_words,
    }
    end = update(jobs).where(jobs.c.id == row.id, jobs.c.attempt == row.attempt)
    connection.execute(end.values(**ended(State.FAILED, now), **poison))
    return True
