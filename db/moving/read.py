"""The rows of a run, read to be moved: as JSON values in natural keys, what is null left out.

All functions take the connection, so that an export sees one moment while workers write.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, select, union

from db.moving.records import MovedBenchmark, MovedEdit, MovedRun, MovedSample, MovedScore, MovedScorer, Record
from db.tables import (
    OPEN_STATES,
    Stage,
    State,
    benchmarks,
    edits,
    environments,
    run_scorers,
    runs,
    samples,
    scores,
)

AT_ONCE = 1000
"""So many edits are read in one go, with their scores."""


def read_run(connection: Connection, run_id: str) -> dict[str, Any]:
    """Return the run as a `MovedRun` has it."""
    run = connection.execute(select(runs).where(runs.c.id == run_id)).one()
    benchmark = connection.execute(select(benchmarks).where(benchmarks.c.id == run.benchmark_id)).one()
    return {
        **_values(run, MovedRun),
        "benchmark": _values(benchmark, MovedBenchmark),
        "scorers": [_values(row, MovedScorer) for row in _scorers(connection, run_id)],
        "environments": _environments(connection, run_id),
    }


def read_samples(connection: Connection, benchmark_id: str) -> Iterator[dict[str, Any]]:
    """Yield every sample of the benchmark, in its order."""
    query = select(samples).where(samples.c.benchmark_id == benchmark_id).order_by(samples.c.position)
    for row in connection.execute(query.execution_options(yield_per=AT_ONCE)):
        yield _values(row, MovedSample)


def read_edits(connection: Connection, run_id: str) -> Iterator[dict[str, Any]]:
    """Yield every edit of the run with its scores, in the order in which they were entered."""
    place_of = {row.id: place for place, row in enumerate(_scorers(connection, run_id))}
    of_run = select(edits, samples.c.position).join(samples, edits.c.sample_id == samples.c.id)
    page = of_run.where(edits.c.run_id == run_id).order_by(edits.c.id).limit(AT_ONCE)
    last = 0
    while rows := connection.execute(page.where(edits.c.id > last)).all():
        given = _scores(connection, [row.id for row in rows if row.state == State.DONE])
        for row in rows:
            of_edit = [{"scorer": place_of[score.scorer_id], **_values(score, MovedScore)} for score in given[row.id]]
            yield {**_values(row, MovedEdit), **({"scores": of_edit} if of_edit else {})}
        last = rows[-1].id


def open_jobs(connection: Connection, run_id: str) -> dict[Stage, int]:
    """Return how many jobs of the run wait, run or were cancelled."""
    unfinished = (*OPEN_STATES, State.CANCELLED)
    waiting = select(func.count()).select_from(edits).where(edits.c.run_id == run_id, edits.c.state.in_(unfinished))
    of_run = select(run_scorers.c.id).where(run_scorers.c.run_id == run_id)
    to_judge = select(func.count()).select_from(scores).where(scores.c.scorer_id.in_(of_run))
    return {
        Stage.EDIT: connection.scalar(waiting) or 0,
        Stage.SCORE: connection.scalar(to_judge.where(scores.c.state.in_(unfinished))) or 0,
    }


def settled(edit: dict[str, Any]) -> dict[str, Any]:
    """Return what of an edit is the same in both farms: a job that has not ended has nothing that counts."""
    job = edit if edit["state"] in (State.DONE, State.FAILED) else _unfinished(edit)
    return {**job, "scores": [settled_score(score) for score in edit.get("scores", ())]}


def settled_score(score: dict[str, Any]) -> dict[str, Any]:
    """Return the same of a score."""
    return score if score["state"] in (State.DONE, State.FAILED) else _unfinished(score)


def _unfinished(job: dict[str, Any]) -> dict[str, Any]:
    return {name: job[name] for name in ("position", "repeat", "scorer") if name in job}


def _scorers(connection: Connection, run_id: str) -> Sequence[Row[Any]]:
    query = select(run_scorers).where(run_scorers.c.run_id == run_id).order_by(run_scorers.c.id)
    return connection.execute(query).all()


def _environments(connection: Connection, run_id: str) -> dict[str, Any]:
    of_edits = select(edits.c.environment).where(edits.c.run_id == run_id)
    of_run = select(run_scorers.c.id).where(run_scorers.c.run_id == run_id)
    of_scores = select(scores.c.environment).where(scores.c.scorer_id.in_(of_run))
    used = union(of_edits, of_scores).subquery()
    query = select(environments).where(environments.c.id.in_(select(used))).order_by(environments.c.id)
    return {row.id: row.facts for row in connection.execute(query)}


def _scores(connection: Connection, edit_ids: Sequence[int]) -> dict[int, list[Row[Any]]]:
    found: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(select(scores).where(scores.c.edit_id.in_(edit_ids)).order_by(scores.c.id)):
        found[row.edit_id].append(row)
    return found


def _values(row: Row[Any], record: type[Record]) -> dict[str, Any]:
    """Return what a record has of a row, without what it has by default."""
    found = row._mapping
    fields = {name: field.default for name, field in record.model_fields.items() if name in found}
    return {name: found[name] for name, default in fields.items() if found[name] is not None and found[name] != default}
