"""The messages that wake workers: which the ledger owes, and sending them.

A job's `published_at` says when its message was last sent; null: one is owed. It is marked before the sending: who
cannot send owes it again, who dies in between is covered by `owe_lost`. A message too many costs a millisecond.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import ColumnElement, Table, and_, func, select, update

from db.jobs import Doorbell
from db.ledger import Ledger
from db.tables import JOB_TABLES, Stage, State
from db.to_do import doorbells_for, ids_in_order, may_start

AT_ONCE = 1000
"""How many messages are marked as sent in one transaction, before they are sent."""

ENOUGH = 128
"""So many messages may wait in a queue: each wakes a worker, which goes on as long as there is something to do. Others
stay owed until it is shorter."""

QUIET_SECONDS = 15
"""A message that was sent longer ago than this may count as lost, if the queue is too short to hold it."""

Send = Callable[[Doorbell], None]


def ring_owed(ledger: Ledger, send: Send, waiting: Mapping[Stage, int] | None = None) -> int:
    """Send the messages that are owed now, as many as their queues have room for; return how many.

    `waiting` tells how many messages each queue holds; none where nothing is said.
    """
    count = 0
    for stage in Stage:
        room = ENOUGH - (waiting or {}).get(stage, 0)
        doorbells = take_owed(ledger, stage, room) if room > 0 else []
        ring(ledger, doorbells, send)
        count += len(doorbells)
    return count


def ring(ledger: Ledger, doorbells: Sequence[Doorbell], send: Send) -> None:
    """Send these messages in their order. When one fails, it and those behind it are owed again; the error goes on."""
    for sent, doorbell in enumerate(doorbells):
        try:
            send(doorbell)
        except BaseException:
            owe_again(ledger, doorbells[sent:])
            raise


def take_owed(ledger: Ledger, stage: Stage, limit: int = AT_ONCE) -> list[Doorbell]:
    """Return messages that are owed for jobs that may start now, `limit` at most, marked as sent."""
    jobs = JOB_TABLES[stage]
    if not _owes(ledger, jobs):
        return []
    with ledger.write() as (connection, now):
        owed = select(jobs.c.id).where(_is_owed(jobs, now)).order_by(jobs.c.id).limit(limit)
        job_ids = connection.scalars(owed.with_for_update(skip_locked=True)).all()
        connection.execute(update(jobs).where(jobs.c.id.in_(job_ids)).values(published_at=now))
        return doorbells_for(connection, stage, jobs.c.id.in_(job_ids))


def owe_again(ledger: Ledger, doorbells: Sequence[Doorbell]) -> None:
    """Take back that these messages were sent."""
    with ledger.write() as (connection, _):
        for doorbell in doorbells:
            jobs = JOB_TABLES[doorbell.stage]
            connection.execute(update(jobs).where(jobs.c.id == doorbell.job_id).values(published_at=None))


def owe_lost(ledger: Ledger, stage: Stage, messages_in_queue: int) -> int:
    """Owe again what must be lost: more announced jobs wait than the broker holds messages. Return how many.

    Only jobs announced more than QUIET_SECONDS ago count, so a backlog that the queue holds is left alone.
    """
    jobs = JOB_TABLES[stage]
    with ledger.read() as (connection, now):
        waiting = connection.scalar(select(func.count()).select_from(jobs).where(_is_announced(jobs, now))) or 0
    if waiting <= messages_in_queue:
        return 0
    with ledger.write() as (connection, now):
        silent = (
            select(jobs.c.id)
            .where(_is_announced(jobs, now), jobs.c.published_at < now - QUIET_SECONDS)
            .order_by(jobs.c.published_at)
            .limit(waiting - messages_in_queue)
        )
        job_ids, owed = sorted(connection.scalars(silent)), 0
        for start in range(0, len(job_ids), AT_ONCE):  # locked in the order of ids, then changed by their numbers
            some = and_(jobs.c.id.in_(job_ids[start : start + AT_ONCE]), jobs.c.state == State.QUEUED)
            locked = connection.scalars(ids_in_order(jobs, some)).all()
            owed += connection.execute(update(jobs).where(jobs.c.id.in_(locked)).values(published_at=None)).rowcount
        return owed


def _owes(ledger: Ledger, jobs: Table) -> bool:
    """Tell whether a message is owed; looked at without a lock, because mostly none is."""
    with ledger.read() as (connection, now):
        return connection.scalar(select(jobs.c.id).where(_is_owed(jobs, now)).limit(1)) is not None


def _is_owed(jobs: Table, now: float) -> ColumnElement[bool]:
    return and_(may_start(jobs, now), jobs.c.published_at.is_(None))


def _is_announced(jobs: Table, now: float) -> ColumnElement[bool]:
    return and_(may_start(jobs, now), jobs.c.published_at.is_not(None))
