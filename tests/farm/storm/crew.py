"""The workers of a storm: each by its own command, started again as an init system would."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import psutil

from db.child import start_child
from tests.farm.conftest import pool_child_of

QUEUES = "edit,score"


@dataclass(frozen=True)
class Death:
    """A worker ended that nobody had killed or told to end."""

    worker: str
    exit_code: int
    at: float


@dataclass
class CrewWorker:
    """One place in the crew, and the process that fills it."""

    name: str
    process: subprocess.Popen[bytes] | None = None
    start_at: float = 0.0
    struck: bool = False
    """Its end is the storm's doing."""

    def parent(self) -> psutil.Process:
        """Return the worker's process. Raises psutil.NoSuchProcess."""
        if self.process is None or self.process.poll() is not None:
            raise psutil.NoSuchProcess(0, self.name)
        return psutil.Process(self.process.pid)

    def pool_child(self) -> psutil.Process:
        """Return the process that does the jobs. Raises psutil.NoSuchProcess."""
        return pool_child_of(self.parent())

    def tree(self) -> list[psutil.Process]:
        """Return the worker's process and all below it. Raises psutil.NoSuchProcess."""
        parent = self.parent()
        return [parent, *parent.children(recursive=True)]


def described(worker: CrewWorker) -> str:
    """Return what the processes of a worker are at: states, connections and, where there is a `py-spy`, code."""
    try:
        return "\n".join(_described(process) for process in worker.tree())
    except psutil.Error as error:
        return f"{worker.name}: {error}"


def _described(process: psutil.Process) -> str:
    connections = [f"{one.laddr.port}->{one.raddr.port} {one.status}" for one in process.net_connections() if one.raddr]
    lines = [f"{process.pid} {process.status()} {' '.join(process.cmdline()[:4])} connections {connections}"]
    if (spy := shutil.which("py-spy")) is not None:
        seen = subprocess.run([spy, "dump", "--pid", str(process.pid)], capture_output=True, text=True, check=False)
        lines.append(seen.stdout)
    return "\n".join(lines)


class Crew:
    """Keeps its workers alive from `look` to `look`; all from one thread, with which they would die."""

    def __init__(self, names: Sequence[str], environment: Mapping[str, str], logs: Path, random: Random) -> None:
        self.workers = [CrewWorker(name) for name in names]
        self.deaths: list[Death] = []
        self.starts = 0
        self._environment = environment
        self._logs = logs
        self._random = random

    def look(self) -> None:
        """Start again, 0.5 to 2 s after their death, those that died."""
        now = time.monotonic()
        for worker in self.workers:
            if worker.process is not None and (code := worker.process.poll()) is not None:
                if not worker.struck:
                    self.deaths.append(Death(worker.name, code, time.time()))
                worker.process, worker.struck = None, False
                worker.start_at = now + self._random.uniform(0.5, 2)
            if worker.process is None and now >= worker.start_at:
                self._start(worker)

    def end(self, seconds: float) -> list[str]:
        """Tell all to end and wait so long; kill those that did not, and return what they are at instead."""
        for worker in self.workers:
            if worker.process is not None:
                worker.process.terminate()
        deadline = time.monotonic() + seconds
        late = []
        for worker in self.workers:
            if worker.process is None:
                continue
            try:
                worker.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                late.append(f"{worker.name}:\n{described(worker)}")
                worker.process.kill()
                worker.process.wait()
        return late

    def logs(self) -> list[Path]:
        """Return the log of each worker."""
        return [self._log_of(worker) for worker in self.workers]

    def _start(self, worker: CrewWorker) -> None:
        command = [sys.executable, "-m", "workers.worker", worker.name, QUEUES]
        with self._log_of(worker).open("ab") as output:
            worker.process = start_child(command, environment=self._environment, output=output)
        self.starts += 1

    def _log_of(self, worker: CrewWorker) -> Path:
        return self._logs / f"{worker.name}.log"
