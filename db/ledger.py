"""Every state change of every job, in the order of a job's life: claimed, ended, handed back, asked again.

Jobs enter by `db.intake`; from there on this is the only writer. A message is a wake-up call and may come twice, late
or never: what counts is decided here, in one transaction each. Attempts are counted when a job is claimed and nowhere
else; the attempt number fences off a worker that was given up for dead, so that it cannot write over its successor.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, Row, Table, Update, and_, delete, exists, select, update

from db.engine import database_clock, reading, transaction
from db.jobs import Claim, Doorbell, EditClaim, Failure, ScoreClaim
from db.owner import Owner, Process
from db.tables import (
    ATTEMPTS_ALLOWED,
    JOB_TABLES,
    OPEN_STATES,
    FailureKind,
    Stage,
    State,
    edits,
    run_scorers,
    runs,
    scores,
)
from db.to_do import (
    common_fields,
    companions,
    doorbells_for,
    edits_to_do,
    ids_in_order,
    in_order,
    scores_to_do,
    with_run,
)
from db.transitions import (
    BACK_OFF_SPREAD,
    LONGEST_BACK_OFF_SECONDS,
    UNCLAIMED,
    asked_again,
    back_off,
    done_with,
    held_as,
    held_by,
    queue_again,
    queue_scores,
    running,
    still_mine,
    why_lost,
)

CLOCK_SLACK_SECONDS = 5
"""What the database's clock may run back by before anything is made of it."""


