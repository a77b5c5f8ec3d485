"""The database and the ledger in it, as they are: read once each, and never made, migrated or written."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, exists, func, or_, select, text

from db.catalogue import Role
from db.choice import ModelChoice
from db.doorbells import QUIET_SECONDS
from db.engine import address_of, database_clock, open_as_it_is, reading
from db.presence import Present, present_workers
from db.schema import schema_version
from db.settings import Settings
from db.tables import JOB_TABLES, OPEN_STATES, SCHEMA_VERSION, Stage, State, edits, run_scorers, runs, scores
from db.to_do import may_start
from producer.doctor.clocks import ClockReading, clock_reading
from producer.doctor.finding import Unseen

LATE_SECONDS = 4.0 * QUIET_SECONDS
"""A lease that ran out, or a message that is owed, for longer than this is in nobody's hands."""

_OF_POSTGRESQL = (
    *("max_connections", "superuser_reserved_connections", "reserved_connections"),
    *("fsync", "full_page_writes", "synchronous_commit", "transaction_read_only"),
)


@dataclass(frozen=True)
class Database:
    """A database that answered. `file`: SQLite's; `settings`: PostgreSQL's, by name, and its sessions in use."""

    engine: Engine
    address: str
    file: Path | None
    version: str
    schema: str | None
    clock: ClockReading
    settings: Mapping[str, str]
    sessions: int = 0

    @property
    def name(self) -> str:
        """What it is, with its version."""
        return f"{'SQLite' if self.file is not None else 'PostgreSQL'} {self.version}"


@dataclass(frozen=True)
class LedgerSight:
    """What the ledger says of workers and work; `models` are those of every run that is not finished."""

    workers: Sequence[Present]
    waiting: Mapping[Stage, int]
    expired: int
    owed: Mapping[Stage, int]
    models: Sequence[tuple[Role, ModelChoice]]

    @property
    def living(self) -> list[Present]:
        """The workers that have spoken lately."""
        return [worker for worker in self.workers if not worker.silent]

    @property
    def hosts(self) -> list[str]:
        """The hosts that they are on."""
        return sorted({worker.process.host for worker in self.living})


class NoDatabaseYet(Exception):
    """SQLite's file is not there, which whoever comes first will make."""


def read_database(settings: Settings) -> Database:
    """Connect and ask. Raises WrongCall, NoDatabaseYet, or what the database raises."""
    address, file = address_of(settings.database)
    if file is not None and not str(file).startswith("file:") and not file.exists():
        raise NoDatabaseYet(str(file))
    engine = open_as_it_is(settings.database)
    with reading(engine) as connection:
        before = time.time()
        clock = clock_reading(before, database_clock(connection), time.time())
        told = {} if file is not None else _settings_of_postgresql(connection)
        return Database(
            engine=engine,
            address=address,
            file=file,
            version=".".join(map(str, connection.dialect.server_version_info or ())),
            schema=schema_version(connection),
            clock=clock,
            settings=told,
            sessions=0 if file is not None else _sessions(connection),
        )


def read_ledger(database: Database) -> LedgerSight:
    """Ask the ledger. Raises Unseen where its schema is not the one that is known here."""
    if database.schema != SCHEMA_VERSION:
        raise Unseen
    present = present_workers(database.engine)
    with reading(database.engine) as connection:
        now = database_clock(connection)
        return LedgerSight(
            workers=present,
            waiting={stage: _count(connection, jobs, may_start(jobs, now)) for stage, jobs in JOB_TABLES.items()},
            expired=sum(
                _count(connection, jobs, (jobs.c.state == State.RUNNING) & (jobs.c.lease_until < now - LATE_SECONDS))
                for jobs in JOB_TABLES.values()
            ),
            owed={
                stage: _count(connection, jobs, may_start(jobs, now - LATE_SECONDS) & jobs.c.published_at.is_(None))
                for stage, jobs in JOB_TABLES.items()
            },
            models=_models(connection),
        )


def _settings_of_postgresql(connection: Connection) -> dict[str, str]:
    asked = select(text("name, setting")).select_from(text("pg_settings")).where(text("name = ANY(:names)"))
    return {row.name: row.setting for row in connection.execute(asked, {"names": list(_OF_POSTGRESQL)})}


def _sessions(connection: Connection) -> int:
    asked = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
    return int(connection.scalar(text(asked)) or 0)


def _count(connection: Connection, jobs: Table, condition: Any) -> int:
    return connection.scalar(select(func.count()).select_from(jobs).where(condition)) or 0


def _models(connection: Connection) -> list[tuple[Role, ModelChoice]]:
    """Return the editors of runs with open edits, and the scorers of all that are not finished, each once."""
    to_edit = exists().where(edits.c.run_id == runs.c.id, edits.c.state.in_(OPEN_STATES))
    to_score = exists().where(
        run_scorers.c.run_id == runs.c.id, scores.c.scorer_id == run_scorers.c.id, scores.c.state.in_(OPEN_STATES)
    )
    found: dict[str, tuple[Role, ModelChoice]] = {}
    for configuration, edits_are_open in connection.execute(
        select(runs.c.configuration, to_edit).where(or_(to_edit, to_score))
    ):
        named = [(Role.EDITOR, configuration["editor"])] if edits_are_open else []
        for role, one in [*named, *((Role.SCORER, scorer) for scorer in configuration["scorers"])]:
            choice = ModelChoice(name=one["name"], label=one["label"], options=one["options"])
            found[f"{role} {choice}"] = (role, choice)
    return list(found.values())
