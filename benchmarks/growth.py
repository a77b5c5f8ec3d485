"""Measures whether a sample costs more where there are more of them: `python -m benchmarks.growth`.

Costs are seconds of computing, of the command or the workers and of the database's server: they depend far less than
wall time on what else a machine does. Submitting and reading are measured whole; of the work itself a stretch is, while
all the other samples wait: what grows with a queue shows there. The models sleep for moments, so that outcomes do not
pile up and each is kept by itself; and every worker keeps to one stage, so that each stretch holds as many scores as
edits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import click
from sqlalchemy import Engine, func, select

from benchmarks.drawn_work.workload import Card
from benchmarks.figures.goals import Figure, Measured, figures_table, in_rounds, publish
from benchmarks.measured_farm.databases import DATABASES
from benchmarks.measured_farm.farm import Farm, open_farm, told
from benchmarks.measured_farm.finished import finish, scorers_of
from benchmarks.measured_farm.processes import Process, cpu_seconds, wait_until
from benchmarks.measured_farm.samples import tiny_png, write_lines
from db.engine import reading
from db.options import SimulatedEditorOptions, SimulatedScorerOptions
from db.presence import present_workers
from db.queries import progress_of, working
from db.tables import JOB_TABLES, Stage, State
from producer.report.gather import gather_report

SIZES = (1000, 10_000, 100_000)
FLAT = 1.15
"""A sample may cost so many times what it costs at any smaller size."""

WORKERS = 4
IMAGES = 10
WARM_UP = 50
SKIPPED, COUNTED = 0.1, 0.5
"""Of the smallest size: scores before the stretch that is measured, and in it."""

READ_SECONDS = 1.0
"""So long a run is read, again and again where once is quicker: the clock of a server's computing is a coarse one."""

MODELS = (
    *("--editor", "simulated", *told("editor", SimulatedEditorOptions(seconds=0.05, steps=1))),
    *("--scorer", "simulated", *told("scorer", SimulatedScorerOptions(seconds=0.025))),
)
COSTS = {"submitting": "ms/sample", "working": "ms/pair", "reporting": "ms/sample", "a look of watch": "ms/sample"}
PATIENCE_SECONDS = 300.0


@click.command()
@click.option("--size", "sizes", multiple=True, type=int, default=SIZES, show_default=True, help="Samples of a run.")
@click.option("--rounds", default=3, show_default=True, help="Of which the median is taken.")
@click.option("--json", "as_json", is_flag=True, help="A JSON line for each row; the table goes to stderr.")
def main(sizes: Sequence[int], rounds: int, as_json: bool) -> None:
    """Measure costs per sample at several sizes; markdown on stdout. Exit code 1 when a goal is missed."""
    rows = chain.from_iterable(rows_of(database, sorted(sizes), rounds) for database in DATABASES)
    publish(rows, figures_table, as_json=as_json)


def rows_of(database: str, sizes: Sequence[int], rounds: int) -> Iterator[Measured]:
    """Yield the rows of one kind of database: each cost at each size, and how far it grows."""

    def measure() -> list[float]:
        costs = [costs_at(size, database, stretch=sizes[0]) for size in sizes]
        return [value for of_kind in zip(*costs, strict=True) for value in with_growth(of_kind)]

    return in_rounds(figures_of(database, sizes), measure, rounds)


def figures_of(database: str, sizes: Sequence[int]) -> list[Figure]:
    """Return the figures in the order of `with_growth`, for each kind of cost."""
    figures = []
    for kind, unit in COSTS.items():
        case = f"{kind}, {database}"
        figures += [Figure(case, f"{size:,} samples", unit) for size in sizes]
        figures += [Figure.at_most(case, f"{size:,} samples, to fewer", "x", FLAT) for size in sizes[1:]]
    return figures


def with_growth(costs: Sequence[float]) -> list[float]:
    """Return the costs, and each but the first to the least before it."""
    return [*costs, *(cost / min(costs[:number]) for number, cost in enumerate(costs) if number)]


# -- one size ----------------------------------------------------------------------------------------------------------


def costs_at(size: int, database: str, *, stretch: int) -> tuple[float, ...]:
    """Return what a sample costs where there are so many, in the order of `COSTS`, in milliseconds.

    Work is measured over a share of `stretch` pairs.
    """
    images = [tiny_png(number) for number in range(IMAGES)]
    with open_farm(database) as farm:
        warm, file = (write_lines(farm.folder, count, images=images, name=f"of-{count}") for count in (WARM_UP, size))
        with farm.workers([Card()] * WORKERS, queues=[Stage.EDIT, Stage.SCORE]) as workers:
            farm.await_end([farm.submit(warm, *MODELS).output], PATIENCE_SECONDS)
            before = _server_seconds(farm)
            submitted = farm.submit(file, *MODELS)
            submitting = submitted.cpu_seconds + _server_seconds(farm) - before
            pair = _pair_seconds(farm, workers, submitted.output, stretch)
        finish(farm.engine, submitted.output)
        report = _reading_seconds(farm, lambda: gather_report(farm.engine, submitted.output))
        look = _reading_seconds(farm, lambda: _look(farm.engine, submitted.output))
    return 1000 * submitting / size, 1000 * pair, 1000 * report / size, 1000 * look / size


def _server_seconds(farm: Farm) -> float:
    return cpu_seconds([] if farm.database_pid is None else [farm.database_pid])


@dataclass(frozen=True)
class _Point:
    """How far the work is, and what it has cost by then."""

    edits: int
    scores: int
    cpu_seconds: float


def _pair_seconds(farm: Farm, workers: Sequence[Process], run_id: str, stretch: int) -> float:
    """Return the computing seconds of workers and server for an edit and a score."""
    first = _await_scores(farm, workers, run_id, round(SKIPPED * stretch))
    last = _await_scores(farm, workers, run_id, first.scores + round(COUNTED * stretch))
    jobs = last.edits - first.edits + last.scores - first.scores
    return 2 * (last.cpu_seconds - first.cpu_seconds) / jobs


def _await_scores(farm: Farm, workers: Sequence[Process], run_id: str, count: int) -> _Point:
    wait_until(lambda: _done(farm.engine, run_id, Stage.SCORE) >= count, PATIENCE_SECONDS, f"{count} scores")
    spent = cpu_seconds([worker.pid for worker in workers]) + _server_seconds(farm)
    return _Point(_done(farm.engine, run_id, Stage.EDIT), _done(farm.engine, run_id, Stage.SCORE), spent)


def _done(engine: Engine, run_id: str, stage: Stage) -> int:
    """Count by the states alone, which costs no more for jobs that wait."""
    jobs = JOB_TABLES[stage]
    of_run = jobs.c.run_id == run_id if stage is Stage.EDIT else jobs.c.scorer_id.in_(scorers_of(run_id))
    with reading(engine) as connection:
        return int(connection.scalar(select(func.count()).where(of_run, jobs.c.state == State.DONE)) or 0)


# -- reading -----------------------------------------------------------------------------------------------------------


def _look(engine: Engine, run_id: str) -> None:
    """Ask what `producer watch` asks at each of its looks."""
    progress_of(engine, run_id)
    working(engine, run_id)
    present_workers(engine)


def _reading_seconds(farm: Farm, call: Callable[[], object]) -> float:
    """Return the computing seconds of one call, here and in the server."""
    call()
    times, started = 0, time.monotonic()
    before = time.process_time() + _server_seconds(farm)
    while time.monotonic() - started < READ_SECONDS:
        call()
        times += 1
    return (time.process_time() + _server_seconds(farm) - before) / times


if __name__ == "__main__":
    main()
