"""What is told to stop stops: with its job finished, or with its job handed back uncounted; at once when told twice."""

from __future__ import annotations

import signal
import subprocess
import time

import pytest

from db.tables import Stage
from tests.farm.conftest import FarmUnderTest, children_of, eventually
from tests.farm.steps import attempts, await_end, done, finish, planted, rows, running, submit
from workers.lease import STUCK_EXIT

pytestmark = pytest.mark.integration


FARM, WORKER = "python -m workers", "celery -A workers worker"

whoever_is_told_and_how = pytest.mark.parametrize(
    ("command", "number"),
    [
        pytest.param(FARM, signal.SIGTERM, id="farm, SIGTERM"),
        pytest.param(WORKER, signal.SIGINT, id="worker, Ctrl-C"),
        pytest.param(FARM, signal.SIGINT, id="farm, Ctrl-C", marks=pytest.mark.chaos),
        pytest.param(WORKER, signal.SIGTERM, id="worker, SIGTERM", marks=pytest.mark.chaos),
    ],
)


def start(farm: FarmUnderTest, command: str, grace_seconds: int) -> subprocess.Popen[bytes]:
    grace = {"FARM_GRACE_SECONDS": str(grace_seconds)}
    return farm.farm("--workers", "1", **grace) if command == FARM else farm.worker("edit,score", **grace)


@whoever_is_told_and_how
def test_17_a_job_that_fits_the_grace_is_finished_and_no_other_is_begun(
    farm: FarmUnderTest, command: str, number: signal.Signals
) -> None:
    workers = start(farm, command, grace_seconds=30)
    submit(farm, "editor.seconds=2", pairs=3)
    eventually(lambda: running(farm), farm=farm)

    workers.send_signal(number)

    assert workers.wait(30) == 0
    assert sorted(row.state for row in rows(farm)) == ["done", "queued", "queued"]


@whoever_is_told_and_how
def test_17_a_job_that_does_not_fit_the_grace_is_handed_back_at_once_and_not_counted(
    farm: FarmUnderTest, command: str, number: signal.Signals
) -> None:
    workers = start(farm, command, grace_seconds=1)
    submit(farm, "editor.seconds=60", pairs=1)
    eventually(lambda: running(farm), farm=farm)

    workers.send_signal(number)

    assert workers.wait(20) == 0
    (row,) = rows(farm)
    assert (row.state, row.owner, row.lease_until) == ("queued", None, None)
    assert row.attempts_allowed - row.attempt == 3


@whoever_is_told_and_how
def test_a_second_signal_ends_at_once(farm: FarmUnderTest, command: str, number: signal.Signals) -> None:
    workers = start(farm, command, grace_seconds=600)
    submit(farm, "editor.seconds=60", pairs=1)
    eventually(lambda: running(farm), farm=farm)
    descendants = children_of(workers)

    workers.send_signal(number)
    time.sleep(1)
    workers.send_signal(number)

    workers.wait(8)
    eventually(lambda: not any(process.is_running() for process in descendants), seconds=5, farm=farm)
    farm.worker("edit,score")
    eventually(lambda: running(farm), farm=farm)  # no lease was left that anybody has to wait for


def test_a_worker_that_is_idle_ends_at_once(farm: FarmUnderTest) -> None:
    worker = farm.worker("edit,score")
    await_end(farm, submit(farm, pairs=1))

    worker.terminate()

    assert worker.wait(10) == 0


def test_19_a_cancelled_run_stops_within_a_step_and_its_running_edit_is_never_done(farm: FarmUnderTest) -> None:
    farm.worker("edit,score")
    run = submit(farm, "editor.seconds=40", pairs=3)  # two seconds a step
    eventually(lambda: running(farm), farm=farm)

    farm.producer("cancel", run)
    cancelled_at = time.monotonic()
    other = submit(farm, "editor.seconds=0.1", pairs=1)
    await_end(farm, other)

    assert time.monotonic() - cancelled_at < 15  # its worker was not held up by the 40 seconds of the first
    assert sorted(row.state for row in rows(farm)) == ["cancelled", "cancelled", "cancelled", "done"]
    farm.producer("cancel", other)
    assert len(done(farm)) == 1


def test_19_a_cancelled_batch_of_scores_stops_too(farm: FarmUnderTest) -> None:
    farm.worker("edit,score")
    run = submit(farm, "scorer.seconds=40", "scorer.batch_size=4", pairs=2)
    eventually(lambda: running(farm, Stage.SCORE), farm=farm)

    farm.producer("cancel", run)
    cancelled_at = time.monotonic()
    await_end(farm, submit(farm, pairs=1))

    assert time.monotonic() - cancelled_at < 15
    assert sorted(row.state for row in rows(farm, Stage.SCORE)) == ["cancelled", "cancelled", "done"]


@pytest.mark.chaos
def test_what_was_cancelled_can_be_resumed(farm: FarmUnderTest) -> None:
    farm.worker("edit,score")
    run = submit(farm, "editor.seconds=2", pairs=3)
    eventually(lambda: running(farm), farm=farm)
    farm.producer("cancel", run)
    assert {row.state for row in rows(farm)} <= {"cancelled", "done"}

    farm.producer("resume", run)

    finish(farm, run, edits_done=3)
    assert max(attempts(farm)) <= 2


@pytest.mark.chaos
def test_a_worker_that_celery_does_not_bring_to_an_end_ends_itself_and_hands_its_job_back(farm: FarmUnderTest) -> None:
    hangs = """
def hang(module):
    module.TaskPool.on_stop = module.TaskPool.on_terminate = lambda self: time.sleep(600)

def let_live(module):
    module.Consumer.cancel_active_requests = lambda self: None

changes = {"celery.concurrency.prefork": hang, "celery.worker.consumer.consumer": let_live}

import importlib.abc, importlib.machinery
class Loader(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, *others):
        spec = importlib.machinery.PathFinder.find_spec(name, *others)
        if name in changes and spec is not None:
            execute = spec.loader.exec_module
            spec.loader.exec_module = lambda module: (execute(module), changes[name](module))
        return spec
sys.meta_path.insert(0, Loader)
"""
    worker = farm.worker("edit,score", FARM_GRACE_SECONDS="1", **planted(farm.folder, hangs, in_child=None))
    submit(farm, "editor.seconds=60", pairs=1)
    eventually(lambda: running(farm), farm=farm)

    worker.send_signal(signal.SIGTERM)

    assert worker.wait(20) == STUCK_EXIT
    (row,) = rows(farm)
    assert (row.state, row.attempts_allowed - row.attempt) == ("queued", 3)
    said = (farm.folder / "worker-edit,score.log").read_text()
    assert "worker.overdue" in said
    assert "in <lambda>" in said  # where it hangs
