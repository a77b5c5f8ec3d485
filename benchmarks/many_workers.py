"""Measures one broker and one PostgreSQL under many workers, and what each job costs them: `benchmarks.many_workers`.

Models do nothing, or sleep as if they were on a GPU; all else is real. What the costs come to with more GPUs and
samples than can be tried here is computed by `benchmarks.scaling`, from the file that this writes.
"""

from __future__ import annotations

import io
import json
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path

import click
from PIL import Image
from sqlalchemy import Engine, func, select

from benchmarks.clocked import CLAIM, COMMIT, FOLDER, read_clocked
from benchmarks.databases import POSTGRESQL
from benchmarks.farm import START_SECONDS, Farm, open_farm, told
from benchmarks.footprint import all_there, started
from benchmarks.measuring import cpu_description, figure, markdown_table, measured_on
from benchmarks.meters import Load, Meters
from benchmarks.plumbing import NO_OP, busy_percent, gaps_of, median_and_p95_ms, pairs_per_second, stretches_of
from benchmarks.processes import MB, cpu_seconds, family_of, wait_until
from benchmarks.samples import photo_png, tiny_png, write_lines
from benchmarks.timed import EDITOR, SCORER
from db.engine import reading
from db.options import SimulatedEditorOptions, SimulatedScorerOptions
from db.tables import edits, runs
from workers.stint.keeping import as_png

CONSTANTS = Path(__file__).with_suffix(".json")
WORKERS = (1, 8, 24, 64)
TABLES = ("samples", "edits", "scores")
PATIENCE_SECONDS = 600.0
IMAGES = 8

Options = tuple[SimulatedEditorOptions, SimulatedScorerOptions]
Figures = dict[str, float]


@dataclass(frozen=True)
class Plan:
    """How much of each kind of work a worker gets, and for how long workers are watched that have none."""

    short: Options = (SimulatedEditorOptions(seconds=1, spread=0.2), SimulatedScorerOptions(seconds=0.6, spread=0.2))
    long: Options = (SimulatedEditorOptions(seconds=6, spread=0.2), SimulatedScorerOptions(seconds=3, spread=0.2))
    no_op_pairs: int = 2000
    short_pairs_a_worker: int = 8
    long_pairs_a_worker: int = 3
    idle_seconds: float = 20.0


QUICK = Plan(
    short=(SimulatedEditorOptions(seconds=0.6), SimulatedScorerOptions(seconds=0.6)),
    long=(SimulatedEditorOptions(seconds=1.2), SimulatedScorerOptions(seconds=1.2)),
    no_op_pairs=40,
    short_pairs_a_worker=3,
    long_pairs_a_worker=2,
    idle_seconds=1.0,
)

SHORT, LONG = "edits of 1 s, scores of 0.6 s", "edits of 6 s, scores of 3 s"
ROWS = {
    "no-op models": "pairs/s",
    "no-op models, asked of the broker": "commands/s",
    "no-op models, asked of PostgreSQL": "transactions/s",
    "from a submission to the first claim": "ms",
    "until every worker has a job": "ms",
    "claim, p50": "ms",
    "claim, p95": "ms",
    "claim, p99": "ms",
    "commit, p50": "ms",
    "commit, p95": "ms",
    "commit, p99": "ms",
    f"{SHORT}: gap between two jobs, median": "ms",
    f"{SHORT}: gap between two jobs, p95": "ms",
    f"{SHORT}: workers busy": "%",
    f"{LONG}: workers busy": "%",
    "all cores, while no worker has work": "% of a core",
    "memory of all worker processes": "MB",
    "connections to PostgreSQL, at rest": "",
    "broker, a job": "commands",
    "broker, a second of a worker at work": "commands",
    "broker, a second of a worker without work": "commands",
    "broker, a second of a worker that waits for a run's end": "commands",
    "PostgreSQL, a job": "transactions",
    "PostgreSQL, a second of a worker at work": "transactions",
    "PostgreSQL, a second of a worker without work": "transactions",
    "PostgreSQL, a second of a worker that waits for a run's end": "transactions",
    "PostgreSQL computes, a job": "ms",
    "PostgreSQL computes, a second of a worker at work": "ms",
    "PostgreSQL computes, a second of a worker without work": "ms",
    "PostgreSQL computes, a second of a worker that waits for a run's end": "ms",
}
"""What the table tells, and in which unit."""


@click.command()
@click.option("--workers", "counts", multiple=True, type=int, default=WORKERS, show_default=True, help="How many.")
@click.option("--rounds", default=1, show_default=True, help="Of which the median is taken.")
@click.option("--quick", is_flag=True, help="Only see that it works; the file is not written.")
@click.option(
    "--keep",
    type=click.Path(dir_okay=False, path_type=Path),
    default=CONSTANTS,
    help="Where the costs at most workers are written for `benchmarks.scaling`. [default: beside this file]",
)
def main(counts: Sequence[int], rounds: int, quick: bool, keep: Path) -> None:
    """Measure throughput, waits and costs per job; markdown on stdout."""
    measured = {workers: _median_of(workers, rounds, QUICK if quick else Plan()) for workers in sorted(set(counts))}
    click.echo(table_of(measured))
    if not quick:
        keep.write_text(json.dumps(measured[max(measured)], indent=1) + "\n", encoding="utf-8")


