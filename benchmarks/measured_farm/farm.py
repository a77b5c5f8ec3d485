"""A farm of our own to measure: a broker, a ledger, the command line and worker processes, all of them real.

It has a folder of its own, of which nothing is left afterwards. What its models do, and what is measured, is told by
others.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Engine

from benchmarks.drawn_work.workload import Card
from benchmarks.figures.outcome import Fell
from benchmarks.measured_farm.databases import SQLITE, open_database
from benchmarks.measured_farm.processes import Process, Spent, cpu_seconds, end, family_of, run_watched, wait_until
from benchmarks.measured_farm.timed import install_timed_models
from db.broker import endpoint_file
from db.engine import open_engine
from db.presence import present_workers
from db.queries import progress_of
from db.settings import settings
from producer.broker import embedded_broker

ROOT = Path(__file__).parents[2]
START_SECONDS = 120.0
SUBMIT_SECONDS = 900.0
LOOK_SECONDS = 0.05

QUIET_CORES, QUIET_SECONDS = 0.2, 0.5
"""Workers that together use no more than this, for so long, have started up."""


@dataclass
class Farm:
    """One FARM_HOME with its broker; `environment` is that of all its processes."""

    folder: Path
    environment: Mapping[str, str]
    broker_url: str
    engine: Engine
    database_pid: int | None = None

    @property
    def broker_pid(self) -> int:
        """The number of the broker's process."""
        return int(json.loads(endpoint_file().read_text())["pid"])

    def submit_command(self, benchmark: Path, *flags: str) -> list[str]:
        """Return the command that submits a benchmark; what a run before it has made does not count for it."""
        return [sys.executable, "-m", "producer", "submit", str(benchmark), "--fresh", *flags]

    def submit(self, benchmark: Path, *flags: str) -> Spent:
        """Submit a benchmark; the output is the run's id. Raises Fell."""
        command = self.submit_command(benchmark, *flags)
        return run_watched(command, environment=self.environment, folder=ROOT, timeout=SUBMIT_SECONDS)

    def await_end(self, run_ids: Sequence[str], seconds: float, *, every: float = LOOK_SECONDS) -> None:
        """Wait until no job of these runs waits or runs. Raises Fell after so many seconds."""
        wait_until(
            lambda: all(progress_of(self.engine, run).finished for run in run_ids), seconds, "the end", every=every
        )

    @contextmanager
    def workers(self, cards: Sequence[Card], queues: Sequence[str] = ("edit,score",)) -> Iterator[list[Process]]:
        """Run a worker for each card until the block ends; it begins when all of them are up and at rest.

        They serve these queues in turns.
        """
        processes: list[Process] = []
        try:
            processes.extend(
                self._start(number, card, queues[number % len(queues)]) for number, card in enumerate(cards)
            )
            wait_until(lambda: self._are_ready(processes), START_SECONDS, "the workers")
            yield processes
        finally:
            end(processes)

    def _are_ready(self, processes: Sequence[Process]) -> bool:
        """Tell whether every worker is there, has its child and is at rest. Raises Fell when one has ended."""
        for number, process in enumerate(processes):
            if process.poll() is not None:
                said = self.log(number).read_text(encoding="utf-8").splitlines()[-1:]
                raise Fell(f"a worker ended while it started up: {''.join(said)[-200:]}")
        if len(present_workers(self.engine)) < len(processes):
            return False
        pids = [process.pid for process in processes]
        return all(len(family_of(pid)) > 1 for pid in pids) and _use_little(pids)

    def log(self, number: int) -> Path:
        """Return where the worker of that number writes."""
        return self.folder / f"w{number}.log"

    def _start(self, number: int, card: Card, queues: str) -> Process:
        command = ("workers.worker", f"w{number}", queues)
        return self._process(command, self.log(number), SIMULATED_PACE=str(card.pace))

    @contextmanager
    def running(self, *module: str) -> Iterator[Process]:
        """Run `python -m ...` until the block ends, whatever workers it starts."""
        process = self._process(module, self.folder / "farm.log")
        try:
            yield process
        finally:
            end([process])

    def all_there(self, process: Process, count: int) -> bool:
        """Tell whether so many workers of that command have said that they are there, and each has children."""
        parents, with_children = self.parents(), {one.ppid() for one in family_of(process.pid)}
        return len(parents) == count and with_children.issuperset(parents)

    def parents(self) -> list[int]:
        """Return the number of each worker's parent process, by its own word."""
        return [worker.process.pid for worker in present_workers(self.engine)]

    def _process(self, module: Sequence[str], log: Path, **environment: str) -> Process:
        with log.open("wb") as output:
            return subprocess.Popen(
                [sys.executable, "-m", *module],
                env={**self.environment, **environment},
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )


@contextmanager
def open_farm(database: str = SQLITE, **settings_given: Any) -> Iterator[Farm]:
    """Yield a farm in a temporary folder, its broker running; settings by their names, without the prefix."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="editfarm-")))
        opened = stack.enter_context(open_database(database))
        given = {"home": folder / "farm", "log_format": "json", "loads_at_once": 64, "database_url": opened.url}
        ours = {
            f"FARM_{name.upper()}": str(value)
            for name, value in {**given, **settings_given}.items()
            if value is not None
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FARM_")}
        stack.enter_context(_settings(ours))
        broker_url = stack.enter_context(embedded_broker())
        engine = open_engine(settings().database)
        stack.callback(engine.dispose)
        paths = os.pathsep.join([str(install_timed_models(folder)), str(ROOT)])
        environment = {**kept, **ours, "OMP_NUM_THREADS": "1", "PYTHONPATH": paths}
        yield Farm(folder, environment, broker_url, engine, opened.pid)


def told(role: str, options: BaseModel) -> Iterator[str]:
    """Yield the flags that tell a model these options, where they are not the defaults."""
    for name, value in options.model_dump(mode="json", exclude_defaults=True).items():
        yield "--set"
        yield f"{role}.{name}={json.dumps(value)}"


@contextmanager
def _settings(ours: Mapping[str, str]) -> Iterator[None]:
    """Have these settings, and no others, in this process as well, where the broker is started from."""
    before = {name: value for name, value in os.environ.items() if name.startswith("FARM_")}
    _replace_settings(ours)
    try:
        yield
    finally:
        _replace_settings(before)


def _replace_settings(values: Mapping[str, str]) -> None:
    for name in [name for name in os.environ if name.startswith("FARM_")]:
        del os.environ[name]
    os.environ.update(values)
    settings.cache_clear()


def _use_little(pids: Sequence[int]) -> bool:
    """Tell whether all of these together do next to nothing for a while."""
    before, started = cpu_seconds(pids), time.monotonic()
    time.sleep(QUIET_SECONDS)
    return cpu_seconds(pids) - before < QUIET_CORES * (time.monotonic() - started)
