"""A run that comes from another farm, entered whole or not at all; nothing of it is worked on until it is resumed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, zip_longest
from typing import Any

from sqlalchemy import Connection, Engine, exists, insert, select

from db.engine import database_clock, reading, transaction
from db.environments import enter_environment
from db.errors import WrongCall
from db.intake import count_anew, one_at_a_time, require_benchmark
from db.moving.read import AT_ONCE, read_edits, read_run, settled
from db.moving.records import MovedEdit, MovedRun
from db.tables import OPEN_STATES, State, benchmarks, edits, run_scorers, runs, samples, scores

Edits = Callable[[], Iterable[MovedEdit]]
"""Begins anew to yield the edits of a run, with each call."""

_MAY_DIFFER = {"priority", "prompts", "benchmark"}
"""What of a run may have changed since: a person changes the first, submitting again the second; the third is named by
its content."""


def benchmark_name(engine: Engine, run: MovedRun) -> str | None:
    """Return what the run's benchmark is called here, where it is here."""
    with reading(engine) as connection:
        return connection.scalar(select(benchmarks.c.name).where(benchmarks.c.id == run.benchmark.id))


def is_there(engine: Engine, run: MovedRun, its_edits: Edits) -> bool:
    """Tell whether this very run is in the ledger. Raises WrongCall where another of its id is."""
    with reading(engine) as connection:
        return _is_there(connection, run, its_edits)


def enter_moved(engine: Engine, run: MovedRun, its_edits: Edits) -> bool:
    """Enter the run with its edits and scores; its benchmark is complete, and its images are in the store.

    What waited or ran is cancelled here, so that two farms do not both go on with it; `resume` queues it.
    Return False when the very run was there already. Raises WrongCall where another of its id is.
    """
    for facts in run.environments.values():
        enter_environment(engine, facts)
    with transaction(engine) as connection:
        one_at_a_time(connection, run.benchmark.id)
        if _is_there(connection, run, its_edits):
            return False
        require_benchmark(connection, run.benchmark.id)
        scorer_ids = _enter_run(connection, run)
        now = database_clock(connection)
        entered, rest = 0, iter(its_edits())
        while some := list(islice(rest, AT_ONCE)):
            _enter_edits(connection, run, some, scorer_ids, now)
            entered += len(some)
        count_anew(connection, entered)
    return True


def _is_there(connection: Connection, run: MovedRun, its_edits: Edits) -> bool:
    if not connection.scalar(select(exists().where(runs.c.id == run.id))):
        return False
    if not _same_run(read_run(connection, run.id), run) or not _same_edits(connection, run, its_edits()):
        raise WrongCall(
            f"run {run.id} is here already, and not all that came of it is as in the archive; "
            f"`python -m producer remove {run.id}` makes room for the other"
        )
    return True


def _same_run(here: dict[str, Any], run: MovedRun) -> bool:
    found = MovedRun.model_validate(here)
    return found.model_dump(exclude=_MAY_DIFFER) == run.model_dump(exclude=_MAY_DIFFER)


def _same_edits(connection: Connection, run: MovedRun, its_edits: Iterable[MovedEdit]) -> bool:
    here: Iterator[dict[str, Any]] = read_edits(connection, run.id)
    there = (edit.model_dump(exclude_defaults=True) for edit in its_edits)
    return all(
        one is not None and other is not None and settled(one) == settled(other)
        for one, other in zip_longest(here, there)
    )


def _enter_run(connection: Connection, run: MovedRun) -> list[int]:
    """Enter the run and its scorers; return the ids of these, in their order."""
    own = run.model_dump(include={"id", "configuration", "priority", "editing", "created_at", "prompts"})
    connection.execute(insert(runs).values(benchmark_id=run.benchmark.id, **own))
    connection.execute(insert(run_scorers), [{"run_id": run.id, **scorer.model_dump()} for scorer in run.scorers])
    entered = select(run_scorers.c.id).where(run_scorers.c.run_id == run.id).order_by(run_scorers.c.id)
    return list(connection.scalars(entered))


def _enter_edits(
    connection: Connection, run: MovedRun, some: Sequence[MovedEdit], scorer_ids: Sequence[int], now: float
) -> None:
    named = samples.c.position.in_({edit.position for edit in some})
    at = select(samples.c.position, samples.c.id).where(samples.c.benchmark_id == run.benchmark.id, named)
    sample_ids = {row.position: row.id for row in connection.execute(at)}
    rows = [
        {"run_id": run.id, "sample_id": sample_ids[edit.position], **_job(edit, now, "position", "scores")}
        for edit in some
    ]
    connection.execute(insert(edits), rows)
    of_them = (edits.c.run_id == run.id, edits.c.sample_id.in_(sample_ids.values()))
    entered = connection.execute(select(edits.c.sample_id, edits.c.repeat, edits.c.id).where(*of_them))
    edit_ids = {(row.sample_id, row.repeat): row.id for row in entered}
    judged = [
        {
            "edit_id": edit_ids[sample_ids[edit.position], edit.repeat],
            "scorer_id": scorer_ids[score.scorer],
            **_job(score, now, "scorer"),
        }
        for edit in some
        for score in edit.scores
    ]
    if judged:
        connection.execute(insert(scores), judged)


def _job(job: Any, now: float, *without: str) -> dict[str, Any]:
    """Return the columns of a job as it is entered here."""
    values: dict[str, Any] = job.model_dump(exclude=set(without))
    if job.state in OPEN_STATES:
        values |= {"state": State.CANCELLED.value, "finished_at": now}
    return values
