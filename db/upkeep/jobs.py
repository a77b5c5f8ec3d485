"""Whether every run has exactly the edits and scores that it asks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Row, Select, and_, exists, or_, select

from db.intake import asked_samples, enter_missing_edits, enter_missing_scores
from db.queries import Run, all_runs
from db.subset import Subset
from db.tables import State, edits, run_scorers, samples, scores
from db.upkeep.finding import Finding, Inspection, Standing
from db.upkeep.pages import pages

_GIVE = "submit the images again with --edits, which enters it anew"


def missing_edits(inspection: Inspection) -> Iterator[Finding]:
    """Yield the samples for which a run lacks an edit; it is entered, queued, unless it was to be given."""
    for run in _runs(inspection):
        for repeat in range(run.configuration["repeats"]):
            for rows in pages(inspection.engine, _without_edit(run, repeat), samples.c.position):
                if inspection.repair and not run.is_given:
                    enter_missing_edits(inspection.engine, run.id, repeat, [row.id for row in rows])
                standing, remedy = (Standing.LEFT, _GIVE) if run.is_given else (inspection.mended, "edit queued")
                for row in rows:
                    where = f"run {run.id}, sample {row.key!r} ({row.category})"
                    yield Finding(where, f"no edit of repeat {repeat}", standing, remedy)


def needless_edits(inspection: Inspection) -> Iterator[Finding]:
    """Yield the edits that their run does not ask for: beyond its repeats or its limit, of another benchmark."""
    for run in _runs(inspection):
        for rows in pages(inspection.engine, _not_asked(run), edits.c.id):
            for row in rows:
                where = f"run {run.id}, edit {row.id} of {row.key!r} ({row.category}), repeat {row.repeat}"
                yield Finding(where, "its run does not ask for it", Standing.LEFT, "remove it and its scores by hand")


def stray_scores(inspection: Inspection) -> Iterator[Finding]:
    """Yield the scores of edits that are not done, or by a scorer of another run. They are forgotten.

    They would stand in the way of the scores that are queued when their edit is done.
    """
    for rows in pages(inspection.engine, _stray(inspection), scores.c.id):
        if inspection.repair:
            inspection.ledger.forget_scores([row.id for row in rows])
        for row in rows:
            where = f"run {row.run_id}, score {row.id} of {row.key!r} ({row.category}) by {row.label}"
            fault = f"its edit is {row.edit_state}" if row.edit_state != State.DONE else "its scorer is of another run"
            yield Finding(where, fault, inspection.mended, f"score forgotten ({_said(row)})")


def missing_scores(inspection: Inspection) -> Iterator[Finding]:
    """Yield the scores that a done edit lacks; they are entered, queued."""
    for rows in pages(inspection.engine, _without_score(inspection), edits.c.id, run_scorers.c.id):
        if inspection.repair:
            enter_missing_scores(inspection.engine, [row.id for row in rows])
        for row in rows:
            where = f"run {row.run_id}, edit {row.id} of {row.key!r} ({row.category})"
            scorer = f"{row.label}, judge repeat {row.repeat}" if row.repeat else row.label
            yield Finding(where, f"no score by {scorer}", inspection.mended, "score queued")


def _runs(inspection: Inspection) -> Sequence[Run]:
    return all_runs(inspection.engine) if inspection.run is None else [inspection.run]


def _without_edit(run: Run, repeat: int) -> Select[Any]:
    there = exists().where(edits.c.run_id == run.id, edits.c.sample_id == samples.c.id, edits.c.repeat == repeat)
    asked = asked_samples(run.benchmark_id, Subset.of(run.configuration))
    return select(samples.c.position, samples.c.id, samples.c.key, samples.c.category).where(asked, ~there)


def _not_asked(run: Run) -> Select[Any]:
    asked = and_(
        asked_samples(run.benchmark_id, Subset.of(run.configuration)),
        edits.c.repeat.between(0, run.configuration["repeats"] - 1),
    )
    columns = (edits.c.id, edits.c.repeat, samples.c.key, samples.c.category)
    query = select(*columns).join(samples, edits.c.sample_id == samples.c.id)
    return query.where(edits.c.run_id == run.id, ~asked)


def _stray(inspection: Inspection) -> Select[Any]:
    query = (
        select(
            scores.c.id,
            scores.c.edit_id,
            scores.c.state,
            scores.c.value,
            edits.c.run_id,
            edits.c.state.label("edit_state"),
            run_scorers.c.label,
            samples.c.key,
            samples.c.category,
        )
        .join(edits, scores.c.edit_id == edits.c.id)
        .join(run_scorers, scores.c.scorer_id == run_scorers.c.id)
        .join(samples, edits.c.sample_id == samples.c.id)
        .where(or_(edits.c.state != State.DONE, run_scorers.c.run_id != edits.c.run_id))
    )
    return query if inspection.run is None else query.where(edits.c.run_id == inspection.run.id)


def _without_score(inspection: Inspection) -> Select[Any]:
    there = exists().where(scores.c.edit_id == edits.c.id, scores.c.scorer_id == run_scorers.c.id)
    query = (
        select(
            edits.c.id,
            run_scorers.c.id.label("scorer_id"),
            edits.c.run_id,
            run_scorers.c.label,
            run_scorers.c.repeat,
            samples.c.key,
            samples.c.category,
        )
        .join(run_scorers, edits.c.run_id == run_scorers.c.run_id)
        .join(samples, edits.c.sample_id == samples.c.id)
        .where(edits.c.state == State.DONE, ~there)
    )
    return query if inspection.run is None else query.where(edits.c.run_id == inspection.run.id)


def _said(row: Row[Any]) -> str:
    return str(row.state) if row.value is None else f"value {row.value:g}"
