"""A folder to call the command line in, as a user would: real processes, with settings of their own."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis

from db.engine import open_engine
from db.ledger import Ledger

DEAD = "127.0.0.1:1"  # nobody listens there
FAR = "192.0.2.1"  # which documents use, and no host has
SECRET = "s3cr3t-Wort"


@dataclass(frozen=True)
class Finished:
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The one line that it ended with; there was nothing else."""
        assert self.out == ""
        assert "Traceback" not in self.err
        (line,) = self.err.splitlines()
        return line


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "producer", *map(str, arguments)]


class Shell:
    """A folder to call the command line in, with settings of its own."""

    def __init__(self, folder: Path, broker_url: str) -> None:
        self.folder = folder
        self.home = folder / "farm"
        self.broker = broker_url
        outer = {
            name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")
        }
        self.environment = {**outer, "FARM_HOME": str(self.home), "FARM_BROKER_URL": broker_url}

    def __call__(self, *arguments: str | Path, **settings: str) -> Finished:
        """Call the command line; `settings` are environment variables, an empty one counts as unset."""
        done = subprocess.run(
            command(*arguments),
            cwd=self.folder,
            env=self.environment | settings,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
        )
        return Finished(done.returncode, done.stdout.decode(), done.stderr.decode())

    def messages(self) -> dict[str, list[bytes]]:
        """Return what is in the lists of the broker."""
        with redis.Redis.from_url(self.broker) as client:
            lists = [key for key in client.scan_iter() if client.type(key) == b"list"]
            return {key.decode(): client.lrange(key, 0, -1) for key in lists}

    def rows(self) -> dict[str, int]:
        """Return how many rows each table of the ledger has."""
        tables = ("benchmarks", "samples", "runs", "edits", "scores")
        with sqlite3.connect(self.home / "farm.db") as connection:
            counts = {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}
        connection.close()
        return counts

    def images(self) -> list[Path]:
        """Return what is in the image store."""
        return [path for path in (self.home / "images").rglob("*") if path.is_file()]

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """Open the ledger that the commands see."""
        engine = open_engine(f"sqlite:///{self.home / 'farm.db'}")
        yield Ledger(engine)
        engine.dispose()
