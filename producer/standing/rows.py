"""What each worker is at for a run, a row each: by the ledger, and by what the worker itself has said."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from db.activity import Activity
from db.lately import Lately
from db.presence import Present, sick_workers
from db.queries import Worker
from db.tables import Health, Stage

Heard = Callable[[str], Activity | None]
"""Returns what the worker of this name said last; None where nothing is known."""


@dataclass(frozen=True)
class Row:
    """What one worker is at. `doing` says it in a word or two, empty where only its stage is known.

    `said` is what it told of the very job that it has now, or of loading; `since` is when its oldest claim was made,
    None of one that has none; `sick` is why it takes no jobs.
    """

    worker: str
    gpu: str
    stage: Stage | None = None
    model: str = ""
    doing: str = ""
    samples: Sequence[str] = ()
    since: float | None = None
    jobs_per_second: float = 0.0
    said: Activity = field(default=Activity("", "", ""))
    sick: str | None = None

    @property
    def host(self) -> str:
        """The host in the worker's name; empty where that names none."""
        return self.worker.rpartition("@")[2] if "@" in self.worker else ""


def nothing_heard(_worker: str) -> None:
    """Nobody listens."""


def rows_of(
    run_id: str, working: Sequence[Worker], present: Sequence[Present], lately: Lately, heard: Heard = nothing_heard
) -> list[Row]:
    """Return a row for each worker that works for the run, waits, or is sick; in the order of their names' numbers."""
    known = {worker.name: worker for worker in present}
    at_it = [_working(mine, known.get(name), lately, heard(name)) for name, mine in _by_name(working)]
    busy = {row.worker for row in at_it}
    others = [worker for worker in present if worker.name not in busy and not worker.silent]
    waiting = [_waiting(one, run_id, lately, heard(one.name)) for one in others if one.health is Health.SERVING]
    sick = [Row(one.name, one.gpu, since=one.since, sick=one.reason or "") for one in sick_workers(others)]
    return sorted([*at_it, *waiting], key=_in_order) + sorted(sick, key=_in_order)


def _by_name(working: Sequence[Worker]) -> Iterator[tuple[str, list[Worker]]]:
    """Yield each worker with what it has claimed, which is of both stages when it is about to change."""
    for name in dict.fromkeys(worker.name for worker in working):
        yield name, [worker for worker in working if worker.name == name]


def _working(claimed: Sequence[Worker], present: Present | None, lately: Lately, activity: Activity | None) -> Row:
    told_of = [one for one in claimed if activity is not None and activity.key in one.keys]
    worker = told_of[0] if told_of else min(claimed, key=lambda one: one.since)
    said = activity if activity is not None and told_of else None  # else it was said of the job before
    gpu = present.gpu if present is not None else ""
    one_by_one = said is not None and worker.stage is Stage.EDIT
    return Row(
        worker=worker.name,
        gpu=gpu or (activity.gpu if activity is not None else ""),
        stage=worker.stage,
        model=worker.model,
        doing=_doing(said),
        samples=[said.key] if said is not None and one_by_one else worker.keys,
        since=worker.since,
        jobs_per_second=lately.jobs_per_second_of(worker.name, worker.stage),
        said=said or Row.said,
    )


def _doing(said: Activity | None) -> str:
    if said is None:
        return ""
    return str(said) if said.steps else said.what


def _waiting(worker: Present, run_id: str, lately: Lately, activity: Activity | None) -> Row:
    said = activity if activity is not None and not activity.key else None  # it has a model made ready for what comes
    elsewhere = worker.run_id not in (None, run_id) and not worker.idle
    if elsewhere:
        doing = f"at run {worker.run_id}"
    else:
        doing = said.what if said is not None else "begins" if worker.stage is None else "waits"
    return Row(
        worker=worker.name,
        gpu=worker.gpu,
        stage=None if elsewhere else worker.stage,
        model=said.model if said is not None and not elsewhere else "",
        doing=doing,
        jobs_per_second=lately.jobs_per_second_of(worker.name, worker.stage) if worker.stage else 0.0,
        said=said or Row.said,
    )


def _in_order(row: Row) -> tuple[str, list[tuple[int, str]]]:
    """Return by what to sort: by host, then GPU 2 before GPU 10."""
    parts = re.split(r"(\d+)", row.worker)
    return row.host, [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
