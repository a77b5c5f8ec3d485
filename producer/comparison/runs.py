"""The runs that stand beside each other: found, each once and of one benchmark, and what each is called."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine

from db.errors import WrongCall
from db.queries import Run, find_run, progress_of
from producer.comparison.schema import ComparedRun
from producer.report.gather import what_is_missing


def runs_beside(engine: Engine, given: Sequence[str], rule: str, *, of_several: bool = False) -> list[Run]:
    """Return the runs of these ids. Raises UnknownRun, and WrongCall for one that is given twice.

    So it does for runs of several benchmarks, unless `of_several`; `rule` says what holds there.
    """
    runs = [find_run(engine, one) for one in given]
    first = runs[0]
    for number, run in enumerate(runs):
        if run.id in [other.id for other in runs[:number]]:
            raise WrongCall(f"run {run.id} is given twice")
        if run.benchmark_id != first.benchmark_id and not of_several:
            raise WrongCall(
                f"run {first.id} is of benchmark {first.benchmark_name!r} ({first.benchmark_id[:12]}), run {run.id} of "
                f"{run.benchmark_name!r} ({run.benchmark_id[:12]}): {rule}"
            )
    return runs


def names_of(runs: Sequence[Run]) -> dict[str, str]:
    """Return what each run is called: its editor's label, with the run's id where that is another's, too."""
    labels = [str(run.configuration["editor"]["label"]) for run in runs]
    return {
        run.id: label if labels.count(label) == 1 else f"{label} ({run.id})"
        for run, label in zip(runs, labels, strict=True)
    }


def compared_run(engine: Engine, run: Run, name: str) -> ComparedRun:
    """Return what is told of a run that stands beside others."""
    progress = progress_of(engine, run.id)
    return ComparedRun(
        run=run.id,
        name=name,
        editor=run.configuration["editor"]["label"],
        benchmark=run.benchmark_name,
        benchmark_digest=run.benchmark_id,
        samples=run.sample_count,
        missing=what_is_missing(progress) if progress.partial else None,
    )
