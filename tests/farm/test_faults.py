"""What dies or gets lost in the middle of a run costs time and no result."""

from __future__ import annotations

import signal
import time
from typing import Any

import psutil
import pytest
import redis
from sqlalchemy import select

from db.engine import reading
from db.tables import edits
from tests.factories import original_file
from tests.farm.conftest import FarmUnderTest, children_of, eventually, ready_workers

pytestmark = pytest.mark.integration

SIMULATED = ("--editor", "simulated", "--scorer", "simulated")


def submit(farm: FarmUnderTest, *flags: str, pairs: int) -> str:
    return farm.producer("submit", original_file(farm.folder, pairs=pairs), *SIMULATED, *flags).strip()


def rows(farm: FarmUnderTest) -> list[Any]:
    engine = farm.engine()
    with reading(engine) as connection:
        found = connection.execute(select(edits).order_by(edits.c.id)).all()
    engine.dispose()
    return list(found)


def running(farm: FarmUnderTest) -> list[Any]:
    return [row for row in rows(farm) if row.state == "running"]


def pool_child(worker: psutil.Popen | Any) -> psutil.Process:
    return next(child for child in children_of(worker) if "spawn_main" in " ".join(child.cmdline()))


def test_a_job_that_kills_its_process_is_failed_after_three_attempts_and_the_others_are_done(
    farm_on_each_database: FarmUnderTest,
) -> None:
    farm = farm_on_each_database
    farm.worker("edit,score")
    run = submit(farm, "--set", "editor.crash_on=[p-1]", pairs=4)

    farm.producer("watch", run, code=1)

    report = farm.report(run)
    assert report["progress"]["edits"]["done"] == report["progress"]["scores"]["done"] == 3
    (failure,) = report["failures"]
    assert (failure["key"], failure["kind"]) == ("p-1", "poison")
    assert "3 attempts" in failure["reason"]
    assert [row.attempt for row in rows(farm)] == [1, 3, 1, 1]


def test_a_score_that_kills_its_process_takes_none_of_its_batch_with_it(farm: FarmUnderTest) -> None:
    farm.worker("edit,score")
    run = submit(farm, "--set", "scorer.crash_on=[p-1]", "--set", "scorer.batch_size=4", pairs=4)

    farm.producer("watch", run, code=1)

    report = farm.report(run)
    assert report["progress"]["scores"]["done"] == 3
    assert [(failure["key"], failure["kind"]) for failure in report["failures"]] == [("p-1", "poison")]


def test_a_killed_workers_job_is_done_by_another_one_within_the_lease(farm: FarmUnderTest) -> None:
    first = farm.worker("edit,score", CUDA_VISIBLE_DEVICES="0")
    run = submit(farm, "--set", "editor.seconds=3", pairs=1)
    eventually(lambda: running(farm), farm=farm)

    first.kill()
    killed_at = time.monotonic()
    farm.worker("edit,score", CUDA_VISIBLE_DEVICES="1")
    taken_over = eventually(lambda: [row for row in running(farm) if row.attempt == 2], farm=farm)

    assert time.monotonic() - killed_at < 5 + 10
    assert "gpu1" in taken_over[0].worker
    farm.producer("watch", run)
    assert farm.report(run)["scorers"][0]["overall"]["scored"] == 1


def test_a_broker_that_lost_everything_costs_time_and_no_result(farm: FarmUnderTest, broker_url: str) -> None:
    run = submit(farm, pairs=4)
    with redis.Redis.from_url(broker_url) as client:
        client.flushall()

    farm.worker("edit,score")
    farm.producer("watch", run)

    assert farm.report(run)["progress"]["scores"]["done"] == 4


def test_a_worker_told_to_stop_hands_its_job_back_without_counting_the_attempt(farm: FarmUnderTest) -> None:
    workers = farm.farm("--workers", "1", FARM_GRACE_SECONDS="1")
    submit(farm, "--set", "editor.seconds=60", pairs=1)
    eventually(lambda: running(farm), farm=farm)

    workers.terminate()
    assert workers.wait(20) == 0

    (row,) = rows(farm)
    assert (row.state, row.owner) == ("queued", None)
    assert row.attempts_allowed - row.attempt == 3


def test_a_worker_told_to_stop_finishes_a_job_that_fits_the_grace(farm: FarmUnderTest) -> None:
    workers = farm.farm("--workers", "1", FARM_GRACE_SECONDS="20")
    submit(farm, "--set", "editor.seconds=2", pairs=3)
    eventually(lambda: running(farm), farm=farm)

    workers.terminate()
    assert workers.wait(30) == 0

    assert sorted(row.state for row in rows(farm)) == ["done", "queued", "queued"]


def test_a_worker_that_dies_is_started_again(farm: FarmUnderTest) -> None:
    farm.farm("--workers", "1")
    (name,) = eventually(lambda: ready_workers(farm), farm=farm)
    worker = next(child for child in children_of(farm.processes[0]) if "workers.worker" in " ".join(child.cmdline()))

    worker.send_signal(signal.SIGKILL)

    eventually(lambda: not worker.is_running(), farm=farm)
    assert list(eventually(lambda: ready_workers(farm), farm=farm)) == [name]


def test_nothing_of_a_farm_outlives_its_killed_supervisor(farm: FarmUnderTest) -> None:
    supervisor = farm.farm("--workers", "2")
    eventually(lambda: len(ready_workers(farm)) == 2, farm=farm)
    descendants = children_of(supervisor)

    supervisor.kill()
    supervisor.wait()

    assert len(descendants) >= 4
    eventually(lambda: not any(process.is_running() for process in descendants), seconds=5, farm=farm)


def test_a_cancelled_run_stops_and_its_running_edit_is_never_done(farm: FarmUnderTest) -> None:
    farm.worker("edit,score")
    run = submit(farm, "--set", "editor.seconds=2", pairs=3)
    eventually(lambda: running(farm), farm=farm)

    farm.producer("cancel", run)
    time.sleep(3)  # the edit under way ends in this time

    assert {row.state for row in rows(farm)} == {"cancelled"}
    farm.producer("resume", run)
    farm.producer("watch", run)
    assert farm.report(run)["progress"]["scores"]["done"] == 3
