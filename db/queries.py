"""What the ledger can be asked about runs; nothing here changes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Engine, Row, func, select

from db.choice import GIVEN, IMPORTED
from db.engine import reading, shown_url
from db.errors import UnknownRun, WrongCall
from db.tables import JOB_TABLES, Stage, State, benchmarks, edits, environments, run_scorers, runs, samples, scores
from db.to_do import with_run


@dataclass(frozen=True)
class Counts:
    """How many jobs of one stage stand in each state."""

    by_state: Mapping[State, int]

    def __getitem__(self, state: State) -> int:
        return self.by_state.get(state, 0)

    @property
    def total(self) -> int:
        """All jobs of the stage that exist so far."""
        return sum(self.by_state.values())

    @property
    def open(self) -> int:
        """Jobs that wait or run."""
        return self[State.QUEUED] + self[State.RUNNING]

    @property
    def ended(self) -> int:
        """Jobs that are done, failed or cancelled."""
        return self.total - self.open


@dataclass(frozen=True)
class Progress:
    """Where a run stands. A score exists once its edit is done, so `scores_asked` may exceed `scores.total`."""

    edits: Counts
    scores: Counts
    scorer_count: int

    @property
    def scores_asked(self) -> int:
        """Every score that the run can still have: one per scorer of each edit that has not ended without an image."""
        without_image = self.edits[State.FAILED] + self.edits[State.CANCELLED]
        return (self.edits.total - without_image) * self.scorer_count

    @property
    def finished(self) -> bool:
        """No job waits or runs."""
        return not (self.edits.open or self.scores.open)

    @property
    def cancelled(self) -> int:
        """Jobs that were called off."""
        return self.edits[State.CANCELLED] + self.scores[State.CANCELLED]

    @property
    def partial(self) -> bool:
        """Some outcomes are missing: jobs wait, run or were cancelled."""
        return not self.finished or self.cancelled > 0

    @property
    def complete(self) -> bool:
        """Every job is done."""
        return (
            self.finished
            and self.edits[State.DONE] == self.edits.total
            and self.scores[State.DONE] == self.scores.total
        )


@dataclass(frozen=True)
class Run:
    """One run as it was asked."""

    id: str
    benchmark_id: str
    benchmark_name: str
    sample_count: int
    configuration: Mapping[str, Any]
    priority: str
    created_at: float
    prompts: Mapping[str, Any] | None = None
    """The benchmark's own prompts, as JSON; None where an older version entered the run, which kept none."""

    @property
    def is_imported(self) -> bool:
        """Its scores were published by others: nothing of it can be done again here."""
        return bool(self.configuration["editor"]["name"] == IMPORTED)

    @property
    def is_given(self) -> bool:
        """Its edited images were there already: they can be scored here, and not made."""
        return bool(self.configuration["editor"]["name"] == GIVEN)


@dataclass(frozen=True)
class Worker:
    """What a worker is doing now, with which model; the samples whose jobs it has claimed, the first of them first."""

    name: str
    stage: Stage
    model: str
    keys: Sequence[str]
    since: float


@dataclass(frozen=True)
class GivenScore:
    """A score as it came in; `reasoning` is what the judge said of it, empty where it said nothing."""

    score_id: int
    finished_at: float
    scorer: str
    category: str
    key: str
    repeat: int
    judge_repeat: int
    value: float
    reasoning: str


def find_run(engine: Engine, given: str) -> Run:
    """Return the run of this id or beginning of an id, or the newest for `latest`. Raises UnknownRun."""
    query = (
        select(runs, benchmarks.c.name, benchmarks.c.sample_count).join(benchmarks).order_by(runs.c.created_at.desc())
    )
    if given != "latest":
        query = query.where(runs.c.id.startswith(given, autoescape=True))
    with reading(engine) as connection:
        found = connection.execute(query.limit(2)).all()
    if not found:
        where = f"{shown_url(engine.url)}, as FARM_HOME and FARM_DATABASE_URL have it"
        raise UnknownRun(
            f"the ledger has no run yet ({where})" if given == "latest" else f"the ledger has no run {given!r}"
        )
    if len(found) > 1 and given != "latest":
        raise WrongCall(f"more than one run begins with {given!r}: give more of its id")
    return _run(found[0])


def all_runs(engine: Engine) -> list[Run]:
    """Return every run, the newest first."""
    query = (
        select(runs, benchmarks.c.name, benchmarks.c.sample_count).join(benchmarks).order_by(runs.c.created_at.desc())
    )
    with reading(engine) as connection:
        return [_run(row) for row in connection.execute(query)]


