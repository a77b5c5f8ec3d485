"""Which workers there are and how they are, by their own word; read by `status`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, and_, delete, func, insert, or_, select, update

from db.engine import database_clock, reading, transaction
from db.owner import Process
from db.tables import Health, Stage, workers

SILENT_SECONDS = 60.0
"""A worker that has said nothing for so long is taken to be gone."""

FORGOTTEN_SECONDS = 24 * 3600.0
"""After so long its entry goes: in a container, or named by its process, no worker of that name may ever come again."""


@dataclass(frozen=True)
class Present:
    """A worker as it last spoke, `seconds_ago`; `since` is when its health became what it is.

    `stage` and `run_id` say what it serves, None until its first job; `idle`: it found nothing to do there, and waits.
    """

    name: str
    process: Process
    gpu: str
    health: Health
    reason: str | None
    since: float
    seconds_ago: float
    stage: Stage | None
    run_id: str | None
    idle: bool

    @property
    def silent(self) -> bool:
        """Whether it has said nothing for longer than it would if it lived."""
        return self.seconds_ago > SILENT_SECONDS

    @property
    def lives_here(self) -> bool:
        """Whether its process is seen to live on this host."""
        return self.process.is_here() and not self.process.is_dead()


def enter_worker(engine: Engine, name: str, process: Process, gpu: str, stages: Iterable[str] = ()) -> None:
    """Say that this worker serves these stages; whatever another worker of that name said before is forgotten.

    So is who has been silent for a day.
    """
    with transaction(engine) as connection:
        now = database_clock(connection)
        before_me = and_(workers.c.name == name, workers.c.process != str(process))
        connection.execute(delete(workers).where(or_(before_me, workers.c.seen_at < now - FORGOTTEN_SECONDS)))
        if connection.scalar(select(workers.c.name).where(workers.c.name == name)) is not None:
            return  # its child was faster
        connection.execute(
            insert(workers).values(
                name=name,
                process=str(process),
                gpu=gpu,
                health=Health.SERVING,
                since=now,
                seen_at=now,
                stages=",".join(sorted(stages)),
            )
        )


def worker_lives(engine: Engine, name: str, process: Process, within: float) -> int:
    """Say that this worker is still there; return how many have said so within so many seconds.

    0 where this one has been forgotten: it has to be entered again.
    """
    with transaction(engine) as connection:
        now = database_clock(connection)
        mine = update(workers).where(workers.c.name == name, workers.c.process == str(process))
        if not connection.execute(mine.values(seen_at=now)).rowcount:
            return 0
        lately = select(func.count()).select_from(workers).where(workers.c.seen_at > now - within)
        return connection.scalar(lately) or 0


def worker_is_sick(engine: Engine, name: str, process: Process, reason: str) -> None:
    """Say that this worker takes no more jobs, and why."""
    with transaction(engine) as connection:
        now = database_clock(connection)
        mine = update(workers).where(workers.c.name == name, workers.c.process == str(process))
        connection.execute(mine.values(health=Health.SICK, reason=reason, since=now, seen_at=now))


def worker_leaves(engine: Engine, name: str, process: Process) -> None:
    """Say that this worker ends, unless another has taken its name."""
    with transaction(engine) as connection:
        connection.execute(delete(workers).where(workers.c.name == name, workers.c.process == str(process)))


def present_workers(engine: Engine) -> list[Present]:
    """Return every worker that has not said that it ends, by name."""
    with reading(engine) as connection:
        now = database_clock(connection)
        return [
            Present(
                name=row.name,
                process=Process.parse(row.process),
                gpu=row.gpu,
                health=Health(row.health),
                reason=row.reason,
                since=row.since,
                seconds_ago=max(0.0, now - row.seen_at),
                stage=Stage(row.stage) if row.stage else None,
                run_id=row.run_id,
                idle=row.idle,
            )
            for row in connection.execute(select(workers).order_by(workers.c.name))
        ]


def sick_workers(present: Sequence[Present]) -> list[Present]:
    """Return the workers that take no jobs because their GPU fails, of those that live."""
    return [worker for worker in present if worker.health is Health.SICK and not worker.silent]


def all_are_sick(present: Sequence[Present]) -> bool:
    """Tell whether there are workers, and none that lives takes jobs."""
    living = [worker for worker in present if not worker.silent]
    return bool(living) and all(worker.health is Health.SICK for worker in living)
