"""How many jobs of all runs wait, are under way or failed: what a monitor asks every few seconds, of every worker."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Engine, func, select

from db.engine import reading
from db.tables import JOB_TABLES, Stage, State

COUNTED_AT_MOST = 1_000_000
"""Nobody counts further, by which the question costs a tenth of a second at most."""


def jobs_in(engine: Engine, *states: State) -> Mapping[tuple[Stage, State], int]:
    """Return how many jobs of each stage are in each of these states, `COUNTED_AT_MOST` where there are more."""
    counts = {}
    with reading(engine) as connection:
        for stage, jobs in JOB_TABLES.items():
            for state in states:
                some = select(jobs.c.id).where(jobs.c.state == state).limit(COUNTED_AT_MOST).subquery()
                counts[stage, state] = connection.scalar(select(func.count()).select_from(some)) or 0
    return counts
