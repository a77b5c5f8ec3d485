"""The farm under the storm: its folder, servers, proxies and image store, and the environment its processes share."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import psutil
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from db.engine import open_engine
from tests.farm.postgres import Postgres
from tests.farm.proxy import Proxy
from tests.farm.servers import Broker
from tests.farm.storm.crew import Crew

ROOT = Path(__file__).parents[3]
LEASE_SECONDS = 5
GRACE_SECONDS = 3
_MARK = "FARM_UNDER_STORM"


@dataclass(frozen=True)
class Plan:
    """What one storm is."""

    database: str
    seed: int
    minutes: float
    workers: int = 6
    jobs: int = 120
    """Edits of one run."""
    only: tuple[str, ...] = ()
    """The faults to choose from; empty: all."""
    keep: bool = False
    """Keep the folder even if nothing was violated."""


@dataclass
class Scene:
    """Everything a fault may befall."""

    plan: Plan
    folder: Path
    broker: Broker
    broker_proxy: Proxy
    postgres: Postgres | None
    postgres_proxy: Proxy | None
    store: Store
    engine: Engine
    """To the ledger directly, past the proxy."""
    environment: dict[str, str]
    crew: Crew = field(init=False)

    def __post_init__(self) -> None:
        names = [f"storm-{number}" for number in range(self.plan.workers)]
        self.crew = Crew(names, self.environment, self.folder, Random(f"crew {self.plan.seed}"))

    @property
    def lock_file(self) -> Path:
        """The SQLite file."""
        return self.folder / "home" / "farm.db"

    def producer(self, *arguments: object, seconds: float = 120) -> subprocess.CompletedProcess[str]:
        """Run `python -m producer` to its end."""
        command = [sys.executable, "-m", "producer", *map(str, arguments)]
        return subprocess.run(
            command, env=self.environment, cwd=ROOT, capture_output=True, text=True, timeout=seconds, check=False
        )

    def running(self) -> dict[tuple[str, int], tuple[str, int]]:
        """Return worker and attempt of each job that runs, by stage and id; nothing while the database is away."""
        if self.postgres is not None and self.postgres.frozen:
            return {}
        of_stage = "SELECT '{0}', id, worker, attempt FROM {0}s WHERE state = 'running'"
        query = text(f"{of_stage.format('edit')} UNION ALL {of_stage.format('score')}")
        try:
            with self.engine.connect() as connection:
                rows = connection.execute(query).all()
        except DBAPIError:
            return {}
        return {(stage, job): (worker.partition("@")[0], attempt) for stage, job, worker, attempt in rows}

    def processes(self) -> list[psutil.Process]:
        """Return every living process that has this farm's environment, whoever its parent is now."""
        mark = self.environment[_MARK]
        return [process for process in psutil.process_iter() if _mark_of(process) == mark]


class Store:
    """The image store: a small file system of its own where that can be had, so that it can be full."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self.folder = folder
        self.folder.mkdir(mode=0o700)
        mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "tmpfs", str(folder)]
        self.mounted = _succeeds(mount)

    @property
    def can_fail(self) -> bool:
        """Tell whether it can be made to refuse images: root passes every file mode, so there it must be a mount."""
        return self.mounted or os.geteuid() != 0

    def refuse(self) -> None:
        """From now on nothing can be written: the file system is full, or the folders are read-only."""
        if self.mounted:
            with (self.folder / "filler").open("ab", buffering=0) as file:
                try:
                    while file.write(bytes(1 << 20)):
                        continue
                except OSError:  # full
                    return
        for folder in self._folders():
            folder.chmod(0o500)

    def accept(self) -> None:
        """Let images in again."""
        (self.folder / "filler").unlink(missing_ok=True)
        if not self.mounted:
            for folder in self._folders():
                folder.chmod(0o700)

    def close(self) -> None:
        """Turn it into a plain folder with the same content."""
        if self.mounted:
            kept = self.folder.with_name("images-kept")
            shutil.copytree(self.folder, kept)
            _succeeds(["umount", "--lazy", str(self.folder)])
            self.folder.rmdir()
            kept.rename(self.folder)

    def _folders(self) -> list[Path]:
        return [self.folder, *(path for path in self.folder.iterdir() if path.is_dir())]


@contextmanager
def open_scene(plan: Plan, folder: Path) -> Iterator[Scene]:
    """Start servers and proxies and make the ledger; nothing of it is left running, mounted or frozen afterwards."""
    with ExitStack() as stack:
        broker = stack.enter_context(Broker(folder / "broker"))
        broker_proxy = stack.enter_context(Proxy(broker.port))
        postgres = postgres_proxy = None
        direct = told = f"sqlite:///{folder / 'home' / 'farm.db'}"
        if plan.database == "postgresql":
            postgres = stack.enter_context(Postgres())
            stack.callback(_keep_postgres, postgres, folder)
            postgres_proxy = stack.enter_context(Proxy(postgres.port))
            direct, told = postgres.create("farm"), postgres.url_at(postgres_proxy.port, "farm")
        store = Store(folder / "images", megabytes=32 + round(8 * plan.minutes))
        stack.callback(store.close)
        engine = open_engine(direct)
        stack.callback(engine.dispose)
        environment = _environment(folder, broker.url_at(broker_proxy.port), told)
        scene = Scene(plan, folder, broker, broker_proxy, postgres, postgres_proxy, store, engine, environment)
        stack.callback(_end_processes, scene)
        yield scene


def _environment(folder: Path, broker_url: str, database_url: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FARM_")}
    return {
        **inherited,
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
        "CUDA_VISIBLE_DEVICES": "",
        "OMP_NUM_THREADS": "1",
        "FARM_HOME": str(folder / "home"),
        "FARM_IMAGES": str(folder / "images"),
        "FARM_BROKER_URL": broker_url,
        "FARM_DATABASE_URL": database_url,
        "FARM_LEASE_SECONDS": str(LEASE_SECONDS),
        "FARM_GRACE_SECONDS": str(GRACE_SECONDS),
        "FARM_LOG_FORMAT": "json",
        _MARK: str(folder),
    }


def _keep_postgres(postgres: Postgres, folder: Path) -> None:
    postgres.thaw()
    if postgres.answers():
        postgres.dump("farm", folder / "ledger.sql")
    shutil.copy(postgres.folder / "postgres.log", folder)


def _end_processes(scene: Scene) -> None:
    deadline = time.monotonic() + 20
    while (left := scene.processes()) and time.monotonic() < deadline:
        for process in left:
            _kill(process)
        time.sleep(0.1)


def _kill(process: psutil.Process) -> None:
    try:
        process.send_signal(signal.SIGKILL)
    except psutil.NoSuchProcess:
        return


def _mark_of(process: psutil.Process) -> str | None:
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        environment: dict[str, Any] = process.environ()
    except (psutil.Error, OSError):
        return None
    return environment.get(_MARK)


def _succeeds(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0
    except OSError:  # there is no such program
        return False
