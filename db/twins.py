"""Edits that several runs ask for alike: the same editor with the same seed and the same sample. One is made for all.

Samples are the same when their names, source images and instructions are, also in two versions of a benchmark. What
belongs together is looked up step by step, each by an index: a join of it all is planned well only by a database that
has just counted its tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, bindparam, case, exists, func, select, update

from db.tables import ASKED_OF_EDITOR, State, edits, runs, samples
from db.transitions import queue_scores

AT_ONCE = 1000
"""So many edits hand their images on in one go."""

_HANDED_ON = ("image", "seconds", "detail", "environment", "worker", "started_at")

_twins, _run, _other_run = edits.alias("twins"), runs.alias("own_run"), runs.alias("other_run")
_sample, _other_sample = samples.alias("own_sample"), samples.alias("other_sample")


def is_made_elsewhere() -> ColumnElement[bool]:
    """Return the condition that another run has an edit's twin under way."""
    are_twins = and_(
        _run.c.id == edits.c.run_id,
        _sample.c.id == edits.c.sample_id,
        _other_run.c.editing == _run.c.editing,
        _other_run.c.id != _run.c.id,
        _other_sample.c.benchmark_id == _other_run.c.benchmark_id,
        *(_other_sample.c[column.name] == _sample.c[column.name] for column in ASKED_OF_EDITOR),
        _twins.c.run_id == _other_run.c.id,
        _twins.c.sample_id == _other_sample.c.id,
        _twins.c.repeat == edits.c.repeat,
    )
    return exists(select(_twins.c.id).where(are_twins, _twins.c.state == State.RUNNING).correlate(edits))


def take_over(connection: Connection, run_id: str, now: float) -> None:
    """Give those edits of the run that wait the images that other runs have made; queue their scores."""
    for own, other in _alike(connection, [run_id]):
        last = 0
        while made := connection.execute(_made(edits.c.run_id == other.id, edits.c.id > last)).all():
            _hand_on(connection, made, own, now, None)
            last = made[-1].id


def hand_on(
    connection: Connection, edit_ids: Sequence[int], run_ids: Sequence[str], now: float, published_at: float | None
) -> list[int]:
    """Give the images of these edits, of these runs, to their twins that wait; queue the scores of those.

    Return the ids of those twins; whom somebody is claiming just now is left out.
    """
    taken = []
    for other, own in _alike(connection, run_ids):
        made = connection.execute(_made(edits.c.run_id == other.id, edits.c.id.in_(edit_ids))).all()
        taken += _hand_on(connection, made, own, now, published_at)
    return taken


def _alike(connection: Connection, run_ids: Sequence[str]) -> Iterator[tuple[Any, Any]]:
    """Yield each of these runs with each other one that shares its edits."""
    columns = (runs.c.id, runs.c.benchmark_id, runs.c.editing)
    editing = select(runs.c.editing).where(runs.c.id.in_(run_ids))
    found = connection.execute(select(*columns).where(runs.c.editing.in_(editing)).order_by(runs.c.created_at)).all()
    for one in found:
        if one.id in run_ids:
            yield from ((one, other) for other in found if other.editing == one.editing and other.id != one.id)


def _made(*which: ColumnElement[bool]) -> Select[Any]:
    made_for = func.coalesce(edits.c.made_for, edits.c.run_id).label("made_for")
    of_sample = edits.join(samples, edits.c.sample_id == samples.c.id)
    columns = (edits.c.id, edits.c.repeat, made_for, *(edits.c[name] for name in _HANDED_ON), *ASKED_OF_EDITOR)
    done = select(*columns).select_from(of_sample).where(edits.c.state == State.DONE, *which)
    return done.order_by(edits.c.id).limit(AT_ONCE)


def _hand_on(
    connection: Connection, made: Sequence[Row[Any]], to: Any, now: float, published_at: float | None
) -> list[int]:
    """Give what was made to the edits of one run that wait for the same; return their ids."""
    by_sample = {(*_same(row), row.repeat): row for row in made}
    alike = {row.id: _same(row) for row in connection.execute(_samples_like(made, to.benchmark_id))}
    waiting = (edits.c.run_id == to.id, edits.c.sample_id.in_(alike), edits.c.state == State.QUEUED)
    asked = select(edits.c.id, edits.c.sample_id, edits.c.repeat).where(*waiting).order_by(edits.c.id)
    taken = [
        {"edit_id": row.id, **{name: getattr(by_sample[twin], name) for name in (*_HANDED_ON, "made_for")}}
        for row in connection.execute(asked.with_for_update(skip_locked=True)).all()
        if (twin := (*alike[row.sample_id], row.repeat)) in by_sample
    ]
    if not taken:
        return []
    ids = [values["edit_id"] for values in taken]
    connection.execute(_TAKEN.values(finished_at=now), taken)
    connection.execute(queue_scores(edits.c.id.in_(ids), now, published_at=published_at))
    return ids


def _samples_like(made: Sequence[Row[Any]], benchmark_id: str) -> Select[Any]:
    """Select the samples of a benchmark that are called as these are."""
    categories, keys = ({getattr(row, name) for row in made} for name in ("category", "key"))
    called = (samples.c.category.in_(categories), samples.c.key.in_(keys))
    return select(samples.c.id, *ASKED_OF_EDITOR).where(samples.c.benchmark_id == benchmark_id, *called)


def _same(row: Row[Any]) -> tuple[Any, ...]:
    return tuple(getattr(row, column.name) for column in ASKED_OF_EDITOR)


_TAKEN = (
    update(edits)
    .where(edits.c.id == bindparam("edit_id"))
    .values(
        state=State.DONE,
        attempt=case((edits.c.attempt == 0, 1), else_=edits.c.attempt),  # none that is done has had none
    )
)
