"""Measures what the farm itself takes of a GPU's time, around models that sleep or do nothing: `benchmarks.plumbing`.

Broker, ledger, store, command line and workers are real. Gaps and busy shares come from models that keep when they
began and ended, pairs per second from the ledger. Sleeping models leave the cores to the farm, as GPUs do; with models
that take no time the cores themselves are the limit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

import click
from sqlalchemy import Engine

from benchmarks.drawn_work.workload import Card
from benchmarks.figures.goals import Figure, Goal, Measured, chosen_by_name, figures_table, in_rounds, publish
from benchmarks.figures.outcome import Fell
from benchmarks.measured_farm.databases import DATABASES, POSTGRESQL, SQLITE
from benchmarks.measured_farm.farm import Farm, open_farm, told
from benchmarks.measured_farm.samples import PHOTO_SIDE, photo_png, tiny_png, write_lines
from benchmarks.measured_farm.stretches import (
    busy_percent,
    gaps_of,
    median_and_p95_ms,
    pairs_per_second,
    stretches_of,
)
from benchmarks.measured_farm.timed import EDITOR, NO_OP, PHOTO_EDITOR, SCORER, Options
from db.options import SimulatedEditorOptions, SimulatedScorerOptions
from db.queries import progress_of
from db.tables import State

GAP_MEDIAN_MS, GAP_P95_MS = 4.0, 12.0
PAIRS_PER_SECOND = {SQLITE: 200.0, POSTGRESQL: 150.0}
BUSY_PERCENT = 97.0

WORKERS, FEW_WORKERS, PHOTO_WORKERS = 24, 4, 2
SLEEPING = (
    SimulatedEditorOptions(seconds=1.5, spread=0.3),
    SimulatedScorerOptions(seconds=0.6, spread=0.3, batch_size=4, batch_speedup=8 / 3),
)
"""A third of what the first scripts took: 5 s an edit, 2 s a score, 3 s four of them."""

ONE_SECOND = SimulatedEditorOptions(seconds=1), SimulatedScorerOptions(seconds=0.5, batch_size=4, batch_speedup=2)
SLEEPING_PAIRS_A_WORKER, NO_OP_PAIRS, PHOTOS_A_WORKER = 40, 3000, 20
WARM_UP_A_WORKER = 4
DRAWN_IMAGES = 8

PATIENCE_SECONDS = 300.0
SELDOM_SECONDS = 0.5
"""How often the end is looked for: counting jobs takes of the very cores that are measured."""


Models = tuple[str, str]
"""Editor and scorer by name."""

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


def photos(*, share: float = 1.0) -> Case:
    """Return the case of large images, read, decoded, encoded and stored beside edits of a second."""
    name = f"{PHOTO_SIDE} x {PHOTO_SIDE} photos, {ONE_SECOND[0].seconds:g} s edits, {PHOTO_WORKERS} workers"
    return Case(
        figures=(Figure.at_least(name, "GPUs busy between first and last edit", "%", BUSY_PERCENT),),
        take=lambda engine, run: [busy_percent(stretches_of(engine, run))],
        workers=PHOTO_WORKERS,
        samples=round(share * PHOTOS_A_WORKER * PHOTO_WORKERS),
        models=(PHOTO_EDITOR, SCORER),
        options=ONE_SECOND,
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


if __name__ == "__main__":
    main()
