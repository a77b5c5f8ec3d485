"""Which samples a run is about, and in which order they come."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, select, true

from db.subset import Subset
from db.tables import State, samples


def asked_samples(benchmark_id: str, subset: Subset) -> ColumnElement[bool]:
    """Return the condition for the samples that a run of this benchmark with this subset has edits of."""
    every, limit = subset.sample_every or 1, subset.limit
    if subset.categories is None:
        chosen = and_(samples.c.position % every == 0, true() if limit is None else samples.c.position < every * limit)
        return and_(samples.c.benchmark_id == benchmark_id, chosen)
    place = func.row_number().over(order_by=samples.c.position) - 1
    of_categories = and_(samples.c.benchmark_id == benchmark_id, samples.c.category.in_(subset.categories))
    numbered = select(samples.c.id, place.label("place")).where(of_categories).subquery()
    within = true() if limit is None else numbered.c.place < every * limit
    return samples.c.id.in_(select(numbered.c.id).where(numbered.c.place % every == 0, within))


def by_turns() -> tuple[ColumnElement[Any], ...]:
    """Return by what to order samples so that categories take turns, each in proportion to its size.

    So what edits took so far tells what the others will take, and every category has its first scores early.
    """
    place = func.row_number().over(partition_by=samples.c.category, order_by=samples.c.position)
    size = func.count().over(partition_by=samples.c.category)
    return (place - 0.5) / size, samples.c.position


def queue_edits(run_id: str, repeat: int, now: float) -> Select[Any]:
    """Select one queued edit for every sample; which ones, the caller adds."""
    return select(
        literal(run_id).label("run_id"),
        samples.c.id.label("sample_id"),
        literal(repeat).label("repeat"),
        literal(State.QUEUED.value).label("state"),
        literal(now).label("not_before"),
    ).order_by(*by_turns())
