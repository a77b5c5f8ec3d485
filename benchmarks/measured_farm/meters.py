"""What a broker and a PostgreSQL were asked to do, read from their own counters before and after."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import redis
from sqlalchemy import text

from benchmarks.measured_farm.farm import Farm
from benchmarks.measured_farm.processes import cpu_seconds

SETTLE_SECONDS = 1.5
"""A PostgreSQL process tells of what it did once a second."""


@dataclass(frozen=True)
class Load:
    """What was asked in so many seconds."""

    seconds: float
    broker_commands: float
    broker_bytes: float
    transactions: float
    wal_bytes: float
    broker_cores: float = 0.0
    database_cores: float = 0.0
    """Seconds that these computed."""

    def per(self, many: float) -> dict[str, float]:
        """Return each count for one of so many: jobs, or seconds."""
        counts = {name: value for name, value in vars(self).items() if name != "seconds"}
        return {name: value / many for name, value in counts.items()}


class Meters:
    """Both servers' counters since they were read last."""

    def __init__(self, farm: Farm) -> None:
        self._farm = farm
        self._broker = redis.Redis.from_url(farm.broker_url)
        self._engine = farm.engine
        self._last = self._read()

    def start(self) -> None:
        """Count from now on."""
        self._last = self._read()

    def load(self) -> Load:
        """Return what was asked since the start."""
        now = self._read()
        return Load(**{name: value - self._last[name] for name, value in now.items()})

    def connections(self) -> int:
        """Return how many connections the database has open now, ours left out."""
        ours = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        return int(self._ask(ours))

    def table_bytes(self, table: str) -> int:
        """Return what a table takes on disk, its indexes included."""
        return int(self._ask(f"SELECT pg_total_relation_size('{table}')"))

    def pack(self) -> None:
        """Have the database write its tables anew, without what was deleted or changed."""
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM FULL"))

    def close(self) -> None:
        """End the connection to the broker."""
        self._broker.close()

    def _read(self) -> dict[str, float]:
        time.sleep(SETTLE_SECONDS)
        told: Mapping[str, Any] = self._broker.info("stats")
        counted = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"
        return {
            "seconds": time.monotonic(),
            "broker_commands": float(told["total_commands_processed"]),
            "broker_bytes": float(told["total_net_input_bytes"] + told["total_net_output_bytes"]),
            "transactions": self._ask(counted),
            "wal_bytes": self._ask("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"),
            "broker_cores": cpu_seconds([self._farm.broker_pid]),
            "database_cores": cpu_seconds([pid for pid in [self._farm.database_pid] if pid is not None]),
        }

    def _ask(self, query: str) -> float:
        with self._engine.connect() as connection:
            return float(connection.scalar(text(query)) or 0)
