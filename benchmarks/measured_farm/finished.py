"""A run that is finished without workers: outcomes written into the ledger as if they had, for what reads them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import JSON, Engine, Select, and_, exists, insert, literal, select, type_coerce, update

from db.engine import transaction
from db.tables import State, edits, run_scorers, scores

_NO_IMAGE = "0" * 64
_VALUES = 1001
"""So many different scores are given, from 0 to 10, by the jobs' ids."""


def scorers_of(run_id: str) -> Select[tuple[int]]:
    """Select the ids of a run's scorers."""
    return select(run_scorers.c.id).where(run_scorers.c.run_id == run_id)


def finish(engine: Engine, run_id: str, *, detail: Mapping[str, Any] | None = None) -> None:
    """Write outcomes for all that is left of a run; every score says `detail` besides."""
    with transaction(engine) as connection:
        left = and_(edits.c.run_id == run_id, edits.c.state != State.DONE)
        connection.execute(update(edits).where(left).values(**_outcome(), image=_NO_IMAGE))
        begun = and_(scores.c.scorer_id.in_(scorers_of(run_id)), scores.c.state != State.DONE)
        connection.execute(update(scores).where(begun).values(**_outcome(), value=5.0))
        given = {**_outcome(), "not_before": 0.0}
        columns = [literal(value).label(name) for name, value in given.items() if value is not None]
        if detail is not None:
            columns.append(type_coerce(dict(detail), JSON).label("detail"))
        value = ((edits.c.id * 7919 + run_scorers.c.id * 104_729) % _VALUES * 10.0 / (_VALUES - 1)).label("value")
        new = (
            select(edits.c.id.label("edit_id"), run_scorers.c.id.label("scorer_id"), value, *columns)
            .join(run_scorers, edits.c.run_id == run_scorers.c.run_id)
            .where(edits.c.run_id == run_id, ~exists().where(scores.c.edit_id == edits.c.id))
        )
        connection.execute(insert(scores).from_select([column.name for column in new.selected_columns], new))


def _outcome() -> dict[str, Any]:
    now = time.time()
    ended = {"state": State.DONE.value, "attempt": 1, "worker": "nobody", "started_at": now, "finished_at": now}
    return {**ended, "seconds": 0.0, "owner": None, "lease_until": None}
