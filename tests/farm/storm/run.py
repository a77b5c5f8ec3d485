"""One storm from beginning to end: faults and demand, then calm, then the checks."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.farm.storm import checks
from tests.farm.storm.agent import Agent
from tests.farm.storm.crew import CrewWorker, described
from tests.farm.storm.demand import Demand, backlog_seconds, retries_due
from tests.farm.storm.faults import impossible_faults
from tests.farm.storm.history import claimed_since, read_history, record_changes
from tests.farm.storm.logs import read_logs
from tests.farm.storm.report import Weathered
from tests.farm.storm.scene import GRACE_SECONDS, LEASE_SECONDS, Plan, Scene, open_scene

log = structlog.get_logger()

TICK_SECONDS = 0.05
START_SECONDS = 15
"""What a worker may need to be ready, where all of them start on few cores."""
SLACK = 2
"""How many times as long as undisturbed the backlog may take, on a machine that others use too."""
ROLL_CALLS = 3


def weather(plan: Plan) -> Weathered:
    """Let the storm pass over a fresh farm; its folder is kept when something was violated, or if asked."""
    folder = Path(tempfile.mkdtemp(prefix=f"editfarm-storm-{plan.database}-{plan.seed}-"))
    storm = Weathered(plan, folder)
    with open_scene(plan, folder) as scene:
        record_changes(scene.engine)
        agent, demand = Agent(scene), Demand(scene)
        demand.start()
        try:
            _blow(scene, agent)
        finally:
            agent.mend_all()
            demand.stop()
        _calm(scene, demand, storm)
        _end(scene, storm)
        storm.deeds, storm.left_out, storm.refusals = agent.deeds, impossible_faults(scene), demand.refusals
        _check(scene, demand, storm)
    if not storm.violations and not plan.keep:
        shutil.rmtree(folder, ignore_errors=True)
    return storm


def _blow(scene: Scene, agent: Agent) -> None:
    deadline = time.monotonic() + 60 * scene.plan.minutes
    while time.monotonic() < deadline:
        scene.crew.look()
        agent.look()
        time.sleep(TICK_SECONDS)


def _calm(scene: Scene, demand: Demand, storm: Weathered) -> None:
    """Everything is mended: the runs must end by themselves, and every worker must take jobs again."""
    calm_at, started = time.time(), time.monotonic()
    edits, scores = demand.open_jobs()
    backlog = backlog_seconds(scene, edits, scores)
    storm.ended_within = LEASE_SECONDS + 10 + START_SECONDS + retries_due(scene) + SLACK * backlog
    log.info("storm.calm", edits=edits, scores=scores, ends_within=round(storm.ended_within))
    ended = _wait(scene, storm.ended_within, lambda: not any(demand.open_jobs()))
    storm.ended_after = time.monotonic() - started
    if not ended:
        storm.violations += _left_open(scene, f"not ended {storm.ended_after:.0f} s after the faults")
        return
    _call_the_roll(scene, demand, storm, calm_at)


def _call_the_roll(scene: Scene, demand: Demand, storm: Weathered, calm_at: float) -> None:
    """Ask for small runs until each worker has taken a job since the faults ended."""
    jobs = 8 * scene.plan.workers
    for _ in range(ROLL_CALLS):
        if not _missing(scene, calm_at):
            return
        if not demand.ask(min(jobs, scene.plan.jobs)):
            storm.violations.append(f"a run asked for in the calm is refused: {demand.refusals[-1]}")
            return
        seconds = LEASE_SECONDS + 10 + 20 + SLACK * backlog_seconds(scene, jobs, 0)
        if not _wait(scene, seconds, lambda: not any(demand.open_jobs())):
            storm.violations += _left_open(scene, "asked in the calm and not ended")
            return
    for worker in _missing(scene, calm_at):
        storm.violations.append(f"{worker.name} takes no job any more:\n{described(worker)}")


def _left_open(scene: Scene, why: str) -> list[str]:
    """Return the jobs that are left, and what the workers are at instead."""
    jobs = [f"{why}: {job}" for job in checks.open_jobs(scene.engine)]
    return [*jobs, *(described(worker) for worker in scene.crew.workers)]


def _missing(scene: Scene, since: float) -> list[CrewWorker]:
    at_work = claimed_since(read_history(scene.engine), since)
    return [worker for worker in scene.crew.workers if worker.name not in at_work]


def _wait(scene: Scene, seconds: float, holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        scene.crew.look()
        try:
            if holds():
                return True
        except DBAPIError as error:
            log.warning("storm.no_database", reason=str(error.orig))
        time.sleep(0.2)
    return False


def _end(scene: Scene, storm: Weathered) -> None:
    """End the workers; nothing of the farm may be left."""
    late = scene.crew.end(GRACE_SECONDS + 15)
    storm.violations += [f"not ended within its grace and 15 s: {worker}" for worker in late]
    deadline = time.monotonic() + 5
    while (left := scene.processes()) and time.monotonic() < deadline:
        time.sleep(0.2)
    for process in left:
        storm.violations.append(f"left behind: {process.pid} {process.status()} {' '.join(process.cmdline())}")


def _check(scene: Scene, demand: Demand, storm: Weathered) -> None:
    told = read_logs(scene.crew.logs())
    storm.history = read_history(scene.engine)
    storm.refused, storm.errors, storm.deaths = told.refused, told.errors, scene.crew.deaths
    with scene.engine.connect() as connection:
        ways = "SELECT coalesce(failure_kind, state) AS way FROM"
        storm.jobs = Counter(connection.scalars(text(f"{ways} edits UNION ALL {ways} scores")))
    storm.failures = checks.failures(scene.engine)
    storm.violations += checks.ledger_violations(scene, demand.asked, {deed.fault for deed in storm.deeds})
    storm.violations += checks.history_violations(storm.history, told.outcomes, checks.shared_edits(scene.engine))
    storm.violations += checks.fsck_violations(scene)
