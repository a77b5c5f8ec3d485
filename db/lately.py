"""What of a run was finished lately, and by whom: how fast it goes now, and when it will be done at that.

It is counted by the time of the outcomes, which no index has: a question that costs more where more is done, for now
and then and not for every look.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Engine, func, select

from db.engine import database_clock, reading
from db.tables import JOB_TABLES, FailureKind, Stage, State, edits, run_scorers, scores

LATELY_SECONDS = 600.0
"""What ended longer ago says nothing of how fast it goes now."""

LATE = 2.0
"""What has not ended after so many times as long as jobs took so far is late: it goes slower now, or not at all."""


@dataclass(frozen=True)
class Finished:
    """How many jobs of one stage a worker finished lately; when it began the first of them and ended the last."""

    worker: str
    stage: Stage
    jobs: int
    began_at: float
    ended_at: float


@dataclass(frozen=True)
class Lately:
    """What was finished within `LATELY_SECONDS` of `now`; and how many, ever, failed for a reason worth telling.

    `unparsed` are scores, `missing` are edits whose image was to be given.
    """

    now: float
    finished: Sequence[Finished]
    unparsed: int
    missing: int = 0

    def reasons(self) -> str:
        """Return in words how many failed for these reasons, as in ` (2 missing, 1 unparsed)`; empty where none did."""
        counts = {"missing": self.missing, "unparsed": self.unparsed}
        told = ", ".join(f"{count:,} {reason}" for reason, count in counts.items() if count)
        return f" ({told})" if told else ""

    def jobs_per_second(self, stage: Stage) -> float:
        """Return how fast the jobs of a stage end, all workers together; 0 where none did."""
        return self._rate(lambda one: one.stage is stage)

    def jobs_per_second_of(self, worker: str, stage: Stage) -> float:
        """Return how fast one worker ends them."""
        return self._rate(lambda one: (one.worker, one.stage) == (worker, stage))

    def seconds_left(self, stage: Stage, jobs: int) -> float | None:
        """Return how long so many jobs of a stage take as it goes now; None where none goes."""
        if not jobs:
            return 0.0
        rate = self.jobs_per_second(stage)
        return jobs / rate if rate else None

    def _rate(self, which: Callable[[Finished], bool]) -> float:
        """Return jobs per second, from the beginning of the first to the end of the last, or to now where one is late.

        Up to now whatever happens, the rate of long jobs would fall from one's end to the next's.
        """
        chosen = [one for one in self.finished if which(one)]
        if not chosen:
            return 0.0
        jobs = sum(one.jobs for one in chosen)
        began_at, ended_at = min(one.began_at for one in chosen), max(one.ended_at for one in chosen)
        late = self.now - ended_at > LATE * (ended_at - began_at) / jobs
        seconds = (self.now if late else ended_at) - began_at
        return jobs / seconds if seconds > 0 else 0.0


def finished_lately(engine: Engine, run_id: str) -> Lately:
    """Return what was finished lately. What the run took over from another one took no time, and does not count."""
    of_scorers = _of_scorers(run_id)
    with reading(engine) as connection:
        now = database_clock(connection)
        edited = _finished(connection, Stage.EDIT, (edits.c.run_id == run_id, edits.c.made_for.is_(None)), now)
        scored = _finished(connection, Stage.SCORE, (of_scorers,), now)
        return Lately(now, [*edited, *scored], _unparsed(connection, of_scorers), _missing(connection, run_id))


def nothing_lately(engine: Engine, run_id: str) -> Lately:
    """Return the same of a run that is finished, whose pace nobody asks for: it costs what failed, not what is done."""
    with reading(engine) as connection:
        unparsed, missing = _unparsed(connection, _of_scorers(run_id)), _missing(connection, run_id)
        return Lately(database_clock(connection), (), unparsed, missing)


def _of_scorers(run_id: str) -> ColumnElement[bool]:
    return scores.c.scorer_id.in_(select(run_scorers.c.id).where(run_scorers.c.run_id == run_id))


def _unparsed(connection: Connection, of_scorers: ColumnElement[bool]) -> int:
    is_unparsed = (scores.c.state == State.FAILED, scores.c.failure_kind == FailureKind.UNPARSED)
    return connection.scalar(select(func.count()).where(of_scorers, *is_unparsed)) or 0


def _missing(connection: Connection, run_id: str) -> int:
    is_missing = (edits.c.state == State.FAILED, edits.c.failure_kind == FailureKind.MISSING)
    return connection.scalar(select(func.count()).where(edits.c.run_id == run_id, *is_missing)) or 0


def _finished(connection: Connection, stage: Stage, which: Sequence[ColumnElement[bool]], now: float) -> list[Finished]:
    jobs = JOB_TABLES[stage]
    lately = (jobs.c.state.in_((State.DONE, State.FAILED)), jobs.c.finished_at > now - LATELY_SECONDS)
    begun = jobs.c.started_at.is_not(None)  # what others have published was never begun here
    columns = (jobs.c.worker, func.count(), func.min(jobs.c.started_at), func.max(jobs.c.finished_at))
    rows = connection.execute(select(*columns).where(*which, *lately, begun).group_by(jobs.c.worker))
    return [Finished(str(worker), stage, *counted) for worker, *counted in rows]
