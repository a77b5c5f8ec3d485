"""When the models of a run were at work, by their own word, and what lies between: gaps, busy shares, rates."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sqlalchemy import Engine, func, select

from benchmarks.figures.outcome import Fell
from benchmarks.measured_farm.timed import BEGAN, ENDED
from db.engine import reading
from db.tables import JOB_TABLES, Stage, edits, runs, scores
from db.to_do import with_run


@dataclass(frozen=True)
class Stretch:
    """One call of a model; seconds since the epoch. `waited_since`: when the last of its jobs was queued."""

    worker: str
    stage: Stage
    began: float
    ended: float
    waited_since: float


def stretches_of(engine: Engine, run_id: str) -> list[Stretch]:
    """Return every call of a timed model in the run, in the order of beginnings; a batch is one."""
    calls: dict[tuple[str, Stage, float, float], float] = {}
    with reading(engine) as connection:
        for stage, jobs in JOB_TABLES.items():
            query = select(jobs.c.worker, jobs.c.detail, jobs.c.not_before).select_from(with_run(stage))
            for row in connection.execute(query.where(runs.c.id == run_id)):
                call = (row.worker, stage, row.detail[BEGAN], row.detail[ENDED])
                calls[call] = max(row.not_before, calls.get(call, 0.0))
    return sorted((Stretch(*call, since) for call, since in calls.items()), key=lambda one: one.began)


def gaps_of(stretches: Iterable[Stretch]) -> list[float]:
    """Return the seconds between two jobs of a worker at the same stage, where the later one waited already."""
    by_worker: dict[str, list[Stretch]] = defaultdict(list)
    for stretch in stretches:
        by_worker[stretch.worker].append(stretch)
    return [
        later.began - earlier.ended
        for one in by_worker.values()
        for earlier, later in pairwise(one)
        if earlier.stage is later.stage and later.waited_since <= earlier.ended
    ]


def median_and_p95_ms(gaps: Sequence[float]) -> tuple[float, float]:
    """Return median and 95th percentile of gaps in seconds, in milliseconds."""
    if len(gaps) < 2:
        raise Fell(f"{len(gaps)} gaps")
    return 1000 * statistics.median(gaps), 1000 * statistics.quantiles(gaps, n=20, method="inclusive")[-1]


def busy_percent(stretches: Sequence[Stretch]) -> float:
    """Return how much of the time from the first edit's beginning to the last one's end the models were at work."""
    edited = [one for one in stretches if one.stage is Stage.EDIT]
    first, last = min(one.began for one in edited), max(one.ended for one in edited)
    busy = sum(max(0.0, min(one.ended, last) - max(one.began, first)) for one in stretches)
    return 100 * busy / ((last - first) * len({one.worker for one in stretches}))


def pairs_per_second(engine: Engine, run_id: str) -> float:
    """Return the run's pairs over the time from the first claim of an edit to the last score, by the ledger."""
    with reading(engine) as connection:
        edited = select(func.min(edits.c.started_at), func.count()).where(edits.c.run_id == run_id)
        started, pairs = connection.execute(edited).one()
        scored = select(func.max(scores.c.finished_at)).select_from(with_run(Stage.SCORE)).where(runs.c.id == run_id)
        return float(pairs / (connection.execute(scored).scalar_one() - started))
