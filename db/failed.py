"""Which of the jobs of a run that failed a person means: by why they failed, and by the category of their sample."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, and_, func, select

from db.categories import category_called
from db.engine import reading
from db.errors import WrongCall
from db.tables import JOB_TABLES, FailureKind, Stage, State, edits, runs, samples, scores


@dataclass(frozen=True)
class FailedJobs:
    """Those that failed for one of these reasons, in one of these categories; where none is named, any.

    What is missing is never among them: no worker can make an image that was to be given.
    """

    kinds: frozenset[FailureKind] = frozenset()
    categories: frozenset[str] = frozenset()

    def of(self, run_id: str, stage: Stage) -> ColumnElement[bool]:
        """Return the condition that a job of this run and stage is one of them."""
        jobs = JOB_TABLES[stage]
        conditions = [jobs.c.state == State.FAILED, jobs.c.failure_kind != FailureKind.MISSING]
        if self.kinds:
            conditions.append(jobs.c.failure_kind.in_(sorted(self.kinds)))
        if self.categories:
            in_them = select(edits.c.id).join(samples, edits.c.sample_id == samples.c.id)
            wanted = in_them.where(edits.c.run_id == run_id, samples.c.category.in_(sorted(self.categories)))
            conditions.append((edits.c.id if stage is Stage.EDIT else scores.c.edit_id).in_(wanted))
        return and_(*conditions)


def failed_jobs(engine: Engine, run_id: str, *, kinds: Iterable[str], categories: Iterable[str]) -> FailedJobs:
    """Return the jobs that are meant by words: kinds of failure, and the run's categories, by name or alias.

    Raises WrongCall naming what there is where a word means nothing.
    """
    chosen = list(categories)
    known = categories_of(engine, run_id) if chosen else []
    return FailedJobs(frozenset(map(_kind, kinds)), frozenset(category_called(given, known) for given in chosen))


def _kind(given: str) -> FailureKind:
    try:
        kind = FailureKind(given)
    except ValueError as error:
        raise WrongCall(f"nothing fails as {given!r}; the kinds are {', '.join(FailureKind)}") from error
    if kind is FailureKind.MISSING:
        raise WrongCall(
            "no worker can make an image that is missing: add it to what --edits names and submit that again"
        )
    return kind


def categories_of(engine: Engine, run_id: str) -> list[str]:
    """Return the categories of the run's benchmark, in its order."""
    with reading(engine) as connection:
        return [row.category for row in connection.execute(_categories(run_id))]


def _categories(run_id: str) -> Select[Any]:
    of_run = select(samples.c.category).select_from(samples).join(runs, samples.c.benchmark_id == runs.c.benchmark_id)
    return of_run.where(runs.c.id == run_id).group_by(samples.c.category).order_by(func.min(samples.c.position))
