"""The steps that tests of a whole farm take: asking for a run, looking at it, finding the victim, planting a fault."""

from __future__ import annotations

import json
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import select

from db.engine import reading
from db.tables import ATTEMPTS_ALLOWED, JOB_TABLES, Stage, edits
from producer.report.document import report_document
from producer.report.gather import gather_report
from tests.factories import original_file
from tests.farm.conftest import FarmUnderTest, children_of, pool_child_of

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


def finish(farm: FarmUnderTest, run: str, *, edits_done: int, code: int = 0) -> dict[str, Any]:
    """Wait for the end of the run, check that nothing is amiss, and return its report.

    So many edits must be done and as many scores; every row is checked against its image and its constraints.
    """
    farm.producer("watch", run, code=code)
    engine = farm.engine()
    report: dict[str, Any] = json.loads(report_document(gather_report(engine, run)).as_text("json"))
    engine.dispose()
    assert report["progress"]["edits"]["done"] == report["progress"]["scores"]["done"] == edits_done
    farm.producer("fsck", run)
    assert not running(farm)
    assert not running(farm, Stage.SCORE)
    return report


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
        found = connection.scalars(select(edits.c.image).where(edits.c.image.is_not(None))).all()
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