def table_of(measured: Mapping[int, Figures]) -> str:
    """Return the figures as markdown, a column for each number of workers, and below them the machine."""
    header = ["workers", *map(str, measured)]
    rows = [
        [f"{name}, {unit}" if unit else name, *(figure(one[name]) for one in measured.values())]
        for name, unit in ROWS.items()
    ]
    return f"{markdown_table(header, rows)}\n\n{measured_on(cpu_description(), ('celery', 'SQLAlchemy', 'psycopg'))}"


def _median_of(workers: int, rounds: int, plan: Plan) -> Figures:
    every = [measure(workers, plan) for _ in range(rounds)]
    return {name: statistics.median(one[name] for one in every) for name in every[0]}


# -- measuring ---------------------------------------------------------------------------------------------------------


def measure(workers: int, plan: Plan) -> Figures:
    """Return all figures of so many workers, which are new, as the farm is. Raises Fell when something is not done."""
    with open_farm(POSTGRESQL) as farm:
        clocked = farm.folder / "transactions"
        clocked.mkdir()
        farm = replace(farm, environment={**farm.environment, FOLDER: str(clocked)})
        meters = Meters(farm)
        with started(farm, ("workers", "--workers", str(workers))) as crew:
            wait_until(partial(all_there, farm, crew, workers), START_SECONDS, f"{workers} workers", every=0.5)
            site = _Site(farm, meters, workers)
            found = {**site.no_op(plan), **site.at_work(plan), **site.without_work(plan, crew.pid)}
        found |= _clocks(clocked) | _sizes(site)
        meters.close()
    click.echo(f"{workers} workers: {found['no-op models']:.0f} pairs/s", err=True)
    return found


class _Site:
    """A farm whose workers are up, and the meters of its servers."""

    def __init__(self, farm: Farm, meters: Meters, workers: int) -> None:
        self.farm = farm
        self.meters = meters
        self.workers = workers
        self.samples = 0
        self._numbers = count()

    def no_op(self, plan: Plan) -> Figures:
        """Have work done that takes no time; what little of it warms up does not count."""
        self._do(4 * self.workers, NO_OP, ("simulated", "simulated"))
        self.meters.start()
        run = self._do(plan.no_op_pairs, NO_OP, ("simulated", "simulated"))
        load, rate = self.meters.load(), pairs_per_second(self.farm.engine, run)
        asked = load.per(plan.no_op_pairs / rate)
        return {
            "no-op models": rate,
            "no-op models, asked of the broker": asked["broker_commands"],
            "no-op models, asked of PostgreSQL": asked["transactions"],
        }

    def at_work(self, plan: Plan) -> Figures:
        """Have short and long jobs done; what a job costs is told from what time at work costs by the two together."""
        short_run, short, short_jobs = self._metered(plan.short_pairs_a_worker, plan.short)
        long_run, long, long_jobs = self._metered(plan.long_pairs_a_worker, plan.long)
        engine = self.farm.engine
        first, last = _first_claims(engine, short_run)
        stretches = stretches_of(engine, short_run)
        median, p95 = median_and_p95_ms(gaps_of(stretches))
        found = {
            "from a submission to the first claim": first,
            "until every worker has a job": last,
            f"{SHORT}: gap between two jobs, median": median,
            f"{SHORT}: gap between two jobs, p95": p95,
            f"{SHORT}: workers busy": busy_percent(stretches),
            f"{LONG}: workers busy": busy_percent(stretches_of(engine, long_run)),
        }
        a_job, a_second = job_and_second(short, short_jobs, long, long_jobs, self.workers)
        return found | _named("a job", a_job) | _named("a second of a worker at work", a_second)

    def without_work(self, plan: Plan, crew: int) -> Figures:
        """Look at workers that have nothing to do: because there is no run, or because others are at its last job."""
        waiting = self._waiting(plan) if self.workers > 1 else dict.fromkeys(Load(0, 0, 0, 0, 0).per(1), 0.0)
        self.meters.start()
        spent = cpu_seconds([crew])
        time.sleep(plan.idle_seconds)
        spent, load = cpu_seconds([crew]) - spent, self.meters.load()
        memory = sum(one.memory_full_info().pss for one in family_of(crew))
        return {
            "all cores, while no worker has work": 100 * spent / load.seconds,
            "memory of all worker processes": memory / MB,
            "connections to PostgreSQL, at rest": float(self.meters.connections()),
            **_named("a second of a worker without work", load.per(load.seconds * self.workers)),
            **_named("a second of a worker that waits for a run's end", waiting),
        }

    def _waiting(self, plan: Plan) -> Figures:
        """Have one worker at a long edit while the others, which have just done a short one, wait for what comes of it.

        The waiting have looked by then, and wait for longer each time.
        """
        last = self._submit(1, seconds_each(plan.idle_seconds + 15), (EDITOR, SCORER))
        self._do(2 * self.workers, seconds_each(0.7), (EDITOR, SCORER))
        self.meters.start()
        time.sleep(plan.idle_seconds)
        load = self.meters.load()
        self.farm.await_end([last], PATIENCE_SECONDS, every=0.5)
        return load.per(load.seconds * (self.workers - 1))

    def _metered(self, pairs_a_worker: int, options: Options) -> tuple[str, Load, int]:
        pairs = pairs_a_worker * self.workers
        self.meters.start()
        run = self._do(pairs, options, (EDITOR, SCORER))
        return run, self.meters.load(), 2 * pairs

    def _do(self, samples: int, options: Options, models: tuple[str, str]) -> str:
        run = self._submit(samples, options, models)
        self.farm.await_end([run], PATIENCE_SECONDS, every=1.0)
        return run

    def _submit(self, samples: int, options: Options, models: tuple[str, str]) -> str:
        images = [tiny_png(number) for number in range(IMAGES)]
        file = write_lines(self.farm.folder, samples, images=images, name=f"benchmark-{next(self._numbers)}")
        self.samples += samples
        (editor, scorer), (editing, scoring) = models, options
        flags = ["--editor", editor, "--scorer", scorer, *told("editor", editing), *told("scorer", scoring)]
        return self.farm.submit(file, *flags).output


