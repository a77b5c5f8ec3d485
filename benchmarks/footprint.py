"""Measures what a farm takes that does nothing: memory, and the time until it is ready: `benchmarks.footprint`."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

import click

from benchmarks.figures.goals import Figure, Measured, figures_table, in_rounds, publish
from benchmarks.figures.outcome import Fell
from benchmarks.measured_farm.farm import QUIET_CORES, QUIET_SECONDS, START_SECONDS, Farm, open_farm
from benchmarks.measured_farm.processes import MB, Process, cpu_seconds, family_of, peak_bytes, resident_bytes
from benchmarks.measured_farm.samples import tiny_png, write_lines

PARENT_MB, BROKER_MB = 90.0, 20.0
READY_SECONDS = 5.0
WORKERS = 24
SAMPLES_A_WORKER = 10
LOOK_SECONDS = 0.2
"""How often a farm that starts is looked at: looking takes of the cores that it starts on."""

ONE_WORKER: Mapping[str, Sequence[str]] = {
    "python -m workers": ("workers", "--workers", "1"),
    "celery -A workers worker": ("celery", "-A", "workers", "worker", "-Q", "edit,score"),
}
SIMULATED = ("--editor", "simulated", "--scorer", "simulated", "--set", "editor.seconds=0", "--set", "scorer.seconds=0")


@click.command()
@click.option("--workers", "count", default=WORKERS, show_default=True, help="Of the farm whose start is measured.")
@click.option("--rounds", default=3, show_default=True, help="Of which the median is taken.")
@click.option("--json", "as_json", is_flag=True, help="A JSON line for each row; the table goes to stderr.")
def main(count: int, rounds: int, as_json: bool) -> None:
    """Measure memory and starts; markdown on stdout. Exit code 1 when a goal is missed."""
    of_one = chain.from_iterable(parent_rows(name, rounds) for name in ONE_WORKER)
    publish(chain(of_one, farm_rows(count, rounds)), figures_table, as_json=as_json)


def parent_rows(name: str, rounds: int) -> Iterator[Measured]:
    """Yield the row of a worker's parent process, by the command that starts it."""
    figures = (Figure.at_most(name, "memory of a worker's parent process", "MB", PARENT_MB),)

    def measure() -> Sequence[float]:
        with open_farm() as farm, farm.running(*ONE_WORKER[name]) as process:
            _await_ready(farm, process, 1)
            _work(farm, 1)
            (parent,) = farm.parents()
            return (resident_bytes(parent) / MB,)

    return in_rounds(figures, measure, rounds)


def farm_rows(count: int, rounds: int) -> Iterator[Measured]:
    """Yield the rows of a whole farm: its start, its memory, its broker's."""
    name = f"python -m workers --workers {count}"
    figures = (
        Figure.at_most(name, "ready after", "s", READY_SECONDS),
        Figure(name, "memory of all its processes, what they share counted once", "MB"),
        Figure.at_most(name, "peak memory of the embedded broker", "MB", BROKER_MB),
    )

    def measure() -> Sequence[float]:
        with open_farm() as farm, farm.running("workers", "--workers", str(count)) as process:
            ready = _await_ready(farm, process, count)
            shared_once = sum(one.memory_full_info().pss for one in family_of(process.pid))
            _work(farm, count)
            return ready, shared_once / MB, peak_bytes(farm.broker_pid) / MB

    return in_rounds(figures, measure, rounds)


def _await_ready(farm: Farm, process: Process, count: int) -> float:
    """Return the seconds from now to where so many workers were there, with children, and none of them at anything.

    That they do nothing is seen a while later; it counts from when it began.
    """
    started = quiet_since = time.monotonic()
    spent = 0.0
    while time.monotonic() - quiet_since < QUIET_SECONDS:
        if process.poll() is not None or time.monotonic() - started > START_SECONDS:
            raise Fell(f"{len(farm.parents())} of {count} workers came")
        time.sleep(LOOK_SECONDS)
        before, spent = spent, cpu_seconds([process.pid])
        if spent - before > QUIET_CORES * LOOK_SECONDS or not farm.all_there(process, count):
            quiet_since = time.monotonic()
    return quiet_since - started


def _work(farm: Farm, count: int) -> None:
    """Have some samples done: memory is what it is afterwards."""
    benchmark = write_lines(farm.folder, SAMPLES_A_WORKER * count, images=[tiny_png(0)])
    farm.await_end([farm.submit(benchmark, *SIMULATED).output], START_SECONDS)


if __name__ == "__main__":
    main()
