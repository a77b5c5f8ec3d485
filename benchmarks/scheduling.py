"""Measures how near the farm's makespan comes to the least possible, beside rivals: `python -m benchmarks.scheduling`.

A GPU is a process whose model sleeps, so any machine can do it; broker, ledger, workers and rivals are real. The
durations are those of the first scripts, shortened tenfold: what a system costs per job weighs ten times as much as in
truth. All systems do the same items, with the same durations, in turns; the bound is computed from what was drawn.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import click

from benchmarks.drawn_work.cases import (
    CASES,
    FIRST_SCRIPTS,
    ONE_SCORER,
    PLAIN_CELERY,
    PROCESS_POOL,
    RAY_ACTORS,
    RAY_DATA,
    Case,
)
from benchmarks.drawn_work.drawing import joined
from benchmarks.drawn_work.ours import LEASE_SECONDS, LINGER_SECONDS, Ours
from benchmarks.figures.goals import Goal, chosen_by_name, every, publish, verdict
from benchmarks.figures.machine import busy_core_seconds, cpu_description, measured_on
from benchmarks.figures.outcome import Fell, Outcome
from benchmarks.figures.tables import markdown_table
from benchmarks.measured_farm.farm import open_farm
from benchmarks.rivals.plan import Plan
from benchmarks.rivals.running import Rival, run_rival

SCALE = 0.1
OURS = "ours"

RIVALS = {
    FIRST_SCRIPTS: Rival("first_scripts", ("all",)),
    ONE_SCORER: Rival("first_scripts", ("one",)),
    PROCESS_POOL: Rival("pool"),
    PLAIN_CELERY: Rival("plain_celery"),
    RAY_ACTORS: Rival("ray_actors", ("pool",), needs="ray"),
    RAY_DATA: Rival("ray_actors", ("data",), needs="ray"),
}

Run = Callable[[], Outcome]


@dataclass(frozen=True)
class Row:
    """One system in one case: medians of the rounds in `every_makespan`, seconds.

    `holds` is None where nothing is asked; `note`: why there is no figure.
    """

    case: str
    system: str
    makespan_seconds: float | None = None
    bound_seconds: float | None = None
    over_the_bound: float | None = None
    times_ours: float | None = None
    swaps: int | None = None
    goal: str = ""
    holds: bool | None = None
    note: str = ""
    every_makespan: Sequence[float] = ()

    @property
    def every_over_the_bound(self) -> list[float]:
        """What `over_the_bound` is the median of."""
        return [seconds / self.bound_seconds for seconds in self.every_makespan] if self.bound_seconds else []


@dataclass
class Measured:
    """What came of one system in the rounds so far; `fell` is why there will be no more."""

    outcomes: list[Outcome] = field(default_factory=list)
    fell: str = ""

    @property
    def seconds(self) -> float | None:
        """The median makespan; None for a system that fell in any round."""
        return statistics.median(self.every_makespan) if self.outcomes and not self.fell else None

    @property
    def every_makespan(self) -> list[float]:
        """One for each round, in seconds."""
        return [outcome.seconds for outcome in self.outcomes]

    @property
    def swaps(self) -> int | None:
        """The most changes of models by one worker in any round."""
        return max((outcome.most_swaps for outcome in self.outcomes if outcome.most_swaps is not None), default=None)


@click.command()
@click.option(
    "--case", "names", multiple=True, help="A case, or how its name begins; may be given often. [default: all]"
)
@click.option("--rounds", default=3, show_default=True, help="Of which the median is taken.")
@click.option("--rivals/--no-rivals", default=True, show_default=True, help="Let the rivals do the same work.")
@click.option("--ray-python", default=sys.executable, help="Interpreter that has ray. [default: this one]")
@click.option("--scale", default=SCALE, show_default=True, help="Durations are those of the first scripts times this.")
@click.option("--seed", default=0, show_default=True, help="Of everything that is drawn.")
@click.option("--json", "as_json", is_flag=True, help="A JSON line for each row; the table goes to stderr.")
def main(names: Sequence[str], as_json: bool, **as_told: Any) -> None:
    """Measure makespans against the bound; markdown on stdout. Exit code 1 when a goal is missed."""
    libraries: set[str] = set()
    measurements = [Measurement(case, **as_told) for case in chosen_by_name(CASES, names)]
    publish(
        _rows(measurements, libraries), lambda rows: f"{_table(rows)}\n\n{_measured_on(libraries)}", as_json=as_json
    )


def _rows(measurements: Sequence[Measurement], libraries: set[str]) -> Iterator[Row]:
    """Measure one after the other; note the rivals' libraries on the way."""
    for measurement in measurements:
        measured = measure(measurement)
        libraries |= {outcome.library for one in measured.values() for outcome in one.outcomes if outcome.library}
        yield from rows_of(measurement.case, measurement.bound, measured)


