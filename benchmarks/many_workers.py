"""Measures one broker and one PostgreSQL under many workers, and what each job costs them: `benchmarks.many_workers`.

Models do nothing, or sleep as if they were on a GPU; all else is real. What the costs come to with more GPUs and
samples than can be tried here is computed by `benchmarks.scaling`, from the file that this writes.
"""

from __future__ import annotations

import io
import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import click
from PIL import Image

from benchmarks.figures.machine import cpu_description, measured_on
from benchmarks.figures.tables import figure, markdown_table
from benchmarks.measured_farm.clocked import CLAIM, COMMIT, FOLDER, read_clocked
from benchmarks.measured_farm.databases import POSTGRESQL
from benchmarks.measured_farm.farm import START_SECONDS, open_farm
from benchmarks.measured_farm.meters import Meters
from benchmarks.measured_farm.processes import wait_until
from benchmarks.measured_farm.samples import photo_png
from benchmarks.measured_farm.site import LONG, QUICK, SHORT, Figures, Plan, Site
from benchmarks.scaling import CONSTANTS
from workers.stint.keeping import as_png

WORKERS = (1, 8, 24, 64)
TABLES = ("samples", "edits", "scores")

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
        with farm.running("workers", "--workers", str(workers)) as crew:
            wait_until(partial(farm.all_there, crew, workers), START_SECONDS, f"{workers} workers", every=0.5)
            site = Site(farm, meters, workers)
            found = {**site.no_op(plan), **site.at_work(plan), **site.without_work(plan, crew.pid)}
        found |= _clocks(clocked) | _sizes(site)
        meters.close()
    click.echo(f"{workers} workers: {found['no-op models']:.0f} pairs/s", err=True)
    return found


def _clocks(folder: Path) -> Figures:
    found = read_clocked(folder)
    percentiles: Figures = {}
    for kind in (CLAIM, COMMIT):
        cuts = statistics.quantiles((seconds for seconds, _ in found[kind]), n=100, method="inclusive")
        percentiles |= {f"{kind}, p{number}": 1000 * cuts[number - 1] for number in (50, 95, 99)}
        percentiles[f"statements of a {kind}"] = statistics.mean(statements for _, statements in found[kind])
    return percentiles


def _sizes(site: Site) -> Figures:
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
