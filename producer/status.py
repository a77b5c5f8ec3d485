"""Where runs stand, as data and as a table."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text
from sqlalchemy import Engine

from db.presence import Present, present_workers
from db.queries import Counts, Progress, Run, Worker, all_runs, progress_of, working
from db.tables import State


def progress_data(progress: Progress) -> dict[str, Any]:
    """Return the counts by stage and state."""
    return {
        "state": state_of(progress),
        "edits": _counts_data(progress.edits),
        "scores": {**_counts_data(progress.scores), "asked": progress.scores_asked},
    }


def state_of(progress: Progress) -> str:
    """Return the run's state in a word: `running`, `done`, `failed` (some jobs did) or `cancelled` (some jobs were)."""
    if not progress.finished:
        return "running"
    if progress.cancelled:
        return "cancelled"
    return "done" if progress.complete else "failed"


def status_data(engine: Engine, run: Run) -> dict[str, Any]:
    """Return everything `status RUN` shows."""
    return {
        "run": run.id,
        "benchmark": run.benchmark_name,
        "editor": run.configuration["editor"]["label"],
        "scorers": [scorer["label"] for scorer in run.configuration["scorers"]],
        "priority": run.priority,
        **progress_data(progress_of(engine, run.id)),
        "workers": [_worker_data(worker) for worker in working(engine, run.id)],
    }


def all_status_data(engine: Engine) -> list[dict[str, Any]]:
    """Return the status of every run, the newest first."""
    return [status_data(engine, run) for run in all_runs(engine)]


def farm_data(engine: Engine) -> list[dict[str, Any]]:
    """Return every worker of the farm, by name: what it says of itself, and how many seconds ago."""
    return [
        {
            "worker": worker.name,
            "gpu": worker.gpu,
            "health": _health(worker),
            "reason": worker.reason,
            "since": worker.since,
            "seconds_ago": round(worker.seconds_ago, 1),
        }
        for worker in present_workers(engine)
    ]


def farm_table(farm: list[dict[str, Any]]) -> Table:
    """Return a table with one row per worker."""
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("worker", "GPU", "health", "last word"):
        table.add_column(column, overflow="fold")
    for worker in farm:
        health = f"{worker['health']}: {worker['reason']}" if worker["reason"] else worker["health"]
        table.add_row(
            Text(worker["worker"]),
            Text(worker["gpu"] or "none"),
            Text(health, style="" if worker["health"] == "serving" else "red"),
            f"{worker['seconds_ago']:.0f} s ago",
        )
    return table


def _health(worker: Present) -> str:
    """Return `serving`, `sick`, or `silent` for one that has said nothing for a minute: killed, or cut off."""
    return "silent" if worker.silent else worker.health.value


def status_table(runs: list[dict[str, Any]]) -> Table:
    """Return a table with one row per run."""
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("run", "benchmark", "editor", "state"):
        table.add_column(column, overflow="fold")
    for column in ("edits", "scores", "failed"):
        table.add_column(column, justify="right", no_wrap=True)
    for run in runs:
        edits, scores = run["edits"], run["scores"]
        table.add_row(
            run["run"],
            Text(run["benchmark"]),
            Text(run["editor"]),
            run["state"],
            f"{edits['done']:,}/{edits['total']:,}",
            f"{scores['done']:,}/{scores['asked']:,}",
            f"{edits['failed'] + scores['failed']:,}",
        )
    return table


def _counts_data(counts: Counts) -> dict[str, int]:
    return {**{state.value: counts[state] for state in State}, "total": counts.total}


def _worker_data(worker: Worker) -> dict[str, Any]:
    return {"worker": worker.name, "stage": worker.stage.value, "samples": list(worker.keys), "since": worker.since}
