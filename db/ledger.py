"""Every state change of every job, in the order of a job's life: claimed, ended, handed back, asked again.

Jobs enter by `db.intake`; from there on this is the only writer. A message is a wake-up call and may come twice, late
or never: what counts is decided here, in one transaction each. Attempts are counted when a job is claimed and nowhere
else; the attempt number fences off a worker that was given up for dead, so that it cannot write over its successor.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import takewhile
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, Select, Table, and_, delete, exists, select, update

from db.engine import database_clock, reading, transaction
from db.failed import FailedJobs
from db.jobs import Claim, Claimant, Done, Doorbell, EditClaim, Failure, HandedBack, ScoreClaim
from db.owner import Owner, Process
from db.tables import (
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
from db.to_do import Claims, doorbells_for, ids_in_order, in_order, waiting_edits, waiting_scores, whose, with_run
from db.transitions import (
    BACK_OFF_SPREAD,
    LONGEST_BACK_OFF_SECONDS,
    UNRENEWED,
    asked_again,
    back_off,
    claimed_by,
    done_with,
    ended,
    finished,
    held_as,
    held_by,
    queue_again,
    queue_scores,
    released,
    running,
    still_mine,
    still_running,
    why_lost,
)
from db.twins import hand_on, take_over

NO_TRACE = "no trace was left"
"""The last words of a job that has none."""

CLOCK_SLACK_SECONDS = 5
"""What the database's clock may run back by before anything is made of it."""


ALL_FAILED = FailedJobs()

Which = Callable[[Stage], ColumnElement[bool]]
"""The condition that jobs of a stage are meant."""


