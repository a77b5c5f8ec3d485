"""Every state change of every job, in the order of a job's life: claimed, ended, handed back, asked again.

Jobs enter by `db.intake`; from there on this is the only writer. A message is a wake-up call and may come twice, late
or never: what counts is decided here, in one transaction each. Attempts are counted when a job is claimed and nowhere
else; the attempt number fences off a worker that was given up for dead, so that it cannot write over its successor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Insert,
    Row,
    Select,
    Table,
    Update,
    and_,
    insert,
    literal,
    select,
    update,
)

from db.engine import database_clock, transaction
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
from db.to_do import common_fields, companions, doorbells_for, edits_to_do, in_order, scores_to_do, with_run

BACK_OFF_SECONDS = 10
"""Wait before the second attempt of a job whose failure may pass; doubled for each further one."""


class Ledger:
    """The jobs of every run. Safe to use from several threads; each method is one transaction."""

    def __init__(
        self,
        engine: Engine,
        *,
        lease_seconds: float = 30,
        clock: Callable[[Connection], float] = database_clock,
    ) -> None:
        self.engine = engine
        self.lease_seconds = lease_seconds
        self._clock = clock

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
                held = in_order(jobs, and_(jobs.c.state == State.RUNNING, jobs.c.owner == str(owner)))
                prolonged = update(jobs).where(held).values(lease_until=now + self.lease_seconds)
                renewed += connection.execute(prolonged).rowcount
        return renewed

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
            done = {"image": image, **_made(seconds, detail, environment)}
            if not self._end(connection, claim, State.DONE, now, done):
                return None
            connection.execute(_queue_scores(claim, now))
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
            done = {"value": value, **_made(seconds, detail, environment)}
            return self._end(connection, claim, State.DONE, now, done)

    def fail(self, claim: Claim, failure: Failure) -> State | None:
        """Write that the job has no result, or queue it again where the cause may pass and attempts are left.

        Return the state it is in now; None when the claim is no longer valid and nothing was written.
        """
        jobs = JOB_TABLES[claim.stage]
        with self.write() as (connection, now):
            if failure.again:
                again = _queue_again(jobs, now + _back_off(jobs)).where(
                    _still_mine(jobs, claim), jobs.c.attempt < jobs.c.attempts_allowed
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
            released = 0
            for jobs in JOB_TABLES.values():
                for row in connection.execute(_held(jobs).with_for_update()):
                    if Owner.parse(row.owner).process == process:
                        back = _queue_again(jobs, now).where(jobs.c.id == row.id, jobs.c.attempt == row.attempt)
                        back = back.values(attempts_allowed=jobs.c.attempts_allowed + 1)
                        released += connection.execute(back).rowcount
            return released

    def hand_back_lost(self) -> int:
        """Queue again what nobody works on any more: leases that ran out, owners of this host that died."""
        with self.write() as (connection, now):
            lost = 0
            for jobs in JOB_TABLES.values():
                for row in connection.execute(_held(jobs).with_for_update(skip_locked=True)):
                    last_words = _why_lost(row, now)
                    if last_words is not None and not self._poisoned(connection, jobs, row, last_words, now):
                        back = _queue_again(jobs, now).where(jobs.c.id == row.id, jobs.c.attempt == row.attempt)
                        connection.execute(back.values(last_words=last_words))
                    lost += last_words is not None
            return lost

    # -- asked again -----------------------------------------------------------------------------------------------

    def cancel(self, run_id: str) -> int:
        """Cancel what waits or runs; a worker still at it finds its claim gone. Return how many jobs that were."""
        return self._change_run(
            run_id, OPEN_STATES, lambda now: {"state": State.CANCELLED, "finished_at": now, **_UNCLAIMED}
        )

    def resume(self, run_id: str) -> int:
        """Queue what was cancelled."""
        return self._change_run(run_id, (State.CANCELLED,), _asked_again)

    def retry(self, run_id: str) -> int:
        """Queue what failed, with as many attempts as at first."""
        return self._change_run(run_id, (State.FAILED,), _asked_again)

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
            last_words = "its worker dropped it without an outcome" if abandoned else _why_lost(row, now)
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
        end = update(jobs).where(_still_mine(jobs, claim))
        return bool(connection.execute(end.values(state=state, finished_at=now, **_UNCLAIMED, **values)).rowcount)

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
                **_UNCLAIMED,
            )
        )
        return True


_UNCLAIMED = {"owner": None, "lease_until": None}


def _made(seconds: float, detail: Mapping[str, object] | None, environment: str | None) -> dict[str, Any]:
    return {"seconds": seconds, "detail": dict(detail) if detail else None, "environment": environment}


def _queue_scores(claim: EditClaim, now: float) -> Insert:
    """Return the statement that enters one score per scorer of the run, in the order in which they were asked for."""
    queued = (
        select(
            literal(claim.job_id).label("edit_id"),
            run_scorers.c.id.label("scorer_id"),
            literal(State.QUEUED.value).label("state"),
            literal(now).label("not_before"),
            literal(now).label("published_at"),
        )
        .where(run_scorers.c.run_id == claim.run_id)
        .order_by(run_scorers.c.id)
    )
    return insert(scores).from_select([column.name for column in queued.selected_columns], queued)


def _asked_again(now: float) -> dict[str, Any]:
    return {
        "state": State.QUEUED,
        "not_before": now,
        "published_at": None,
        "finished_at": None,
        "failure_kind": None,
        "failure_reason": None,
        "last_words": None,
        "detail": None,
    }


def _held(jobs: Table) -> Select[Any]:
    return select(jobs).where(jobs.c.state == State.RUNNING).order_by(jobs.c.id)


def _still_mine(jobs: Table, claim: Claim) -> ColumnElement[bool]:
    return and_(jobs.c.id == claim.job_id, jobs.c.attempt == claim.attempt, jobs.c.state == State.RUNNING)


def _queue_again(jobs: Table, not_before: float | ColumnElement[float]) -> Update:
    return (
        update(jobs)
        .where(jobs.c.state == State.RUNNING)
        .values(state=State.QUEUED, not_before=not_before, published_at=None, **_UNCLAIMED)
    )


def _back_off(jobs: Table) -> ColumnElement[float]:
    """Return the wait before the next attempt, in seconds; counted by the attempts left, so that neither those that
    were released nor those before a retry lengthen it."""
    attempts_left = jobs.c.attempts_allowed - jobs.c.attempt
    return BACK_OFF_SECONDS * literal(1).bitwise_lshift(ATTEMPTS_ALLOWED - 1 - attempts_left)


def _why_lost(row: Row[Any], now: float) -> str | None:
    process = Owner.parse(row.owner).process
    if process.is_dead():
        return f"process {process.pid} of worker {row.worker} died"
    if row.lease_until <= now:
        return f"worker {row.worker} did not renew its lease"
    return None