def progress_of(engine: Engine, run_id: str) -> Progress:
    """Count the run's jobs by state, both stages at one moment."""
    with reading(engine) as connection:
        counts = {
            stage: Counts(
                {
                    State(state): count
                    for state, count in connection.execute(
                        select(jobs.c.state, func.count())
                        .select_from(with_run(stage))
                        .where(runs.c.id == run_id)
                        .group_by(jobs.c.state)
                    )
                }
            )
            for stage, jobs in JOB_TABLES.items()
        }
        scorer_count = connection.scalar(
            select(func.count()).select_from(run_scorers).where(run_scorers.c.run_id == run_id)
        )
    return Progress(counts[Stage.EDIT], counts[Stage.SCORE], scorer_count or 0)


def working(engine: Engine, run_id: str) -> list[Worker]:
    """Return what each worker is doing for this run at the moment, by worker name."""
    workers: list[Worker] = []
    with reading(engine) as connection:
        for stage, jobs in JOB_TABLES.items():
            source = with_run(stage)
            if stage is Stage.SCORE:
                source = source.join(edits, scores.c.edit_id == edits.c.id)
            model = runs.c.configuration["editor"]["label"].as_string() if stage is Stage.EDIT else run_scorers.c.label
            rows = connection.execute(
                select(jobs.c.worker, samples.c.key, jobs.c.started_at, model.label("model"))
                .select_from(source.join(samples, edits.c.sample_id == samples.c.id))
                .where(runs.c.id == run_id, jobs.c.state == State.RUNNING)
                .order_by(jobs.c.worker, jobs.c.started_at, jobs.c.id)
            )
            for name, claimed in groupby(rows, key=lambda row: str(row.worker)):
                mine = list(claimed)
                workers.append(Worker(name, stage, mine[0].model, [row.key for row in mine], mine[0].started_at))
    return sorted(workers, key=lambda worker: worker.name)


def scores_given(engine: Engine, run_id: str, since: float) -> list[GivenScore]:
    """Return the run's scores that came in at `since` (seconds since the epoch) or later, in that order."""
    query = (
        select(
            scores.c.id,
            scores.c.finished_at,
            run_scorers.c.label,
            samples.c.category,
            samples.c.key,
            edits.c.repeat,
            run_scorers.c.repeat.label("judge_repeat"),
            scores.c.value,
            scores.c.detail,
        )
        .select_from(with_run(Stage.SCORE).join(edits, scores.c.edit_id == edits.c.id))
        .join(samples, edits.c.sample_id == samples.c.id)
        .where(runs.c.id == run_id, scores.c.state == State.DONE, scores.c.finished_at >= since)
        .order_by(scores.c.finished_at, scores.c.id)
    )
    with reading(engine) as connection:
        return [
            GivenScore(*row[:8], reasoning=str((row.detail or {}).get("reasoning") or ""))
            for row in connection.execute(query)
        ]


def environments_of(engine: Engine, run_id: str) -> list[Mapping[str, Any]]:
    """Return where the run's outcomes came about: the facts of each environment, with how many outcomes it has."""
    counts: dict[str, dict[str, int]] = {}
    with reading(engine) as connection:
        for stage, jobs in JOB_TABLES.items():
            used = (
                select(jobs.c.environment, func.count())
                .select_from(with_run(stage))
                .where(runs.c.id == run_id, jobs.c.environment.is_not(None))
                .group_by(jobs.c.environment)
            )
            for environment, count in connection.execute(used):
                counts.setdefault(environment, {})[f"{stage}s"] = count
        known = select(environments).where(environments.c.id.in_(counts)).order_by(environments.c.id)
        return [{"facts": row.facts, **counts[row.id]} for row in connection.execute(known)]


def shared_edits(engine: Engine, run_id: str) -> dict[str, int]:
    """Return how many of a run's edits were made for other runs, by their ids."""
    of_others = (edits.c.run_id == run_id, edits.c.made_for.is_not(None))
    query = select(edits.c.made_for, func.count().label("edits")).where(*of_others).group_by(edits.c.made_for)
    with reading(engine) as connection:
        return {row.made_for: row.edits for row in connection.execute(query.order_by(edits.c.made_for))}


def _run(row: Row[Any]) -> Run:
    return Run(
        id=row.id,
        benchmark_id=row.benchmark_id,
        benchmark_name=row.name,
        sample_count=row.sample_count,
        configuration=row.configuration,
        priority=row.priority,
        created_at=row.created_at,
        prompts=row.prompts,
    )
