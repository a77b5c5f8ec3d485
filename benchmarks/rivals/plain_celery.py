"""Celery as it comes: four messages prefetched per worker, acknowledged on arrival, a chain of edit and score a sample.

Every worker serves both queues, and moves its model whenever the next task needs the other one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from functools import cache
from importlib.metadata import version
from typing import Any

import redis
from celery import Celery, chain

from benchmarks.rivals.plan import Plan, answer, compute

_BROKER, _PACE, _LOAD = "RIVAL_BROKER_URL", "RIVAL_PACE", "RIVAL_LOAD_SECONDS"
_FINISHED = "finished"
READY_SECONDS = 120

app = Celery("rival", broker=os.environ.get(_BROKER))
app.conf.task_routes = {"edit": {"queue": "edit"}, "score": {"queue": "score"}}
app.conf.task_ignore_result = True
app.conf.broker_connection_retry_on_startup = True


@app.task(name="edit")
def edit(seconds: float) -> None:
    """Make an edit."""
    _compute("editor", seconds)


@app.task(name="score")
def score(seconds: float) -> None:
    """Give a score, the last of a sample's tasks."""
    _compute("judge", seconds)
    _redis().rpush(_FINISHED, time.time())


_resident = ""


def _compute(model: str, seconds: float) -> None:
    global _resident  # what is on the GPU outlives a task
    if _resident != model:
        time.sleep(float(os.environ[_LOAD]))
        _resident = model
    compute(seconds, float(os.environ[_PACE]))


@cache
def _redis() -> redis.Redis:
    return redis.Redis.from_url(os.environ[_BROKER])


def main() -> None:
    """Run the plan and answer."""
    plan = Plan.read()
    os.environ[_BROKER] = f"{plan.broker_url.rpartition('/')[0]}/1"  # our farm is in database 0
    app.conf.update(broker_url=os.environ[_BROKER])
    _redis().flushdb()
    os.environ[_LOAD] = str(plan.workload.load_seconds)
    workers = [_start(number, pace) for number, pace in enumerate(plan.paces)]
    try:
        _await_workers(len(workers))
        answer(_seconds(plan), f"celery {version('celery')}")
    finally:
        for worker in workers:
            worker.kill()
        _redis().flushdb()


def _start(number: int, pace: float) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "celery", "-A", "benchmarks.rivals.plain_celery", "worker"]
    flags = ["-c", "1", "-Q", "edit,score", "-n", f"rival{number}@%h", "-l", "ERROR"]
    return subprocess.Popen([*command, *flags], env={**os.environ, _PACE: str(pace)}, stdout=subprocess.DEVNULL)


def _await_workers(wanted: int) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while len(app.control.ping(timeout=1) or []) < wanted:
        if time.monotonic() > deadline:
            raise TimeoutError(f"not all of {wanted} workers answer")


def _seconds(plan: Plan) -> float:
    items = plan.workload.items
    started = time.time()
    for item in items:
        sample: Any = chain(edit.si(item.edit_seconds), score.si(item.score_seconds))
        sample.delay()
    while _redis().llen(_FINISHED) < len(items):
        time.sleep(0.05)
    return max(float(moment) for moment in _redis().lrange(_FINISHED, 0, -1)) - started


if __name__ == "__main__":
    main()
