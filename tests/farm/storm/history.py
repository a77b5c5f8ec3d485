"""What the ledger's jobs went through, written down by triggers in the database: every change, in order, with its time.

The triggers are the storm's own; they see what was committed, whatever the farm's code is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, text

JobId = tuple[str, int]
"""Stage and id."""


@dataclass(frozen=True)
class Change:
    """A job's state or attempt changed, at a time in seconds since the epoch."""

    at: float
    before: str
    after: str
    attempt_before: int
    attempt: int
    worker: str

    @property
    def claims(self) -> bool:
        """Tell whether a worker took the job."""
        return self.after == "running" and self.attempt != self.attempt_before


@dataclass(frozen=True)
class Struck:
    """A job that a worker was at when it was struck; how many seconds it took until others could have it, and had it.

    None: it never came to that, it had ended.
    """

    job: JobId
    free_after: float | None
    claimed_after: float | None


History = Mapping[JobId, Sequence[Change]]

_TABLE = """
CREATE TABLE storm_changes (
    number {number}, at DOUBLE PRECISION, stage TEXT, job BIGINT, before TEXT, after TEXT,
    attempt_before INTEGER, attempt INTEGER, worker TEXT
)"""
_ENTER = """
INSERT INTO storm_changes (at, stage, job, before, after, attempt_before, attempt, worker)
VALUES ({now}, '{stage}', NEW.id, OLD.state, NEW.state, OLD.attempt, NEW.attempt, NEW.worker);"""
_CHANGED = "OLD.state <> NEW.state OR OLD.attempt <> NEW.attempt"


def record_changes(engine: Engine) -> None:
    """Set up the triggers."""
    with engine.begin() as connection:
        for statement in _statements(engine.dialect.name):
            connection.exec_driver_sql(statement)


def read_history(engine: Engine) -> History:
    """Return the changes of every job that changed, each in their order."""
    history: dict[JobId, list[Change]] = defaultdict(list)
    with engine.connect() as connection:
        for row in connection.execute(text("SELECT * FROM storm_changes ORDER BY number")):
            change = Change(row.at, row.before, row.after, row.attempt_before, row.attempt, row.worker or "")
            history[row.stage, row.job].append(change)
    return history


def struck_jobs(history: History, worker: str, at: float) -> Iterator[Struck]:
    """Yield the jobs that this worker was at when it was struck and did not end under that claim all the same."""
    for job, changes in history.items():
        earlier = [change for change in changes if change.at <= at]
        if not earlier or earlier[-1].after != "running" or earlier[-1].worker.partition("@")[0] != worker:
            continue
        later = changes[len(earlier) :]
        if later and later[0].after == "done":
            continue
        free_at = next((change.at for change in later if change.claims or change.after == "queued"), None)
        claimed_at = next((change.at for change in later if change.claims), None)
        yield Struck(job, free_at and free_at - at, claimed_at and claimed_at - at)


def claimed_since(history: History, at: float) -> set[str]:
    """Return the names of the workers that took a job after this time."""
    return {
        change.worker.partition("@")[0]
        for changes in history.values()
        for change in changes
        if change.claims and change.at > at
    }


def _statements(dialect: str) -> Iterator[str]:
    if dialect == "sqlite":
        yield _TABLE.format(number="INTEGER PRIMARY KEY")
        now = "(julianday('now') - 2440587.5) * 86400.0"
        for stage in ("edit", "score"):
            enter = _ENTER.format(stage=stage, now=now)
            yield f"CREATE TRIGGER storm_{stage} AFTER UPDATE ON {stage}s WHEN {_CHANGED} BEGIN {enter} END"
        return
    yield _TABLE.format(number="BIGSERIAL PRIMARY KEY")
    for stage in ("edit", "score"):
        enter = _ENTER.format(stage=stage, now="extract(epoch FROM clock_timestamp())")
        body = f"BEGIN {enter} RETURN NULL; END"
        yield f"CREATE FUNCTION storm_{stage}() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$"
        yield (
            f"CREATE TRIGGER storm_{stage} AFTER UPDATE ON {stage}s FOR EACH ROW "
            f"WHEN ({_CHANGED}) EXECUTE FUNCTION storm_{stage}()"
        )
