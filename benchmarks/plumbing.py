"""Measures what the farm itself takes of a GPU's time, around models that sleep or do nothing: `benchmarks.plumbing`.

Broker, ledger, store, command line and workers are real. Gaps and busy shares come from models that keep when they
began and ended (`benchmarks.timed`), pairs per second from the ledger. Sleeping models leave the cores to the farm, as
GPUs do; with models that take no time the cores themselves are the limit.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, count, pairwise
from pathlib import Path

import click
from sqlalchemy import Engine, func, select

from benchmarks.databases import DATABASES, POSTGRESQL, SQLITE
from benchmarks.farm import Farm, open_farm, told
from benchmarks.goals import Figure, Goal, Measured, chosen_by_name, figures_table, in_rounds, publish
from benchmarks.outcome import Fell
from benchmarks.samples import PHOTO_SIDE, photo_png, tiny_png, write_lines
from benchmarks.timed import BEGAN, EDITOR, ENDED, PHOTO_EDITOR, SCORER
from benchmarks.workload import Card
from db.engine import reading
from db.options import SimulatedEditorOptions, SimulatedScorerOptions
from db.queries import progress_of
from db.tables import JOB_TABLES, Stage, State, edits, runs, scores
from db.to_do import with_run

GAP_MEDIAN_MS, GAP_P95_MS = 4.0, 12.0
PAIRS_PER_SECOND = {SQLITE: 200.0, POSTGRESQL: 150.0}
BUSY_PERCENT = 97.0

WORKERS, FEW_WORKERS, PHOTO_WORKERS = 24, 4, 2
SLEEPING = (
    SimulatedEditorOptions(seconds=1.5, spread=0.3),
    SimulatedScorerOptions(seconds=0.6, spread=0.3, batch_size=4, batch_speedup=8 / 3),
)
"""A third of what the first scripts took: 5 s an edit, 2 s a score, 3 s four of them."""

NO_OP = SimulatedEditorOptions(seconds=0, steps=1), SimulatedScorerOptions(seconds=0)
ONE_SECOND = SimulatedEditorOptions(seconds=1), SimulatedScorerOptions(seconds=0.5, batch_size=4, batch_speedup=2)
SLEEPING_PAIRS_A_WORKER, NO_OP_PAIRS, PHOTOS_A_WORKER = 40, 3000, 20
WARM_UP_A_WORKER = 4
DRAWN_IMAGES = 8

PATIENCE_SECONDS = 300.0
SELDOM_SECONDS = 0.5
"""How often the end is looked for: counting jobs takes of the very cores that are measured."""


Models = tuple[str, str]
"""Editor and scorer by name."""

Options = tuple[SimulatedEditorOptions, SimulatedScorerOptions]
Take = Callable[[Engine, str], Sequence[float]]
"""Reads a finished run; a value for each figure."""


@dataclass(frozen=True)
class Case:
    """Work for so many workers, and what is taken of it."""

    figures: tuple[Figure, ...]
    take: Take
    workers: int
    samples: int
    models: Models
    options: Options
    database: str = SQLITE
    photos: bool = False

    @property
    def name(self) -> str:
        """As rows and `--case` call it."""
        return self.figures[0].case

    def images(self) -> list[bytes]:
        """Return the source images, which the samples share in turns."""
        return [photo_png(seed) if self.photos else tiny_png(seed) for seed in range(DRAWN_IMAGES)]

    def flags(self, seed: int) -> list[str]:
        """Return what `submit` is told; another seed makes another run."""
        (editor, scorer), (editing, scoring) = self.models, self.options
        return [
            "--editor",
            editor,
            "--scorer",
            scorer,
            "--seed",
            str(seed),
            *told("editor", editing),
            *told("scorer", scoring),
        ]


@click.command()
@click.option("--case", "names", multiple=True, help="How a case begins; may be given often. [default: all]")
@click.option("--rounds", default=3, show_default=True, help="Of which the median is taken.")
@click.option("--share", default=1.0, show_default=True, help="Of the usual number of samples: 0.1 for a quick look.")
@click.option("--json", "as_json", is_flag=True, help="A JSON line for each row; the table goes to stderr.")
def main(names: Sequence[str], rounds: int, share: float, as_json: bool) -> None:
    """Measure gaps, pairs per second and busy shares; markdown on stdout. Exit code 1 when a goal is missed."""
    chosen = chosen_by_name(cases(share), names)
    publish(chain.from_iterable(rows_of(case, rounds) for case in chosen), figures_table, as_json=as_json)


def cases(share: float = 1.0) -> list[Case]:
    """Return all cases, with this share of their samples."""
    return [
        *(gaps_between_jobs(database, share=share) for database in DATABASES),
        *(no_op(database, workers, share=share) for database in DATABASES for workers in (WORKERS, FEW_WORKERS)),
        photos(share=share),
    ]


def gaps_between_jobs(
    database: str, *, workers: int = WORKERS, options: Options = SLEEPING, share: float = 1.0
) -> Case:
    """Return the case of models that sleep."""
    name = f"gaps, {workers} workers whose models sleep, {database}"
    return Case(
        figures=(
            Figure.at_most(name, "gap between two jobs, median", "ms", GAP_MEDIAN_MS),
            Figure.at_most(name, "gap between two jobs, p95", "ms", GAP_P95_MS),
        ),
        take=lambda engine, run: median_and_p95_ms(gaps_of(stretches_of(engine, run))),
        workers=workers,
        samples=round(share * SLEEPING_PAIRS_A_WORKER * workers),
        models=(EDITOR, SCORER),
        options=options,
        database=database,
    )


def no_op(database: str, workers: int, *, share: float = 1.0) -> Case:
    """Return the case of models that take no time; nothing is asked of a few workers."""
    name = f"no-op models, {workers} workers, {database}"
    goal = Goal("pairs/s", PAIRS_PER_SECOND[database], at_most=False) if workers == WORKERS else None
    return Case(
        figures=(Figure(name, "from the first edit's start to the last score", "pairs/s", goal),),
        take=lambda engine, run: [pairs_per_second(engine, run)],
        workers=workers,
        samples=round(share * NO_OP_PAIRS),
        models=("simulated", "simulated"),
        options=NO_OP,
        database=database,
    )


def photos(*, options: Options = ONE_SECOND, share: float = 1.0) -> Case:
    """Return the case of large images, read, decoded, encoded and stored beside edits of a second."""
    name = f"{PHOTO_SIDE} x {PHOTO_SIDE} photos, {options[0].seconds:g} s edits, {PHOTO_WORKERS} workers"
    return Case(
        figures=(Figure.at_least(name, "GPUs busy between first and last edit", "%", BUSY_PERCENT),),
        take=lambda engine, run: [busy_percent(stretches_of(engine, run))],
        workers=PHOTO_WORKERS,
        samples=round(share * PHOTOS_A_WORKER * PHOTO_WORKERS),
        models=(PHOTO_EDITOR, SCORER),
        options=options,
        photos=True,
    )


# -- measuring ---------------------------------------------------------------------------------------------------------


def rows_of(case: Case, rounds: int) -> list[Measured]:
    """Return the case's rows: so many runs by the same workers, one after the other, after one that does not count."""
    try:
        with open_farm(case.database) as farm, farm.workers([Card()] * case.workers):
            benchmark = write_lines(farm.folder, case.samples, images=case.images())
            seeds = count()
            _do(farm, case, benchmark, next(seeds), "--limit", str(WARM_UP_A_WORKER * case.workers))
            return list(
                in_rounds(case.figures, lambda: case.take(farm.engine, _do(farm, case, benchmark, next(seeds))), rounds)
            )
    except Fell as error:
        return [figure.fell(str(error)) for figure in case.figures]


