"""Gathers a report from the ledger.

How far the run is, is asked first: what ends meanwhile may be in a report that says PARTIAL, never the other way round.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from sqlalchemy import Connection, Engine

from db.engine import reading
from db.outcomes import failures_of, judged_samples, last_outcome_at, retried_jobs
from db.queries import Progress, Run, environments_of, find_run, progress_of, shared_edits
from db.recipe import FollowedRecipe
from db.tables import Stage
from producer.report.figures import agreements, scorer_reports
from producer.report.official import official_report
from producer.report.schema import Benchmark, FailedJob, Method, OfficialReport, Provenance, Report
from producer.report.scores import RunScores, read_scores
from producer.standing.status import progress_data
from producer.statistics.bootstrap import LEVEL, METHOD, RESAMPLES, SEED
from producer.words import counted


def gather_report(engine: Engine, given_run: str, *, without_retried: bool = False) -> Report:
    """Gather the report of the run of this id, or `latest`. Raises UnknownRun.

    `without_retried`: scores that a person had done again, or whose edit was, are left out of every figure.
    """
    run = find_run(engine, given_run)
    progress = progress_of(engine, run.id)
    with reading(engine) as connection:
        scores = read_scores(connection, run.id, without_retried=without_retried)
        return Report(
            run=run.id,
            benchmark=Benchmark(digest=run.benchmark_id, name=run.benchmark_name, samples=run.sample_count),
            editor=run.configuration["editor"]["label"],
            partial=progress.partial,
            missing=what_is_missing(progress) if progress.partial else None,
            progress=progress_data(progress),
            method=Method(interval=METHOD, level=LEVEL, resamples=RESAMPLES, seed=SEED),
            scorers=scorer_reports(scores),
            official=official_tables(connection, run, scores),
            agreement=agreements(scores),
            failures=_failures(connection, run.id),
            provenance=_provenance(engine, connection, run),
        )


def official_tables(connection: Connection, run: Run, scores: RunScores) -> OfficialReport | None:
    """Return the tables of the recipe that the run follows; None where it follows none."""
    if run.configuration.get("recipe") is None:
        return None
    recipe = FollowedRecipe.model_validate(run.configuration["recipe"])
    return official_report(recipe, scores, judged_samples(connection, run.id))


def what_is_missing(progress: Progress) -> str:
    """Return in words what of a partial run is missing."""
    missing = []
    if not progress.finished:
        scores = progress.scores_asked - progress.scores.ended
        missing.append(f"{counted(progress.edits.open, 'edit')} and {counted(scores, 'score')} are still to come")
    if progress.cancelled:
        missing.append(f"{counted(progress.cancelled, 'job')} cancelled")
    return ", ".join(missing)


def _failures(connection: Connection, run_id: str) -> list[FailedJob]:
    """Return every failed job in the benchmark's order: of each edit itself or, scorer by scorer, its scores."""
    found = sorted(failures_of(connection, run_id), key=lambda one: _place(*one))
    return [
        FailedJob(
            stage=stage,
            scorer=row.label if stage is Stage.SCORE else None,
            category=row.category,
            key=row.key,
            repeat=row.repeat,
            judge_repeat=row.judge_repeat if stage is Stage.SCORE else 0,
            kind=row.failure_kind,
            reason=row.failure_reason,
        )
        for stage, row in found
    ]


def _place(stage: Stage, row: Any) -> tuple[int, int, int]:
    return row.position, row.repeat, row.scorer_id if stage is Stage.SCORE else 0


def _provenance(engine: Engine, connection: Connection, run: Run) -> Provenance:
    retried = retried_jobs(connection, run.id)
    environments: list[Mapping[str, Any]] = environments_of(engine, run.id)
    return Provenance(
        configuration=run.configuration,
        environments=environments,
        shared_edits=shared_edits(engine, run.id),
        retried_edits=retried[Stage.EDIT],
        retried_scores=retried[Stage.SCORE],
        priority=run.priority,
        created_at=run.created_at,
        finished_at=last_outcome_at(connection, run.id),
        editfarm=version("editfarm"),
    )