def seconds_each(seconds: float) -> Options:
    """Return the options of edits that take so long, and scores that take no time."""
    return SimulatedEditorOptions(seconds=seconds), SimulatedScorerOptions(seconds=0)


def job_and_second(
    short: Load, short_jobs: int, long: Load, long_jobs: int, workers: int
) -> tuple[dict[str, float], dict[str, float]]:
    """Return what a job costs, and what a worker's second at work costs beside it: the two that explain both loads."""
    rates, slower = (load.per(load.seconds * workers) for load in (short, long))
    jobs, fewer = short_jobs / (short.seconds * workers), long_jobs / (long.seconds * workers)
    a_job = {name: max(0.0, (rates[name] - slower[name]) / (jobs - fewer)) for name in rates}
    return a_job, {name: max(0.0, slower[name] - a_job[name] * fewer) for name in rates}


def _named(what: str, costs: Mapping[str, float]) -> Figures:
    """Return costs under the names of the table; those that are bytes are only kept for the scaling."""
    return {
        f"broker, {what}": costs["broker_commands"],
        f"broker bytes, {what}": costs["broker_bytes"],
        f"PostgreSQL, {what}": costs["transactions"],
        f"PostgreSQL log bytes, {what}": costs["wal_bytes"],
        f"broker computes, {what}": 1000 * costs["broker_cores"],
        f"PostgreSQL computes, {what}": 1000 * costs["database_cores"],
    }


def _first_claims(engine: Engine, run_id: str) -> tuple[float, float]:
    """Return after how many milliseconds the run had its first claim, and the last worker that came its own."""
    first = select(func.min(edits.c.started_at)).where(edits.c.run_id == run_id).group_by(edits.c.worker)
    with reading(engine) as connection:
        entered = connection.execute(select(runs.c.created_at).where(runs.c.id == run_id)).scalar_one()
        claims = list(connection.scalars(first))
    return 1000 * (min(claims) - entered), 1000 * (max(claims) - entered)


def _clocks(folder: Path) -> Figures:
    found = read_clocked(folder)
    percentiles: Figures = {}
    for kind in (CLAIM, COMMIT):
        cuts = statistics.quantiles((seconds for seconds, _ in found[kind]), n=100, method="inclusive")
        percentiles |= {f"{kind}, p{number}": 1000 * cuts[number - 1] for number in (50, 95, 99)}
        percentiles[f"statements of a {kind}"] = statistics.mean(statements for _, statements in found[kind])
    return percentiles


def _sizes(site: _Site) -> Figures:
    """Return what a sample takes in the ledger, as it grew and packed, and an edited megapixel in the store."""
    grown = {table: site.meters.table_bytes(table) / site.samples for table in TABLES}
    site.meters.pack()
    packed = {table: site.meters.table_bytes(table) / site.samples for table in TABLES}
    photo = Image.open(io.BytesIO(photo_png(0)))
    return {
        "ledger bytes a sample, as it grew": sum(grown.values()),
        "ledger bytes a sample, packed": sum(packed.values()),
        "bytes of an edited image": float(len(as_png(photo))),
    }


if __name__ == "__main__":
    main()