class Ledger:
    """The jobs of every run. Safe to use from several threads; each method is one transaction."""

    def __init__(
        self,
        engine: Engine,
        *,
        lease_seconds: float = 30,
        clock: Callable[[Connection], float] = database_clock,
        spread: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.engine = engine
        self.lease_seconds = lease_seconds
        self._clock = clock
        self._spread = spread

    # -- claimed ---------------------------------------------------------------------------------------------------

    def claim_edit(self, edit_id: int, owner: Owner, worker: str) -> EditClaim | None:
        """Claim the edit if it waits, or if whoever held it is gone; None when there is nothing to do."""
        with self.write() as (connection, now):
            if self._seize(connection, edits, edit_id, owner, worker, now) is None:
                return None
            row = connection.execute(edits_to_do(edits.c.id == edit_id)).one()
            return EditClaim(**common_fields(Stage.EDIT, row))

    def claim_scores(self, score_id: int, owner: Owner, worker: str) -> list[ScoreClaim]:
        """Claim the score, and up to its scorer's batch size minus one more that wait for the same scorer.

        A score whose earlier attempt ended without an outcome is claimed alone: should it kill its process again, it
        takes no other down. Empty when there is nothing to do.
        """
        with self.write() as (connection, now):
            seized = self._seize(connection, scores, score_id, owner, worker, now)
            if seized is None:
                return []
            claimed = [score_id]
            if seized.last_words is None:
                others = connection.scalars(companions(seized, now)).all()
                connection.execute(self._claim(scores, owner, worker, now).where(scores.c.id.in_(others)))
                claimed.extend(others)
            return [
                ScoreClaim(
                    **common_fields(Stage.SCORE, row),
                    description=row.description,
                    edited_image=row.image,
                    reference_image=row.reference_image,
                )
                for row in connection.execute(scores_to_do(scores.c.id.in_(claimed)))
            ]

    def renew(self, owner: Owner) -> int:
        """Prolong the leases of everything this owner holds; return how many claims that are."""
        renewed = 0
        with self.write() as (connection, now):
            for jobs in JOB_TABLES.values():
                held = in_order(jobs, held_as(jobs, owner))
                prolonged = update(jobs).where(held).values(lease_until=now + self.lease_seconds)
                renewed += connection.execute(prolonged).rowcount
        return renewed

    def holds(self, owner: Owner) -> bool:
        """Tell whether any claim of this owner still counts."""
        with reading(self.engine) as connection:
            return any(
                connection.scalar(select(jobs.c.id).where(held_as(jobs, owner)).limit(1)) is not None
                for jobs in JOB_TABLES.values()
            )

    # -- ended -----------------------------------------------------------------------------------------------------

    def finish_edit(
        self,
        claim: EditClaim,
        image: str,
        *,
        seconds: float,
        detail: Mapping[str, object] | None = None,
        environment: str | None = None,
    ) -> list[Doorbell] | None:
        """Write the edited image and queue one score per scorer of the run; return the messages to send for them.

        None when the claim is no longer valid: the job was taken over or cancelled, and nothing was written.
        """
        with self.write() as (connection, now):
            done = {"image": image, **done_with(seconds, detail, environment)}
            if not self._end(connection, claim, State.DONE, now, done):
                return None
            connection.execute(queue_scores(edits.c.id == claim.job_id, now, published_at=now))
            return doorbells_for(connection, Stage.SCORE, scores.c.edit_id == claim.job_id)

    def finish_score(
        self,
        claim: ScoreClaim,
        value: float,
        *,
        seconds: float,
        detail: Mapping[str, object] | None = None,
        environment: str | None = None,
    ) -> bool:
        """Write the score; False when the claim is no longer valid and nothing was written."""
        with self.write() as (connection, now):
            done = {"value": value, **done_with(seconds, detail, environment)}
            return self._end(connection, claim, State.DONE, now, done)

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
            return State.FAILED if self._end(connection, claim, State.FAILED, now, failed) else None

    # -- handed back -----------------------------------------------------------------------------------------------

    def release(self, process: Process) -> int:
        """Hand back what a process holds that is ending by intention: its attempts are not counted."""
        with self.write() as (connection, now):
            held = _held(connection, process)
            for jobs, row in held:
                back = queue_again(jobs, now).where(jobs.c.id == row.id, jobs.c.attempt == row.attempt)
                connection.execute(back.values(attempts_allowed=jobs.c.attempts_allowed + 1))
            return len(held)

    def hand_back(self, process: Process, last_words: str) -> int:
        """Hand back what a process holds that ended in the middle of it; its attempts count. Return how many."""
        with self.write() as (connection, now):
            held = _held(connection, process)
            for jobs, row in held:
                self._hand_back(connection, jobs, row, last_words, now)
            return len(held)

    def hand_back_lost(self, *, judge_leases: bool = True) -> int:
        """Hand back what nobody works on any more: leases that ran out, owners of this host that died.

        A dead process whose parent lives is left to it: the parent knows how its child ended. `judge_leases` is False
        for someone who cannot trust the clock yet.
        """
        with self.write() as (connection, now):
            lost = 0
            for jobs in JOB_TABLES.values():
                for row in connection.execute(running(jobs).with_for_update(skip_locked=True)):
                    last_words = why_lost(row, now if judge_leases else 0)
                    if last_words is not None:
                        self._hand_back(connection, jobs, row, last_words, now)
                        lost += 1
            return lost

    def now(self) -> float:
        """Return the time by the database's clock, in seconds since the epoch."""
        with reading(self.engine) as connection:
            return self._clock(connection)

    def settle_clock(self) -> int:
        """Bring every time that lies further ahead than it can back to what it can be; return how many jobs that were.

        A database whose clock was set back would otherwise leave jobs waiting, and the dead their leases, until it has
        caught up.
        """
        settled = 0
        with self.write() as (connection, now):
            for jobs in JOB_TABLES.values():
                for column, latest, then in (
                    (jobs.c.not_before, now + LONGEST_BACK_OFF_SECONDS, now),
                    (jobs.c.lease_until, now + self.lease_seconds, now + self.lease_seconds),
                    (jobs.c.published_at, now, None),
                ):
                    open_jobs = and_(jobs.c.state.in_(OPEN_STATES), column > latest + CLOCK_SLACK_SECONDS)
                    ahead = update(jobs).where(in_order(jobs, open_jobs))
                    settled += connection.execute(ahead.values({column: then})).rowcount
        return settled

    # -- asked again -----------------------------------------------------------------------------------------------

    def cancel(self, run_id: str) -> int:
        """Cancel what waits or runs; a worker still at it finds its claim gone. Return how many jobs that were."""
        return self._change_run(
            run_id, OPEN_STATES, lambda now: {"state": State.CANCELLED, "finished_at": now, **UNCLAIMED}
        )

    def resume(self, run_id: str) -> int:
        """Queue what was cancelled."""
        return self._change_run(run_id, (State.CANCELLED,), asked_again)

    def retry(self, run_id: str) -> int:
        """Queue what failed, with as many attempts as at first."""
        return self._change_run(run_id, (State.FAILED,), asked_again)

    def remake(self, edit_ids: Sequence[int]) -> int:
        """Queue again edits that are done but whose image is lost, and forget the scores of that image.

        Return how many edits that were.
        """
        with self.write() as (connection, now):
            lost = and_(edits.c.id.in_(edit_ids), edits.c.state == State.DONE)
            remade = connection.scalars(ids_in_order(edits, lost)).all()
            connection.execute(delete(scores).where(scores.c.edit_id.in_(remade)))
            again = {**asked_again(now), "image": None, "seconds": None, "environment": None}
            allowed = edits.c.attempt + ATTEMPTS_ALLOWED
            connection.execute(update(edits).where(edits.c.id.in_(remade)).values(attempts_allowed=allowed, **again))
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

    def _change_run(self, run_id: str, states: Sequence[State], values: Callable[[float], Mapping[str, Any]]) -> int:
        with self.write() as (connection, now):
            changed = 0
            for stage, jobs in JOB_TABLES.items():
                of_run = select(jobs.c.id).select_from(with_run(stage)).where(runs.c.id == run_id)
                change = update(jobs).where(in_order(jobs, and_(jobs.c.state.in_(states), jobs.c.id.in_(of_run))))
                if State.RUNNING not in states:
                    change = change.values(attempts_allowed=jobs.c.attempt + ATTEMPTS_ALLOWED)
                changed += connection.execute(change.values(**values(now))).rowcount
            return changed

    # -- what the steps above share --------------------------------------------------------------------------------

    @contextmanager
    def write(self) -> Iterator[tuple[Connection, float]]:
        """Open a transaction that will write, with the time it happens at."""
        with transaction(self.engine) as connection:
            yield connection, self._clock(connection)

    def _seize(
        self, connection: Connection, jobs: Table, job_id: int, owner: Owner, worker: str, now: float
    ) -> Row[Any] | None:
        row = connection.execute(select(jobs).where(jobs.c.id == job_id).with_for_update()).one_or_none()
        if row is None or row.state not in OPEN_STATES:
            return None
        if row.state == State.QUEUED and row.not_before > now:
            return None
        if row.state == State.RUNNING:
            abandoned = Owner.parse(row.owner).process == owner.process  # a process does one job at a time
            last_words = "its worker dropped it without an outcome" if abandoned else why_lost(row, now)
            if last_words is None:
                return None
            connection.execute(update(jobs).where(jobs.c.id == job_id).values(last_words=last_words))
            row = connection.execute(select(jobs).where(jobs.c.id == job_id)).one()
        if self._poisoned(connection, jobs, row, row.last_words or "no trace was left", now):
            return None
        connection.execute(self._claim(jobs, owner, worker, now).where(jobs.c.id == job_id))
        return row

    def _claim(self, jobs: Table, owner: Owner, worker: str, now: float) -> Update:
        return update(jobs).values(
            state=State.RUNNING,
            attempt=jobs.c.attempt + 1,
            owner=str(owner),
            worker=worker,
            lease_until=now + self.lease_seconds,
            started_at=now,
        )

    def _end(self, connection: Connection, claim: Claim, state: State, now: float, values: Mapping[str, Any]) -> bool:
        jobs = JOB_TABLES[claim.stage]
        end = update(jobs).where(still_mine(jobs, claim))
        return bool(connection.execute(end.values(state=state, finished_at=now, **UNCLAIMED, **values)).rowcount)

    def _hand_back(self, connection: Connection, jobs: Table, row: Row[Any], last_words: str, now: float) -> None:
        if not self._poisoned(connection, jobs, row, last_words, now):
            back = queue_again(jobs, now).where(jobs.c.id == row.id, jobs.c.attempt == row.attempt)
            connection.execute(back.values(last_words=last_words))

    def _poisoned(self, connection: Connection, jobs: Table, row: Row[Any], last_words: str, now: float) -> bool:
        """Fail a job whose attempts are used up; False while it may be tried again."""
        if row.attempt < row.attempts_allowed:
            return False
        connection.execute(
            update(jobs)
            .where(jobs.c.id == row.id, jobs.c.attempt == row.attempt)
            .values(
                state=State.FAILED,
                finished_at=now,
                failure_kind=FailureKind.POISON.value,
                failure_reason=f"given up after {row.attempt} attempts; the last: {last_words}",
                last_words=last_words,
                **UNCLAIMED,
            )
        )
        return True


def _held(connection: Connection, process: Process) -> list[tuple[Table, Row[Any]]]:
    return [(jobs, row) for jobs in JOB_TABLES.values() for row in connection.execute(held_by(jobs, process))]