def _do(farm: Farm, case: Case, benchmark: Path, seed: int, *flags: str) -> str:
    """Submit a run and wait for its end; return its id. Raises Fell when a pair of it is not done."""
    run_id = farm.submit(benchmark, *case.flags(seed), *flags).output
    farm.await_end([run_id], PATIENCE_SECONDS, every=SELDOM_SECONDS)
    progress = progress_of(farm.engine, run_id)
    if not progress.complete:
        raise Fell(f"{progress.scores[State.DONE]} of {progress.edits.total} scores")
    return run_id


@dataclass(frozen=True)
class Stretch:
    """One call of a model; seconds since the epoch. `waited_since`: when the last of its jobs was queued."""

    worker: str
    stage: Stage
    began: float
    ended: float
    waited_since: float


def stretches_of(engine: Engine, run_id: str) -> list[Stretch]:
    """Return every call of a timed model in the run, in the order of beginnings; a batch is one."""
    calls: dict[tuple[str, Stage, float, float], float] = {}
    with reading(engine) as connection:
        for stage, jobs in JOB_TABLES.items():
            query = select(jobs.c.worker, jobs.c.detail, jobs.c.not_before).select_from(with_run(stage))
            for row in connection.execute(query.where(runs.c.id == run_id)):
                call = (row.worker, stage, row.detail[BEGAN], row.detail[ENDED])
                calls[call] = max(row.not_before, calls.get(call, 0.0))
    return sorted((Stretch(*call, since) for call, since in calls.items()), key=lambda one: one.began)


def gaps_of(stretches: Iterable[Stretch]) -> list[float]:
    """Return the seconds between two jobs of a worker at the same stage, where the later one waited already."""
    by_worker: dict[str, list[Stretch]] = defaultdict(list)
    for stretch in stretches:
        by_worker[stretch.worker].append(stretch)
    return [
        later.began - earlier.ended
        for one in by_worker.values()
        for earlier, later in pairwise(one)
        if earlier.stage is later.stage and later.waited_since <= earlier.ended
    ]


def median_and_p95_ms(gaps: Sequence[float]) -> tuple[float, float]:
    """Return median and 95th percentile of gaps in seconds, in milliseconds."""
    if len(gaps) < 2:
        raise Fell(f"{len(gaps)} gaps")
    return 1000 * statistics.median(gaps), 1000 * statistics.quantiles(gaps, n=20, method="inclusive")[-1]


def busy_percent(stretches: Sequence[Stretch]) -> float:
    """Return how much of the time from the first edit's beginning to the last one's end the models were at work."""
    edited = [one for one in stretches if one.stage is Stage.EDIT]
    first, last = min(one.began for one in edited), max(one.ended for one in edited)
    busy = sum(max(0.0, min(one.ended, last) - max(one.began, first)) for one in stretches)
    return 100 * busy / ((last - first) * len({one.worker for one in stretches}))


def pairs_per_second(engine: Engine, run_id: str) -> float:
    """Return the run's pairs over the time from the first claim of an edit to the last score, by the ledger."""
    with reading(engine) as connection:
        edited = select(func.min(edits.c.started_at), func.count()).where(edits.c.run_id == run_id)
        started, pairs = connection.execute(edited).one()
        scored = select(func.max(scores.c.finished_at)).select_from(with_run(Stage.SCORE)).where(runs.c.id == run_id)
        return float(pairs / (connection.execute(scored).scalar_one() - started))


if __name__ == "__main__":
    main()
