"""Where runs stand and what the farm is at, as data."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine

from db.lately import Lately, finished_lately, nothing_lately
from db.presence import Present, present_workers
from db.queries import Counts, Progress, Run, all_runs, progress_of, working
from db.tables import Stage, State
from producer.standing.rows import Heard, Row, nothing_heard, rows_of
from producer.words import HOUR_SECONDS


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


def status_data(engine: Engine, run: Run, heard: Heard = nothing_heard) -> dict[str, Any]:
    """Return everything `status RUN` shows; what the workers said themselves as far as it was `heard`."""
    progress = progress_of(engine, run.id)
    lately = nothing_lately(engine, run.id) if progress.finished else finished_lately(engine, run.id)
    rows = rows_of(run.id, working(engine, run.id), present_workers(engine), lately, heard)
    return {
        **_run_data(run, progress),
        "missing": lately.missing,
        "unparsed": lately.unparsed,
        "pace": {stage.value: _pace_data(lately, stage, progress) for stage in Stage},
        "workers": [_worker_data(row) for row in rows if row.samples],
    }


def all_runs_data(engine: Engine) -> list[dict[str, Any]]:
    """Return what `runs` shows of every run, the newest first."""
    return [
        {**_run_data(run, progress_of(engine, run.id)), "created_at": run.created_at, "created": _as_iso(run)}
        for run in all_runs(engine)
    ]


def _run_data(run: Run, progress: Progress) -> dict[str, Any]:
    return {
        "run": run.id,
        "benchmark": run.benchmark_name,
        "editor": run.configuration["editor"]["label"],
        "scorers": [scorer["label"] for scorer in run.configuration["scorers"]],
        "priority": run.priority,
        **progress_data(progress),
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
            "stage": worker.stage,
            "run": worker.run_id,
            "idle": worker.idle,
            "since": worker.since,
            "seconds_ago": round(worker.seconds_ago, 1),
        }
        for worker in present_workers(engine)
    ]


def _health(worker: Present) -> str:
    """Return `serving`, `sick`, or `silent` for one that has said nothing for a minute: killed, or cut off."""
    return "silent" if worker.silent else worker.health.value


def _counts_data(counts: Counts) -> dict[str, int]:
    return {**{state.value: counts[state] for state in State}, "total": counts.total}


def _pace_data(lately: Lately, stage: Stage, progress: Progress) -> dict[str, float | None]:
    """Return how fast a stage goes; what is left of it may include scores that do not exist yet."""
    left = progress.edits.open if stage is Stage.EDIT else progress.scores_asked - progress.scores.ended
    seconds_left = lately.seconds_left(stage, left)
    return {
        "jobs_per_hour": round(HOUR_SECONDS * lately.jobs_per_second(stage), 1),
        "seconds_left": None if seconds_left is None else round(seconds_left, 1),
    }


def _worker_data(row: Row) -> dict[str, Any]:
    said = {name: value for name, value in row.said.fields().items() if name not in ("gpu", "what", "model", "key")}
    return {
        "worker": row.worker,
        "gpu": row.gpu,
        "stage": row.stage,
        "model": row.model,
        "doing": row.said.what,
        **said,
        "jobs_per_hour": round(HOUR_SECONDS * row.jobs_per_second, 1),
        "samples": list(row.samples),
        "since": row.since,
    }


def _as_iso(run: Run) -> str:
    return datetime.fromtimestamp(run.created_at, UTC).isoformat(timespec="seconds")
