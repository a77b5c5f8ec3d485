"""The first users' scripts: category by category, editor onto every GPU, edit, unload; then the judge, one by one.

`all`: the judge is loaded on all GPUs and each scores what it edited. `one`: on the first GPU alone; the others wait.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Sequence
from itertools import groupby
from multiprocessing.synchronize import Barrier

from benchmarks.drawn_work.workload import Item
from benchmarks.rivals.plan import Plan, answer, compute


def main(scorers: str) -> None:
    """Run the plan and answer."""
    plan = Plan.read()
    barrier = multiprocessing.Barrier(len(plan.paces) + 1)
    for gpu in range(len(plan.paces)):
        multiprocessing.Process(target=_one_gpu, args=(plan, gpu, scorers, barrier), daemon=True).start()
    barrier.wait()
    started = time.monotonic()
    for _ in _categories(plan):
        barrier.wait()
        barrier.wait()
    answer(time.monotonic() - started)


def _one_gpu(plan: Plan, gpu: int, scorers: str, barrier: Barrier) -> None:
    pace, load_seconds = plan.paces[gpu], plan.workload.load_seconds
    barrier.wait()
    for items in _categories(plan):
        mine = items[gpu :: len(plan.paces)]
        time.sleep(load_seconds)
        for item in mine:
            compute(item.edit_seconds, pace)
        barrier.wait()
        to_score = mine if scorers == "all" else items if gpu == 0 else []
        if to_score:
            time.sleep(load_seconds)
        for item in to_score:
            compute(item.score_seconds, pace)
        barrier.wait()


def _categories(plan: Plan) -> list[Sequence[Item]]:
    return [list(items) for _, items in groupby(plan.workload.items, key=lambda item: item.category)]


if __name__ == "__main__":
    main(*sys.argv[1:])