class Ledger:
    """The jobs of every run. Safe to use from several threads; each method is one transaction.

    `on_handed_back` is told of what was handed back here, once that is committed.
    """

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
        self._claims = Claims()
        self.on_handed_back: Callable[[Sequence[HandedBack]], None] | None = None

    # -- claimed ---------------------------------------------------------------------------------------------------

    def claim_edits(
        self, which: ColumnElement[bool], claimant: Claimant, limit: int = 1, *, ahead: bool = False
    ) -> list[EditClaim]:
        """Claim the first of these edits that wait, `limit` at most; empty when there is nothing to do.

        One that ended without an outcome before is claimed alone, and not `ahead`, while something else is under way:
        should it kill its process again, it takes no other down, nor any other it.
        """
        with self.write() as (connection, now):
            first = waiting_edits(which, now).limit(limit)
            claimed = self._claim_first(connection, edits, first, claimant, now, ahead=ahead)
            return [self._claims.of_edit(connection, row) for row in claimed]

    def claim_scores(
        self, which: ColumnElement[bool], claimant: Claimant, limit: int = 1, *, ahead: bool = False
    ) -> list[ScoreClaim]:
        """Claim the first of these scores that wait, likewise."""
        with self.write() as (connection, now):
            first = waiting_scores(which, now).limit(limit)
            claimed = self._claim_first(connection, scores, first, claimant, now, ahead=ahead)
            return [self._claims.of_score(connection, row) for row in claimed]

    def renew(self, process: Process) -> int:
        """Prolong the leases of everything this process holds; return how many claims that are."""
        renewed = 0
        with self.write() as (connection, now):
            for jobs in JOB_TABLES.values():
                held = connection.scalars(held_by(jobs, process).with_only_columns(jobs.c.id)).all()
                prolonged = update(jobs).where(jobs.c.id.in_(held)).values(lease_until=now + self.lease_seconds)
                renewed += connection.execute(prolonged).rowcount if held else 0
        return renewed

    def holds(self, owner: Owner) -> bool:
        """Tell whether any claim of this owner still counts."""
        with reading(self.engine) as connection:
            return any(
                connection.scalar(select(jobs.c.id).where(held_as(jobs, owner)).limit(1)) is not None
                for jobs in JOB_TABLES.values()
            )

    # -- ended -----------------------------------------------------------------------------------------------------

    def finish_edits(
        self, results: Sequence[tuple[EditClaim, Done]], *, announced: bool = True
    ) -> tuple[list[int], list[Doorbell]]:
        """Write edited images and queue one score for each and each scorer of its run; likewise for waiting twins.

        Return the ids of the edits whose claims still counted, and the messages to send; where the scores are not to be
        `announced`, none are sent now, but owed. Of the other edits, which were taken over or cancelled, nothing is
        written.
        """
        with self.write() as (connection, now):
            kept = self._finish(connection, edits, results, now)
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
            return self._finish(connection, scores, results, now)

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

    # -- handed back -----------------------------------------------------------------------------------------------

    def release(self, process: Process) -> int:
        """Hand back what a process holds that is ending by intention: its attempts are not counted."""
        with self._handing_back() as (connection, now, back):
            held = _held(connection, process)
            for jobs, row in held:
                connection.execute(released(jobs, now).where(jobs.c.id == row.id, jobs.c.attempt == row.attempt))
            back += _handed_back(connection, [(jobs, row, "its worker ends") for jobs, row in held])
            return len(held)

    def release_unbegun(self, claims: Sequence[Claim]) -> None:
        """Hand back claims of which nothing came, because nobody began them: their attempts are not counted."""
        with self._handing_back() as (connection, now, back):
            for claim in claims:
                jobs = JOB_TABLES[claim.stage]
                if connection.execute(released(jobs, now).where(still_mine(jobs, claim))).rowcount:
                    ids = (claim.stage, claim.job_id, claim.attempt, claim.run_id, claim.key)
                    back.append(HandedBack(*ids, State.QUEUED, "it was not begun"))

    def hand_back(self, process: Process, last_words: str) -> int:
        """Hand back what a process holds that ended in the middle of it; its attempts count. Return how many."""
        with self._handing_back() as (connection, now, back):
            held = _held(connection, process)
            for jobs, row in held:
                self._hand_back(connection, jobs, row, last_words, now)
            back += _handed_back(connection, [(jobs, row, last_words) for jobs, row in held])
            return len(held)

    def hand_back_lost(self, *, judge_leases: bool = True) -> int:
        """Hand back what nobody works on any more: leases that ran out, owners of this host that died.

        A dead process whose parent lives is left to it: the parent knows how its child ended. `judge_leases` is False
        for someone who cannot trust the clock yet.
        """
        with self.read() as (connection, now):  # mostly there is nothing to do, and no reason to lock anything
            until = now if judge_leases else 0
            found = {
                stage: [row.id for row, _ in _lost(connection, running(jobs), until)]
                for stage, jobs in JOB_TABLES.items()
            }
        return sum(self._hand_back_all(stage, job_ids, judge_leases) for stage, job_ids in found.items() if job_ids)

    def _hand_back_all(self, stage: Stage, job_ids: Sequence[int], judge_leases: bool) -> int:
        jobs = JOB_TABLES[stage]
        with self._handing_back() as (connection, now, back):
            still = running(jobs).where(jobs.c.id.in_(job_ids)).with_for_update(skip_locked=True)
            lost = list(_lost(connection, still, now if judge_leases else 0))
            for row, last_words in lost:
                self._hand_back(connection, jobs, row, last_words, now)
            back += _handed_back(connection, [(jobs, row, last_words) for row, last_words in lost])
            return len(lost)

    def now(self) -> float:
        """Return the time by the database's clock, in seconds since the epoch."""
        with self.read() as (_, now):
            return now

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

    # -- what the steps above share --------------------------------------------------------------------------------

    @contextmanager
    def together(self) -> Iterator[Ledger]:
        """Yield a ledger whose methods are all one transaction, committed at the end of the block."""
        with self.write() as (connection, now):
            yield self.within(connection, now)

    def within(self, connection: Connection, now: float) -> Ledger:
        """Return a ledger whose methods all belong to this transaction that will write."""
        return _Within(self, connection, now)

    @contextmanager
    def read(self) -> Iterator[tuple[Connection, float]]:
        """Open a transaction that only reads, with the time it happens at."""
        with reading(self.engine) as connection:
            yield connection, self._clock(connection)

    @contextmanager
    def write(self) -> Iterator[tuple[Connection, float]]:
        """Open a transaction that will write, with the time it happens at."""
        with transaction(self.engine) as connection:
            yield connection, self._clock(connection)

    @contextmanager
    def _handing_back(self) -> Iterator[tuple[Connection, float, list[HandedBack]]]:
        """Open a transaction that will write; what is put into the list is told once that is committed."""
        back: list[HandedBack] = []
        with self.write() as (connection, now):
            yield connection, now, back
        if back and self.on_handed_back is not None:
            self.on_handed_back(back)

    def _claim_first(
        self, connection: Connection, jobs: Table, first: Select[Any], claimant: Claimant, now: float, *, ahead: bool
    ) -> list[Row[Any]]:
        """Claim those of the first that wait which may be claimed together; return their rows as they were before."""
        waiting = connection.execute(first).all()
        usable = [row for row in waiting if not self._poisoned(connection, jobs, row, row.last_words or NO_TRACE, now)]
        together = list(takewhile(lambda row: row.last_words is None, usable))
        claimed = together or ([] if ahead else usable[:1])
        if claimed:
            claim = claimed_by(jobs, claimant, now, self.lease_seconds)
            connection.execute(claim.where(jobs.c.id.in_([row.id for row in claimed])))
        return claimed

    def _finish(
        self, connection: Connection, jobs: Table, results: Sequence[tuple[Claim, Done]], now: float
    ) -> list[int]:
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
                failure_kind=FailureKind.POISON.value,
                failure_reason=f"given up after {row.attempt} attempts; the last: {last_words}",
                last_words=last_words,
                **ended(State.FAILED, now),
            )
        )
        return True


class _Within(Ledger):
    """The ledger within one transaction that is open already."""

    def __init__(self, ledger: Ledger, connection: Connection, now: float) -> None:
        self.__dict__.update(ledger.__dict__)
        self._within = (connection, now)

    @contextmanager
    def write(self) -> Iterator[tuple[Connection, float]]:
        yield self._within


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


def _held(connection: Connection, process: Process) -> list[tuple[Table, Row[Any]]]:
    return [(jobs, row) for jobs in JOB_TABLES.values() for row in connection.execute(held_by(jobs, process))]


def _handed_back(connection: Connection, held: Sequence[tuple[Table, Row[Any], str]]) -> Iterator[HandedBack]:
    """Yield what these claims have become; with each comes why it was handed back."""
    for stage, jobs in JOB_TABLES.items():
        why = {row.id: reason for table, row, reason in held if table is jobs}
        for row in connection.execute(whose(stage, list(why))) if why else ():
            ids = (stage, row.id, row.attempt, row.run_id, row.key)
            yield HandedBack(*ids, State(row.state), why[row.id], why[row.id].endswith(UNRENEWED))


def _lost(connection: Connection, claimed: Select[Any], now: float) -> Iterator[tuple[Row[Any], str]]:
    """Yield those of these jobs that nobody works on any more, and why; each process is looked for once."""
    is_dead = cache(Process.is_dead)
    for row in connection.execute(claimed).all():
        last_words = why_lost(row, now, is_dead)
        if last_words is not None:
            yield row, last_words
