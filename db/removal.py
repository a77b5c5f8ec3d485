"""A run removed with all that came of it, and its benchmark where no other run is of it; images are left to `gc`."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, delete, exists, func, select, update

from db.engine import transaction
from db.errors import WrongCall
from db.intake import one_at_a_time
from db.tables import JOB_TABLES, Stage, State, benchmarks, edits, run_scorers, runs, samples, scores
from db.to_do import with_run

SAMPLES_AT_ONCE = 100
"""So many samples go in one transaction: for each the database looks whether any edit is of it, and that takes time."""


@dataclass(frozen=True)
class RemovedRun:
    """How much of a run was removed; `samples` is 0 where other runs are of the same benchmark."""

    edits: int
    scores: int
    samples: int


def remove_run(engine: Engine, run_id: str) -> RemovedRun:
    """Remove the run, all or nothing, and then its benchmark.

    Edits that other runs have taken over stay theirs. Raises WrongCall while a worker holds a job of the run.
    """
    with transaction(engine) as connection:
        benchmark_id = connection.execute(select(runs.c.benchmark_id).where(runs.c.id == run_id)).scalar_one()
        one_at_a_time(connection, benchmark_id)
        _require_unheld(connection, run_id)
        of_run = select(run_scorers.c.id).where(run_scorers.c.run_id == run_id)
        judged = connection.execute(delete(scores).where(scores.c.scorer_id.in_(of_run))).rowcount
        made = connection.execute(delete(edits).where(edits.c.run_id == run_id)).rowcount
        connection.execute(delete(run_scorers).where(run_scorers.c.run_id == run_id))
        connection.execute(delete(runs).where(runs.c.id == run_id))
        unused = ~exists().where(runs.c.benchmark_id == benchmarks.c.id)
        # From here on nobody takes it for whole; whoever submits it again goes on behind the last sample that is left.
        connection.execute(update(benchmarks).where(benchmarks.c.id == benchmark_id, unused).values(complete=False))
    return RemovedRun(made, judged, _remove_benchmark(engine, benchmark_id))


def _require_unheld(connection: Connection, run_id: str) -> None:
    held = 0
    for stage in Stage:
        jobs = JOB_TABLES[stage]
        query = select(func.count()).select_from(with_run(stage))
        held += connection.scalar(query.where(runs.c.id == run_id, jobs.c.state == State.RUNNING)) or 0
    if held:
        raise WrongCall(f"workers hold {held:,} jobs of run {run_id}: `python -m producer cancel {run_id}` first")


def _remove_benchmark(engine: Engine, benchmark_id: str) -> int:
    """Remove the samples, the last ones first, and then the benchmark, unless it is in use again; return how many."""
    removed = 0
    while True:
        with transaction(engine) as connection:
            one_at_a_time(connection, benchmark_id)
            its = select(benchmarks.c.complete).where(benchmarks.c.id == benchmark_id)
            if connection.scalar(its) is not False or connection.scalar(
                select(exists().where(runs.c.benchmark_id == benchmark_id))
            ):
                return removed
            of_it = select(samples.c.id).where(samples.c.benchmark_id == benchmark_id)
            last = connection.scalars(of_it.order_by(samples.c.position.desc()).limit(SAMPLES_AT_ONCE)).all()
            if not last:
                connection.execute(delete(benchmarks).where(benchmarks.c.id == benchmark_id))
                return removed
            removed += connection.execute(delete(samples).where(samples.c.id.in_(last))).rowcount
