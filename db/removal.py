"""A run removed with all that came of it, and its benchmark where no other run is of it; images are left to `gc`."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, and_, delete, exists, func, select, update

from db.engine import transaction
from db.errors import WrongCall
from db.intake import benchmark_of, one_at_a_time
from db.tables import JOB_TABLES, OPEN_STATES, Stage, State, benchmarks, edits, run_scorers, runs, samples, scores
from db.to_do import ids_in_order, with_run

SAMPLES_AT_ONCE = 1000
"""So many samples go in one transaction; as long as it takes nobody else writes to SQLite."""


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
        benchmark_id = benchmark_of(connection, run_id)
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
    """Raise WrongCall while a worker holds a job of the run. Until the transaction ends nobody claims one.

    Edits are locked before scores: none that ends enters scores in between.
    """
    held = 0
    for stage in (Stage.EDIT, Stage.SCORE):
        jobs = JOB_TABLES[stage]
        of_run = select(jobs.c.id).select_from(with_run(stage)).where(runs.c.id == run_id)
        is_open = and_(jobs.c.id.in_(of_run), jobs.c.state.in_(OPEN_STATES))
        still_open = ids_in_order(jobs, is_open).add_columns(jobs.c.state).subquery()
        held += connection.scalar(select(func.count().filter(still_open.c.state == State.RUNNING))) or 0
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
