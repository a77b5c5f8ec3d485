"""The changes of state that the ledger makes, as values and statements; nothing here carries one out.

One place for each change, so that no column of it is forgotten where it is made.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Double,
    Insert,
    Row,
    Select,
    Table,
    Update,
    and_,
    bindparam,
    insert,
    literal,
    select,
    update,
)

from db.jobs import Claim, Claimant, Done
from db.owner import Owner, Process
from db.tables import ATTEMPTS_ALLOWED, State, edits, run_scorers, scores

BACK_OFF_SECONDS = 10
"""Wait before the second attempt of a job whose failure may pass; doubled for each further one, then spread."""

BACK_OFF_SPREAD = (0.5, 1.5)
"""A wait is multiplied by a number drawn from this range: what failed together does not come back together."""

GPU_WAIT_SECONDS = 30
"""Added to the wait of a job at which a GPU failed: by then the worker has shown itself at another job, or another one
takes this."""

LONGEST_BACK_OFF_SECONDS = BACK_OFF_SECONDS * 2 ** (ATTEMPTS_ALLOWED - 1) * BACK_OFF_SPREAD[1] + GPU_WAIT_SECONDS

UNCLAIMED = {"owner": None, "lease_until": None}
"""The values of a job that nobody holds."""


def ended(state: State, now: float) -> dict[str, Any]:
    """Return the values of a job that ends, whichever way."""
    return {"state": state, "finished_at": now, **UNCLAIMED}


def finished(jobs: Table, now: float) -> Update:
    """Return the statement that ends jobs with their results, to be executed with a `job_id` and `done_with` each."""
    return update(jobs).where(jobs.c.id == bindparam("job_id")).values(**ended(State.DONE, now))


def done_with(jobs: Table, done: Done) -> dict[str, Any]:
    """Return a result and what stands beside it."""
    return {
        "image" if jobs is edits else "value": done.result,
        "seconds": done.seconds,
        "detail": dict(done.detail) if done.detail else None,
        "environment": done.environment,
    }


def queue_scores(which: ColumnElement[bool], now: float, *, published_at: float | None = None) -> Insert:
    """Return the statement that enters one score per scorer of their run for each of these edits.

    In the order of the edits and of the scorers as they were asked for. `which` may speak of both.
    """
    queued = (
        select(
            edits.c.id.label("edit_id"),
            run_scorers.c.id.label("scorer_id"),
            literal(State.QUEUED.value).label("state"),
            literal(now).label("not_before"),
            literal(published_at, Double).label("published_at"),
        )
        .join(run_scorers, edits.c.run_id == run_scorers.c.run_id)
        .where(which)
        .order_by(edits.c.id, run_scorers.c.id)
    )
    return insert_all(scores, queued)


def insert_all(jobs: Table, chosen: Select[Any]) -> Insert:
    """Return the statement that enters what is selected, under the names that it is selected by."""
    return insert(jobs).from_select([column.name for column in chosen.selected_columns], chosen)


def asked_again(jobs: Table, now: float) -> dict[str, Any]:
    """Return the values of a job that had ended and is wanted once more, with as many attempts as at first."""
    return {
        "attempts_allowed": jobs.c.attempt + ATTEMPTS_ALLOWED,
        "state": State.QUEUED,
        "not_before": now,
        "published_at": None,
        "finished_at": None,
        "failure_kind": None,
        "failure_reason": None,
        "last_words": None,
        "detail": None,
    }


def claimed_by(jobs: Table, claimant: Claimant, now: float, lease_seconds: float) -> Update:
    """Return the statement that claims jobs; the caller says which."""
    return update(jobs).values(
        state=State.RUNNING,
        attempt=jobs.c.attempt + 1,
        owner=str(claimant.owner),
        worker=claimant.worker,
        lease_until=now + lease_seconds,
        started_at=now,
    )


def held_as(jobs: Table, owner: Owner) -> ColumnElement[bool]:
    """Return the condition that a job is claimed by this very owner."""
    return and_(jobs.c.state == State.RUNNING, jobs.c.owner == str(owner))


def held_by(jobs: Table, process: Process) -> Select[Any]:
    """Select and lock what this process has claimed, whatever the delivery."""
    beginning = f"{process}|"  # as owners are written
    return running(jobs).where(jobs.c.owner.startswith(beginning, autoescape=True)).with_for_update()


def running(jobs: Table) -> Select[Any]:
    """Select what is claimed, in the order of ids."""
    columns = (jobs.c.id, jobs.c.attempt, jobs.c.attempts_allowed, jobs.c.owner, jobs.c.worker, jobs.c.lease_until)
    return select(*columns).where(jobs.c.state == State.RUNNING).order_by(jobs.c.id)


def still_mine(jobs: Table, claim: Claim) -> ColumnElement[bool]:
    """Return the condition that the claim still counts: nobody has taken the job over or cancelled it."""
    return and_(jobs.c.id == claim.job_id, jobs.c.attempt == claim.attempt, jobs.c.state == State.RUNNING)


def still_running(jobs: Table, job_ids: Collection[int]) -> Select[Any]:
    """Select and lock those of these jobs that are claimed, by whomever, in the order of ids."""
    chosen = running(jobs).where(jobs.c.id.in_(job_ids))
    return chosen.with_only_columns(jobs.c.id, jobs.c.attempt).with_for_update()


def queue_again(jobs: Table, not_before: float | ColumnElement[float]) -> Update:
    """Return the statement that puts claimed jobs back, with a message owed; the caller says which."""
    return (
        update(jobs)
        .where(jobs.c.state == State.RUNNING)
        .values(state=State.QUEUED, not_before=not_before, published_at=None, **UNCLAIMED)
    )


def released(jobs: Table, now: float) -> Update:
    """Return the statement that puts claimed jobs back as if nobody had tried; the caller says which."""
    return queue_again(jobs, now).values(attempts_allowed=jobs.c.attempts_allowed + 1)


def back_off(jobs: Table) -> ColumnElement[float]:
    """Return the wait before the next attempt, in seconds and before it is spread.

    Counted by the attempts left, so that neither those that were released nor those before a retry lengthen it.
    """
    attempts_left = jobs.c.attempts_allowed - jobs.c.attempt
    return BACK_OFF_SECONDS * literal(1).bitwise_lshift(ATTEMPTS_ALLOWED - 1 - attempts_left)


@dataclass(frozen=True)
class Loss:
    """Why a claim ended without an outcome; `lease_expired`: all that is known is that nobody renewed it in time."""

    reason: str
    lease_expired: bool = False


def why_lost(row: Row[Any], now: float, is_dead: Callable[[Process], bool]) -> Loss | None:
    """Return why nobody works on a claimed job any more, None while somebody may."""
    owner = Owner.parse(row.owner)
    if owner.is_lost(is_dead):
        return Loss(f"process {owner.process.pid} of worker {row.worker} died")
    if row.lease_until <= now:
        return Loss(f"worker {row.worker} did not renew its lease", lease_expired=True)
    return None
