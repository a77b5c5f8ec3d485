"""Where each worker sits: which stage and which run it serves, how fast, and when it is free again.

Said by its pool child with every job that it takes, read by all others before they take theirs.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from db.ledger import Ledger
from db.owner import Process
from db.tables import Health, Stage, workers

FASTEST, SLOWEST = 10.0, 0.1
"""A pace beyond these is taken for an error of measurement."""

GONE_SECONDS = 15.0
"""Whoever has not been heard of for so long is not counted on: a worker speaks every five seconds."""

TURN_SECONDS, TURN_TRIES = 1.0, 50
"""How long a worker waits for its turn to change seats, and how often it looks meanwhile."""

_SEAT_LOCK = 0x73656174  # any fixed number; PostgreSQL's advisory locks are named by one


@dataclass(frozen=True)
class Seat:
    """A worker among the others. `stage` and `run_id` are None until it took its first job; `ready_in` in seconds."""

    name: str
    stages: frozenset[Stage]
    stage: Stage | None = None
    run_id: str | None = None
    ready_in: float = 0.0
    idle: bool = False
    pace: float = 1.0


def living_seats(connection: Connection, now: float) -> list[Seat]:
    """Return the seats of all workers that live and take jobs, by name."""
    living = (workers.c.health == Health.SERVING, workers.c.seen_at > now - GONE_SECONDS)
    return [
        Seat(
            name=row.name,
            stages=frozenset(Stage(stage) for stage in row.stages.split(",") if stage),
            stage=Stage(row.stage) if row.stage else None,
            run_id=row.run_id,
            ready_in=max(0.0, row.ready_at - now) if row.ready_at is not None else 0.0,
            idle=row.idle,
            pace=row.pace,
        )
        for row in connection.execute(select(workers).where(*living).order_by(workers.c.name))
        if not Process.parse(row.process).is_dead()
    ]


def take_seat(connection: Connection, now: float, seat: Seat, parent: Process, gpu: str) -> None:
    """Say where this worker sits now; its first word may come before its parent's."""
    said = {
        "stage": seat.stage,
        "run_id": seat.run_id,
        "ready_at": now + seat.ready_in,
        "idle": seat.idle,
        "pace": seat.pace,
        "stages": ",".join(sorted(seat.stages)),
    }
    mine = update(workers).where(workers.c.name == seat.name)
    if connection.execute(mine.values(said)).rowcount:
        return
    first = {"process": str(parent), "gpu": gpu, "health": Health.SERVING, "since": now, "seen_at": now}
    with suppress(IntegrityError), connection.begin_nested():  # its parent may be entering it
        connection.execute(insert(workers).values(name=seat.name, **first))
    connection.execute(mine.values(said))


@contextmanager
def one_at_a_time(ledger: Ledger) -> Iterator[tuple[Connection, float]]:
    """Open a transaction in which nobody else changes seats: each sees what the one before it has decided.

    Who does not get its turn for a while goes on without: a worker that froze in its own must not hold up all others.
    """
    with ledger.write() as (connection, now):
        if connection.dialect.name == "postgresql":
            for _ in range(TURN_TRIES):
                if connection.scalar(select(func.pg_try_advisory_xact_lock(_SEAT_LOCK))):
                    break
                time.sleep(TURN_SECONDS / TURN_TRIES)
        yield connection, now
