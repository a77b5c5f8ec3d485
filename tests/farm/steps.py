"""The steps that tests of a whole farm take: asking for a run, looking at it, finding the victim, planting a fault."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import select

from db.engine import reading
from db.tables import ATTEMPTS_ALLOWED, JOB_TABLES, Stage, edits
from producer.report.as_json import report_as_json
from producer.report.gather import gather_report
from tests.factories import original_file
from tests.farm.conftest import FarmUnderTest, children_of

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
    report: dict[str, Any] = json.loads(report_as_json(gather_report(engine, run)))
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
    return next(child for child in children_of(worker) if "spawn_main" in _command_of(child))


def _command_of(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:  # it has just ended
        return ""


def send_to_tree(worker: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal to the worker and all its descendants."""
    for process in [psutil.Process(worker.pid), *children_of(worker)]:
        process.send_signal(number)


def planted(folder: Path, code: str, *, in_child: bool | None = True) -> dict[str, str]:
    """Return the environment of a worker whose pool child (or parent; None: both) runs this code before ours.

    So a fault is put at a point that no signal from outside could hit. `once()` is true for the first process only,
    `is_child` for a pool child.
    """
    folder = folder / "planted"
    folder.mkdir(exist_ok=True)
    where = {True: "is_child", False: "not is_child", None: "True"}[in_child]
    (folder / "sitecustomize.py").write_text(
        "import os, pathlib, signal, sys, time\n"
        "def once():\n"
        "    try: pathlib.Path(__file__).with_name('done').touch(exist_ok=False)\n"
        "    except FileExistsError: return False\n"
        "    return True\n"
        "is_child = any('spawn_main' in word for word in sys.orig_argv)\n"
        f"if {where}:\n" + "".join(f"    {line}\n" for line in code.strip().splitlines())
    )
    return {"PYTHONPATH": str(folder)}


def images_of(farm: FarmUnderTest) -> list[str]:
    """Return the digests of all edited images that the ledger names."""
    engine = farm.engine()
    with reading(engine) as connection:
        found = connection.scalars(select(edits.c.image).where(edits.c.image.is_not(None))).all()
    engine.dispose()
    return list(found)
