"""Keeps a set of worker processes alive: starts them, starts again those that die, ends them gently.

Its own workers are forks of it: what all of them import is imported once, and kept in memory once.
"""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from types import FrameType

import structlog
from celery.utils.imports import symbol_by_name
from celery.utils.nodenames import gethostname, nodename
from celery.worker import WorkController
from celery.worker.consumer import Consumer

from db.child import Child, fork_child, may_fork, start_child
from db.errors import FarmError
from workers.app import app
from workers.worker import main as run_worker

log = structlog.get_logger()

POLL_SECONDS = 0.2
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 60.0
STEADY_SECONDS = 30.0
"""A worker that lived this long starts its back-off anew."""

LAST_WORD_SECONDS = 10.0
"""What a worker gets beyond its grace, which it keeps by itself, before it is killed."""

HOPELESS_STARTS = 4
"""When every worker died this often in a row without having been steady, the fault is not going to pass."""


_OF_A_PARENT = (
    "celery.apps.worker",
    "celery.app.control",
    "celery.worker.strategy",
    "workers.pool",
    "workers.broker.transport",
)
_OF_A_CHILD = (
    "workers.stint.outages",
    "workers.progress",
    "workers.resident",
    "workers.stint.sightings",
    "workers.stint.supply",
)
"""What `workers.stint.loop` imports, and most of what that imports, without Pillow."""


class WorkersKeepDying(FarmError):
    """No worker stays alive."""

    exit_code = 5


@dataclass
class WorkerProcess:
    """One worker to keep alive: how its process is begun, and how that went."""

    name: str
    begin: Callable[[], Child]
    process: Child | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    deaths_in_a_row: int = 0
    log: structlog.typing.FilteringBoundLogger = field(init=False)

    def __post_init__(self) -> None:
        self.log = log.bind(worker=self.name)

    def start(self, now: float) -> None:
        """Start the process."""
        self.process = self.begin()
        self.started_at = now
        self.log.info("worker.started", pid=self.process.pid)

    def look(self, now: float) -> None:
        """Start the process when it is time, and set that time when it has died."""
        if self.process is None:
            if now >= self.start_at:
                self.start(now)
            return
        code = self.process.poll()
        if code is None:
            return
        self.process = None
        self.deaths_in_a_row = 1 if now - self.started_at >= STEADY_SECONDS else self.deaths_in_a_row + 1
        wait = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** (self.deaths_in_a_row - 1))
        self.start_at = now + wait
        self.log.warning("worker.died", exit_code=code, next=f"started again in {wait:.0f} s")

    def signal(self, number: signal.Signals) -> None:
        """Send the signal if the process lives."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)


class Supervisor:
    """Runs its workers until it is told to stop."""

    def __init__(self, workers: Sequence[WorkerProcess], *, grace_seconds: float) -> None:
        self._workers = workers
        self._grace_seconds = grace_seconds
        self._stop = threading.Event()

    def run(self) -> None:
        """Keep the workers alive until SIGTERM or Ctrl-C, then end them: the present job may finish within the grace.

        A second signal ends them at once. Raises WorkersKeepDying when not one of them stays alive.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        try:
            while not self._stop.is_set():
                now = time.monotonic()
                for worker in self._workers:
                    worker.look(now)
                if all(worker.deaths_in_a_row >= HOPELESS_STARTS for worker in self._workers):
                    raise WorkersKeepDying(f"every worker died {HOPELESS_STARTS} times in a row; their log says why")
                self._stop.wait(POLL_SECONDS)
        finally:
            self._end()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self._stop.is_set():
            for worker in self._workers:
                worker.signal(signal.SIGKILL)
        self._stop.set()

    def _end(self) -> None:
        for worker in self._workers:
            worker.signal(signal.SIGTERM)
        deadline = time.monotonic() + self._grace_seconds + LAST_WORD_SECONDS
        for worker in self._workers:
            if worker.process is None:
                continue
            try:
                worker.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.log.warning("worker.killed", reason="it did not end within its grace")
                worker.process.kill()
                worker.process.wait()


def worker_process(name: str, queues: str, environment: Mapping[str, str]) -> WorkerProcess:
    """Return a Celery worker of that name, not yet started, whose environment has these variables beside ours."""
    return WorkerProcess(nodename(name, gethostname()), partial(_begin_worker, name, queues, environment))


def import_for_workers() -> None:
    """Import what a worker needs, and its child but for images and networks, which no parent has.

    It leaves the collector's sight: else each fork would search it, and by that get a copy of its own.
    """
    app.loader.import_default_modules()
    app.finalize()
    for step in {*WorkController.Blueprint.default_steps, *Consumer.Blueprint.default_steps}:
        symbol_by_name(step)
    for module in (*_OF_A_PARENT, *_OF_A_CHILD):
        import_module(module)
    gc.collect()
    gc.freeze()


def _begin_worker(name: str, queues: str, environment: Mapping[str, str]) -> Child:
    if may_fork():
        return fork_child(partial(run_worker, name, queues), environment)
    return start_child(
        [sys.executable, "-m", "workers.worker", name, queues], environment={**os.environ, **environment}
    )
