"""A whole farm under test: real worker processes, the real command line, a real broker and database."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis
from celery import Celery
from kombu.exceptions import OperationalError
from sqlalchemy import Engine

from db.engine import open_engine
from tests.farm.servers import Broker

ROOT = Path(__file__).parents[2]
LEASE_SECONDS = 5
"""Of every farm under test: the least there may be."""

READY_SECONDS = 40
RUN_SECONDS = 280


class FarmUnderTest:
    """Processes that share one FARM_HOME, broker and database; all of them are gone when the test ends."""

    def __init__(self, folder: Path, broker_url: str | None, database_url: str | None) -> None:
        self.folder = folder
        self.home = folder / "farm"
        self.database_url = database_url or f"sqlite:///{self.home / 'farm.db'}"
        settings = {"FARM_HOME": str(self.home), "FARM_BROKER_URL": broker_url, "FARM_DATABASE_URL": database_url}
        self.environment = {
            **{name: value for name, value in os.environ.items() if name != "CUDA_VISIBLE_DEVICES"},
            **{name: value for name, value in settings.items() if value is not None},
            "PYTHONWARNINGS": "ignore",
            "FARM_LEASE_SECONDS": str(LEASE_SECONDS),
            "OMP_NUM_THREADS": "1",  # workers and other tests share the cores: more threads only wait for one another
        }
        self.processes: list[subprocess.Popen[bytes]] = []

    def producer(self, *arguments: object, code: int = 0) -> str:
        """Run `python -m producer` to its end; return its stdout."""
        done = subprocess.run(
            [sys.executable, "-m", "producer", *map(str, arguments)],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
        )
        assert done.returncode == code, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}\n{self.logs()}"
        return done.stdout

    def start(self, *command: str, log: str = "process", **environment: str) -> subprocess.Popen[bytes]:
        """Start a process of the farm; its output goes to a log file."""
        with (self.folder / f"{log}.log").open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, *command],
                env={**self.environment, **environment},
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def worker(self, queues: str, *flags: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start the card's `celery -A workers worker -Q ...`."""
        command = ("-m", "celery", "-A", "workers", "worker", "-l", "INFO", "-Q", queues, *flags)
        return self.start(*command, log=f"worker-{queues}", **environment)

    def farm(self, *flags: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start `python -m workers`."""
        return self.start("-m", "workers", *flags, log="farm", **environment)

    def report(self, run: str) -> dict[str, Any]:
        """Return the run's report as data."""
        return dict(json.loads(self.producer("report", run, "--json")))

    def engine(self) -> Engine:
        """Return an engine on the farm's ledger."""
        return open_engine(self.database_url)

    def logs(self) -> str:
        """Return the end of every log, for the message of a failed assertion."""
        files = [*self.folder.glob("*.log"), *self.home.glob("logs/*.log")]
        return "\n".join(f"--- {file.name}\n{file.read_text(errors='replace')[-3000:]}" for file in files)

    def end(self) -> None:
        """Kill whatever still runs."""
        for process in self.processes:
            for victim in [*children_of(process), process]:
                try:
                    victim.send_signal(signal.SIGKILL)
                except (psutil.NoSuchProcess, ProcessLookupError):
                    continue
            process.wait(10)


FarmAt = Callable[..., FarmUnderTest]


def children_of(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """Return all living descendants."""
    try:
        return list(psutil.Process(process.pid).children(recursive=True))
    except psutil.NoSuchProcess:
        return []


def worker_parents(supervisor: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """Return the parent process of each worker of a `python -m workers`."""
    return list(psutil.Process(supervisor.pid).children())


def pool_child_of(parent: psutil.Process) -> psutil.Process:
    """Return the process of this worker that holds the model. Raises psutil.NoSuchProcess while there is none."""
    for child in parent.children():
        if not any("semaphore_tracker" in word for word in _command_of(child)):  # beside a child that was spawned
            return child
    raise psutil.NoSuchProcess(0, f"pool child of {parent.pid}")


def _command_of(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:  # it has just ended
        return []


def eventually(condition: Callable[[], Any], *, seconds: float = READY_SECONDS, farm: FarmUnderTest) -> Any:
    """Wait until the condition holds and return what it returned; fail with the logs when it does not in time."""
    deadline = time.monotonic() + seconds
    while not (held := condition()):
        assert time.monotonic() < deadline, f"did not come true in {seconds} s\n{farm.logs()}"
        time.sleep(0.1)
    return held


def ready_workers(farm: FarmUnderTest, most: int = 1) -> Mapping[str, Any]:
    """Return the workers that answer a ping, by name; once so many have answered, no others are waited for."""
    app = Celery("probe", broker=farm.environment["FARM_BROKER_URL"], set_as_current=False)
    try:
        return dict(app.control.inspect(timeout=1, limit=most).ping() or {})
    except (OperationalError, redis.RedisError):
        return {}
    finally:
        app.close()


@pytest.fixture
def farm_at(tmp_path: Path) -> Iterator[FarmAt]:
    """Makes a farm at a broker and a database; None: the embedded broker, SQLite."""
    made: list[FarmUnderTest] = []

    def make(broker_url: str | None, database_url: str | None = None) -> FarmUnderTest:
        made.append(FarmUnderTest(tmp_path, broker_url, database_url))
        return made[-1]

    yield make
    for one in made:
        one.end()


@pytest.fixture
def farm(farm_at: FarmAt, broker_url: str) -> FarmUnderTest:
    """A farm on SQLite and the external server."""
    return farm_at(broker_url)


@pytest.fixture
def farm_on_each_database(farm_at: FarmAt, broker_url: str, database_url: str) -> FarmUnderTest:
    """A farm on the external server, once on each database."""
    return farm_at(broker_url, database_url)


@pytest.fixture
def bare_farm(farm_at: FarmAt) -> FarmUnderTest:
    """A farm with nothing set: SQLite, and no broker but the embedded one."""
    return farm_at(None)


@pytest.fixture
def lasting_broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker of this test's own that keeps its data; it may be killed."""
    with Broker(tmp_path / "broker") as server:
        yield server
