"""Workers under no work, short work and long work, and what each of that costs the broker and the database."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

from sqlalchemy import Engine, func, select

from benchmarks.measured_farm.farm import Farm, told
from benchmarks.measured_farm.meters import Load, Meters
from benchmarks.measured_farm.processes import MB, cpu_seconds, family_of
from benchmarks.measured_farm.samples import tiny_png, write_lines
from benchmarks.measured_farm.stretches import busy_percent, gaps_of, median_and_p95_ms, pairs_per_second, stretches_of
from benchmarks.measured_farm.timed import EDITOR, NO_OP, SCORER, Options
from db.engine import reading
from db.options import SimulatedEditorOptions, SimulatedScorerOptions
from db.tables import edits, runs

PATIENCE_SECONDS = 600.0
IMAGES = 8

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


class Site:
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
