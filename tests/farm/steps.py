"""The steps that tests of a whole farm take: asking for a run, looking at it, finding the victim, planting a fault."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import OperationalError

from db.engine import reading
from db.images.address import open_store
from db.ledger import Ledger
from db.queries import Progress, find_run, progress_of
from db.tables import ATTEMPTS_ALLOWED, JOB_TABLES, Stage, State
from db.tables import edits as edits_table
from db.upkeep.finding import Inspection
from db.upkeep.fsck import findings
from producer.report.document import report_document
from producer.report.gather import gather_report
from tests.factories import original_file
from tests.farm.conftest import RUN_SECONDS, FarmUnderTest, children_of, eventually, pool_child_of

SOON_SECONDS = 10
"""What our promises allow for a job to run again, beside the length of a lease where its worker is gone too."""

sqlite_and_in_chaos_postgresql = pytest.mark.parametrize(
    "database_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.chaos)], indirect=True
)

SIMULATED = ("--editor", "simulated", "--scorer", "simulated")


def submit(farm: FarmUnderTest, *settings: str, pairs: int) -> str:
    """Submit a run of so many samples, `p-0`, `p-1` and so on, with simulated models; return its id."""
    flags = [flag for setting in settings for flag in ("--set", setting)]
    return farm.producer("submit", original_file(farm.folder, pairs=pairs), *SIMULATED, *flags).strip()


def rows(farm: FarmUnderTest, stage: Stage = Stage.EDIT) -> list[Any]:
    """Return the jobs of that stage as the ledger has them now."""
    jobs = JOB_TABLES[stage]
    engine = farm.engine()
    with reading(engine) as connection:
        found = connection.execute(select(jobs).order_by(jobs.c.id)).all()
    engine.dispose()
    return list(found)


def running(farm: FarmUnderTest, stage: Stage = Stage.EDIT, *, attempt: int | None = None) -> list[Any]:
    """Return the jobs that are under way, at that attempt where one is given."""
    return [row for row in rows(farm, stage) if row.state == "running" and attempt in (None, row.attempt)]


def done(farm: FarmUnderTest, stage: Stage = Stage.EDIT) -> list[Any]:
    """Return the jobs that have their result."""
    return [row for row in rows(farm, stage) if row.state == "done"]


def await_end(farm: FarmUnderTest, run: str) -> Progress:
    """Wait until no job of the run waits or is under way; return where it then stands. Spares a `producer watch`."""
    engine = farm.engine()
    progress = eventually(lambda: _finished(engine, run), seconds=RUN_SECONDS, farm=farm)
    engine.dispose()
    return progress


def _finished(engine: Engine, run: str) -> Progress | None:
    with suppress(OperationalError):  # the database is still coming up
        progress = progress_of(engine, run)
        return progress if progress.finished else None
    return None


def finish(farm: FarmUnderTest, run: str, *, edits_done: int, edits_failed: int = 0) -> dict[str, Any]:
    """Wait for the end of the run, check that nothing is amiss, and return its report.

    So many edits must be done, as many scores, so many edits may have failed, and nothing else is there; every row is
    checked against its image and its constraints.
    """
    progress = await_end(farm, run)
    engine = farm.engine()
    report: dict[str, Any] = json.loads(report_document(gather_report(engine, run)).as_text("json"))
    images = open_store(farm.environment.get("FARM_IMAGES", str(farm.home / "images")))
    inspection = Inspection(Ledger(engine), images, find_run(engine, run), repair=False)
    amiss = [str(finding) for finding in findings(inspection)]
    engine.dispose()
    edits, scores = progress.edits, progress.scores
    ended = (edits[State.DONE], edits[State.FAILED], edits.total)
    assert ended == (edits_done, edits_failed, edits_done + edits_failed), farm.logs()
    assert (scores[State.DONE], scores.total) == (edits_done, edits_done), farm.logs()
    assert report["progress"]["edits"]["done"] == report["progress"]["scores"]["done"] == edits_done
    assert amiss == []
    return report


def seconds_until_again(farm: FarmUnderTest, since: float, attempt: int = 2) -> float:
    """Wait until some edit is at that attempt; return how long that took, by the monotonic clock."""
    eventually(lambda: running(farm, attempt=attempt), farm=farm)
    return time.monotonic() - since


def attempts(farm: FarmUnderTest) -> list[int]:
    """Return how often each edit was claimed."""
    return [row.attempt for row in rows(farm)]


def counted_attempts(farm: FarmUnderTest) -> list[int]:
    """Return how many attempts of each edit were counted: those of which nothing came by intention are not."""
    return [row.attempt - (row.attempts_allowed - ATTEMPTS_ALLOWED) for row in rows(farm)]


def pool_child(worker: subprocess.Popen[bytes]) -> psutil.Process:
    """Return the process of this worker that holds the model."""
    return pool_child_of(psutil.Process(worker.pid))


def send_to_tree(worker: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal to the worker and all its descendants."""
    for process in [psutil.Process(worker.pid), *children_of(worker)]:
        process.send_signal(number)


def planted(folder: Path, code: str, *, in_child: bool | None = True) -> dict[str, str]:
    """Return the environment of a worker whose pool child (or parent; None: both) runs this code before ours.

    So a fault is put at a point that no signal from outside could hit. `once()` is true for the first process only,
    `is_child` for a pool child, be it forked or spawned.
    """
    folder = folder / "planted"
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(_PLANT.format(code=code.strip(), in_child=in_child))
    return {"PYTHONPATH": str(folder)}


_PLANT = """
import os, pathlib, signal, sys, time

def once():
    try: pathlib.Path(__file__).with_name('done').touch(exist_ok=False)
    except FileExistsError: return False
    return True

def plant(is_child):
    if {in_child} in (is_child, None):
        exec({code!r}, {{**globals(), 'is_child': is_child}})

def forked():
    global forks
    forks += 1
    if forks == forks_to_a_child:
        plant(True)

spawned = any('spawn_main' in word for word in sys.orig_argv)
forks, forks_to_a_child = 0, 2 if sys.orig_argv[1:3] == ['-m', 'workers'] else 1
plant(spawned)
if not spawned:
    os.register_at_fork(after_in_child=forked)
"""


def images_of(farm: FarmUnderTest) -> list[str]:
    """Return the digests of all edited images that the ledger names."""
    engine = farm.engine()
    with reading(engine) as connection:
        found = connection.scalars(select(edits_table.c.image).where(edits_table.c.image.is_not(None))).all()
    engine.dispose()
    return list(found)


def fill(disk: Path) -> Path:
    """Leave no byte free; return the file that takes them."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (65536, 1):
            with suppress(OSError):
                while True:
                    file.write(b"0" * size)
    return filler
