"""A process pool from the standard library: all edits over a pool of editors, then all scores over a pool of judges.

Each process loads its model once; batches are full. Nothing of it is durable: a process that dies takes the pool along.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterable, Sequence
from multiprocessing.queues import SimpleQueue
from typing import Any

from benchmarks.rivals.plan import Plan, answer, compute

_pace = 1.0


def main() -> None:
    """Run the plan and answer."""
    plan = Plan.read()
    started = time.monotonic()  # a fork takes milliseconds
    _stage(plan, _compute, [item.edit_seconds for item in plan.workload.items])
    _stage(plan, _compute, [plan.workload.batch_seconds(batch) for batch in plan.workload.batches()])
    answer(time.monotonic() - started)


def _stage(plan: Plan, work: Callable[[float], None], jobs: Sequence[float]) -> None:
    context = multiprocessing.get_context("fork")
    paces: SimpleQueue[float] = context.SimpleQueue()
    for pace in plan.paces:
        paces.put(pace)
    with context.Pool(len(plan.paces), _load, (paces, plan.workload.load_seconds)) as pool:
        _exhaust(pool.imap_unordered(work, jobs))


def _load(paces: SimpleQueue[float], seconds: float) -> None:
    global _pace  # how a pool's initializer leaves something to its jobs
    _pace = paces.get()
    time.sleep(seconds)


def _compute(seconds: float) -> None:
    compute(seconds, _pace)


def _exhaust(results: Iterable[Any]) -> None:
    for _ in results:
        pass


if __name__ == "__main__":
    main()
