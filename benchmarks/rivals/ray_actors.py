"""Ray: one actor per GPU, all edits, then all scores in full batches; by ActorPool (`pool`) or by Ray Data (`data`).

Ray Data starts the actors of a stage itself, when the stage begins: that counts, for it is how one uses it. Each of its
stages is made to end before the next begins, because both models do not fit onto a GPU. It knows no unequal cards.
"""

from __future__ import annotations

import importlib
import logging
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.rivals.plan import Plan, answer, compute

ray: Any = importlib.import_module("ray")


def main(way: str) -> None:
    """Run the plan and answer."""
    plan = Plan.read()
    ray.init(
        num_cpus=len(plan.paces),
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
        object_store_memory=200_000_000,
    )
    seconds = _with_actor_pool(plan) if way == "pool" else _with_data(plan)
    ray.shutdown()
    answer(seconds, f"ray {ray.__version__}")


class Gpu:
    """An actor that holds one model at a time."""

    def __init__(self, pace: float, load_seconds: float) -> None:
        self._pace = pace
        self._load_seconds = load_seconds
        self._model = ""

    def ready(self) -> None:
        """Answer once it has started."""

    def compute(self, model: str, seconds: float) -> None:
        """Do a job of that model."""
        if model != self._model:
            time.sleep(self._load_seconds)
            self._model = model
        compute(seconds, self._pace)


def _with_actor_pool(plan: Plan) -> float:
    actor_pool = importlib.import_module("ray.util").ActorPool
    gpus = [ray.remote(Gpu).options(num_cpus=1).remote(pace, plan.workload.load_seconds) for pace in plan.paces]
    ray.get([gpu.ready.remote() for gpu in gpus])
    pool = actor_pool(gpus)
    started = time.monotonic()
    for model, jobs in _stages(plan):
        for _ in pool.map_unordered(_submission(model), jobs):
            pass
    return time.monotonic() - started


def _submission(model: str) -> Callable[[Any, float], Any]:
    return lambda gpu, seconds: gpu.compute.remote(model, seconds)


def _with_data(plan: Plan) -> float:
    data = importlib.import_module("ray.data")
    data.DataContext.get_current().enable_progress_bars = False
    started = time.monotonic()
    for _, jobs in _stages(plan):
        rows = data.from_items([{"seconds": seconds} for seconds in jobs], override_num_blocks=len(jobs))
        rows.map(
            Loaded, fn_constructor_args=(plan.workload.load_seconds,), concurrency=len(plan.paces), num_cpus=1
        ).materialize()
    return time.monotonic() - started


class Loaded:
    """A model that is loaded when Ray Data makes its actor."""

    def __init__(self, load_seconds: float) -> None:
        time.sleep(load_seconds)

    def __call__(self, row: dict[str, float]) -> dict[str, float]:
        """Do a job."""
        compute(row["seconds"], 1.0)
        return row


def _stages(plan: Plan) -> list[tuple[str, Sequence[float]]]:
    workload = plan.workload
    return [
        ("editor", [item.edit_seconds for item in workload.items]),
        ("judge", [workload.batch_seconds(batch) for batch in workload.batches()]),
    ]


if __name__ == "__main__":
    main(*sys.argv[1:])