# -- measuring ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Measurement:
    """One case as it is to be measured."""

    case: Case
    seed: int = 0
    rounds: int = 1
    rivals: bool = True
    ray_python: str = sys.executable
    scale: float = SCALE

    @property
    def bound(self) -> float:
        """The least possible seconds."""
        return self.case.bound(self.scale, self.seed)


def measure(measurement: Measurement) -> dict[str, Measured]:
    """Return what came of each system; every round lets all of them run, one after the other."""
    with open_farm(linger_seconds=LINGER_SECONDS * measurement.scale, lease_seconds=LEASE_SECONDS) as farm:
        ours = Ours(farm)
        systems = _systems(measurement, ours)
        ours.warm_up(measurement.case.draws(measurement.scale, measurement.seed), len(measurement.case.paces))
        measured = {name: Measured() for name in systems}
        for number in range(measurement.rounds):
            for name, run in systems.items():
                before = busy_core_seconds()
                _measure_once(measured[name], run)
                _tell(f"{measurement.case.name}, round {number + 1}: {name}", measured[name], busy_since=before)
    return measured


def _systems(measurement: Measurement, ours: Ours) -> dict[str, Run]:
    case, scale, seed, bound = measurement.case, measurement.scale, measurement.seed, measurement.bound
    draws = case.draws(scale, seed)
    systems: dict[str, Run] = {OURS: partial(ours.measure, draws, case.cards(scale, seed), bound)}
    if measurement.rivals:
        plan = Plan(joined(draws), case.paces, ours.farm.broker_url)
        for name in case.rivals:
            python = measurement.ray_python if RIVALS[name].needs == "ray" else sys.executable
            systems[name] = partial(run_rival, RIVALS[name], plan, bound, python)
    return systems


def _measure_once(measured: Measured, run: Run) -> None:
    if measured.fell:
        return
    try:
        measured.outcomes.append(run())
    except Fell as error:
        measured.fell = str(error)


def _tell(what: str, measured: Measured, *, busy_since: float) -> None:
    """Say how it went, and how busy that kept the machine: where others keep it busy, figures mean little."""
    figure = measured.fell or f"{measured.outcomes[-1].seconds:.2f} s"
    click.echo(f"{what}: {figure} ({busy_core_seconds() - busy_since:.0f} s of all cores in use)", err=True)


# -- rows --------------------------------------------------------------------------------------------------------------


def rows_of(case: Case, bound: float, measured: Mapping[str, Measured]) -> Iterator[Row]:
    """Yield a row for each system, and one for ours' changes of models where a goal is set for them."""
    ours = measured[OURS].seconds
    for name, one in measured.items():
        over = one.seconds / bound if one.seconds else None
        times = one.seconds / ours if one.seconds and ours and name != OURS else None
        goal, value = _goal(case, name), over if name == OURS else times
        yield Row(
            case=case.name,
            system=name,
            makespan_seconds=one.seconds,
            bound_seconds=bound,
            over_the_bound=over,
            times_ours=times,
            swaps=one.swaps,
            goal=str(goal or ""),
            holds=goal.holds(value) if goal else None,
            note=one.fell,
            every_makespan=one.every_makespan,
        )
    if case.runs > 1:
        goal, swaps = Goal("a worker's changes of models", case.runs), measured[OURS].swaps
        yield Row(case.name, OURS, swaps=swaps, goal=f"{goal}, has {swaps}", holds=goal.holds(swaps))


def _goal(case: Case, system: str) -> Goal | None:
    if system == OURS:
        return Goal("over the bound", case.goal)
    if system == FIRST_SCRIPTS and case.faster is not None:
        return Goal("times ours", case.faster, at_most=False)
    return None


def _table(rows: Sequence[Row]) -> str:
    header = ["case", "system", "makespan s", "over the bound", "each round", "times ours", "goal", "holds"]
    return markdown_table(header, map(_cells, rows))


def _cells(row: Row) -> list[str]:
    return [
        row.case,
        f"{row.system}: {row.note}" if row.note else row.system,
        _figure(row.makespan_seconds, 2),
        _figure(row.over_the_bound, 3),
        every(row.every_over_the_bound, "{:.3f}".format),
        _figure(row.times_ours, 2),
        row.goal,
        verdict(row.holds),
    ]


def _figure(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _measured_on(libraries: set[str]) -> str:
    rivals = f" Rivals: {', '.join(sorted(libraries))}." if libraries else ""
    return measured_on(cpu_description(), ("celery", "SQLAlchemy")) + rivals


if __name__ == "__main__":
    main()
