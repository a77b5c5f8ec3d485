"""Workers that are killed, frozen or at odds about the time, and their supervisor: another takes their jobs over.

The numbers in the names are those of the fault table in docs/promises.md.
"""

from __future__ import annotations

import signal
import time
from contextlib import suppress

import psutil
import pytest

from db.tables import Stage
from tests.farm.conftest import (
    LEASE_SECONDS,
    FarmUnderTest,
    children_of,
    eventually,
    pool_child_of,
    ready_workers,
    worker_parents,
)
from tests.farm.steps import (
    SOON_SECONDS,
    attempts,
    await_end,
    done,
    finish,
    planted,
    pool_child,
    rows,
    running,
    seconds_until_again,
    send_to_tree,
    sqlite_and_in_chaos_postgresql,
    submit,
)

pytestmark = pytest.mark.integration


@sqlite_and_in_chaos_postgresql
def test_02_a_killed_workers_job_is_taken_over_and_its_child_goes_with_it(
    farm_on_each_database: FarmUnderTest,
) -> None:
    farm = farm_on_each_database
    first = farm.worker("edit,score", CUDA_VISIBLE_DEVICES="0")
    run = submit(farm, "editor.seconds=3", pairs=1)
    eventually(lambda: running(farm), farm=farm)
    child = pool_child(first)

    first.kill()
    killed_at = time.monotonic()
    eventually(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, seconds=2, farm=farm)
    farm.worker("edit,score", CUDA_VISIBLE_DEVICES="1")

    assert seconds_until_again(farm, killed_at) < LEASE_SECONDS + SOON_SECONDS
    finish(farm, run, edits_done=1)
    assert "gpu1" in rows(farm)[0].worker


@pytest.mark.chaos
def test_a_worker_whose_whole_process_group_is_killed_is_replaced(farm: FarmUnderTest) -> None:
    first = farm.worker("edit,score", CUDA_VISIBLE_DEVICES="0")
    run = submit(farm, "editor.seconds=2", pairs=3)
    eventually(lambda: running(farm), farm=farm)

    send_to_tree(first, signal.SIGKILL)
    farm.worker("edit,score", CUDA_VISIBLE_DEVICES="1")

    finish(farm, run, edits_done=3)
    assert sum(attempts(farm)) == 4


@pytest.mark.chaos
@pytest.mark.parametrize("kills", [25])
@pytest.mark.timeout(600)
def test_03_a_worker_killed_again_and_again_while_it_fetches_loses_nothing(farm: FarmUnderTest, kills: int) -> None:
    run = submit(farm, "editor.seconds=0.001", "scorer.seconds=0.001", pairs=60 * kills)
    for kill in range(kills):
        worker = farm.worker("edit,score", CUDA_VISIBLE_DEVICES=str(kill))
        before = len(done(farm))
        eventually(lambda count=before: len(done(farm)) > count + 10, farm=farm)  # type: ignore[misc]
        worker.kill()
        worker.wait()
    farm.worker("edit,score")

    await_end(farm, run)
    finish(farm, run, edits_done=60 * kills)


@pytest.mark.chaos
def test_04_when_all_are_killed_at_once_a_new_start_finishes_the_run(farm: FarmUnderTest) -> None:
    workers = [farm.worker("edit,score", CUDA_VISIBLE_DEVICES=str(gpu)) for gpu in range(2)]
    run = submit(farm, "editor.seconds=3", pairs=4)
    eventually(lambda: len(running(farm)) == 2, farm=farm)

    for worker in workers:
        send_to_tree(worker, signal.SIGKILL)
        worker.wait()
    farm.worker("edit,score", CUDA_VISIBLE_DEVICES="2")

    finish(farm, run, edits_done=4)
    assert sorted(attempts(farm)) == [1, 1, 2, 2]


@pytest.mark.parametrize(
    "frozen", ["parent", *(pytest.param(what, marks=pytest.mark.chaos) for what in ("child", "both"))]
)
def test_14_a_worker_frozen_for_longer_than_its_lease_cannot_overwrite_its_successor(
    farm: FarmUnderTest, frozen: str
) -> None:
    first = farm.worker("edit", CUDA_VISIBLE_DEVICES="0", **planted(farm.folder, WORKS_UNTIL_TOLD))
    run = submit(farm, pairs=1)
    eventually(lambda: running(farm), farm=farm)
    victims = {"child": [pool_child(first)], "parent": [psutil.Process(first.pid)]}
    victims["both"] = victims["parent"] + victims["child"]

    for victim in victims[frozen]:
        victim.suspend()
    farm.worker("edit,score", CUDA_VISIBLE_DEVICES="1")
    eventually(lambda: len(done(farm)) == 1, farm=farm)
    (farm.folder / "planted" / "told").touch()
    if frozen == "parent":
        eventually((farm.folder / "planted" / "late").exists, farm=farm)
        time.sleep(1)
    for victim in victims[frozen]:
        with suppress(psutil.NoSuchProcess):  # a frozen child is ended by its parent
            victim.resume()
    if frozen == "parent":
        eventually(lambda: '"edit.refused"' in (farm.folder / "worker-edit.log").read_text(), farm=farm)
    else:
        time.sleep(3)

    finish(farm, run, edits_done=1)
    (row,) = rows(farm)
    assert row.attempt == 2
    replaced = frozen == "child" and not victims["child"][0].is_running()  # by its own parent, which lives
    assert "gpu1" in row.worker or replaced
    assert eventually(lambda: ready_workers(farm), farm=farm)


# Of a frozen parent, the child works on; whoever takes its job over is done in no time.
WORKS_UNTIL_TOLD = """
from workers.models import simulated
whole = simulated.SimulatedEditor.edit
def edit(self, request):
    if not once():
        return whole(self, request)
    while not pathlib.Path(__file__).with_name('told').exists():
        request.on_step(1, 20)
        time.sleep(0.1)
    image = whole(self, request)
    pathlib.Path(__file__).with_name('late').touch()
    return image
simulated.SimulatedEditor.edit = edit
"""


@pytest.mark.parametrize("point", ["before", "after"])
def test_15_16_a_child_that_dies_around_the_sending_of_its_messages_loses_no_score(
    farm: FarmUnderTest, point: str
) -> None:
    died = {"before": "pass", "after": "whole(*arguments)"}[point]
    code = (
        "import db.doorbells\n"
        "whole = db.doorbells.ring\n"
        "def ring(*arguments):\n"
        "    if once():\n"
        f"        {died}\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    whole(*arguments)\n"
        "db.doorbells.ring = ring\n"
    )
    farm.worker("edit,score", **planted(farm.folder, code))
    run = submit(farm, pairs=1)

    finish(farm, run, edits_done=1)

    assert attempts(farm) == [1]
    assert [row.attempt for row in rows(farm, Stage.SCORE)] == [1]


@pytest.mark.chaos
@sqlite_and_in_chaos_postgresql
def test_26_a_worker_whose_clock_is_an_hour_off_takes_nothing_from_the_living(
    farm_on_each_database: FarmUnderTest,
) -> None:
    farm = farm_on_each_database
    honest = farm.worker("edit", CUDA_VISIBLE_DEVICES="0")
    run = submit(farm, "editor.seconds=14", pairs=2)
    eventually(lambda: running(farm), farm=farm)
    for gpu, hours in (("1", 1), ("2", -1)):
        code = f"true_time = time.time\ntime.time = lambda: true_time() + {hours * 3600}"
        farm.worker("edit,score", CUDA_VISIBLE_DEVICES=gpu, **planted(farm.folder, code, in_child=False))

    finish(farm, run, edits_done=2)

    assert attempts(farm) == [1, 1]
    assert honest.poll() is None


@pytest.mark.chaos
def test_a_worker_that_takes_a_message_and_does_nothing_is_ended_and_started_again(farm: FarmUnderTest) -> None:
    farm.farm("--workers", "1", **planted(farm.folder, STANDS_STILL, in_child=None))
    eventually(lambda: ready_workers(farm), farm=farm)
    (parent,) = worker_parents(farm.processes[0])
    idle = pool_child_of(parent)

    run = submit(farm, pairs=2)

    finish(farm, run, edits_done=2)
    eventually(lambda: not idle.is_running(), farm=farm)


# The first child stops before it has asked the kernel to end it together with its parent.
STANDS_STILL = """
if not is_child:
    import workers.lease
    workers.lease.STUCK_SECONDS = 8
elif once():
    os.kill(os.getpid(), signal.SIGSTOP)
"""


@pytest.mark.chaos
def test_a_killed_childs_job_does_not_wait_behind_the_backlog(farm: FarmUnderTest) -> None:
    worker = farm.worker("edit,score")
    farm.worker("edit,score", CUDA_VISIBLE_DEVICES="1")
    run = submit(farm, "editor.seconds=2", pairs=10)
    eventually(lambda: len(running(farm)) == 2, farm=farm)

    killed_at = time.monotonic()
    pool_child(worker).kill()

    assert seconds_until_again(farm, killed_at) < SOON_SECONDS
    finish(farm, run, edits_done=10)


# -- the supervisor ----------------------------------------------------------------------------------------------------


def test_a_worker_that_dies_is_started_again(farm: FarmUnderTest) -> None:
    farm.farm("--workers", "1")
    (name,) = eventually(lambda: ready_workers(farm), farm=farm)
    (worker,) = worker_parents(farm.processes[0])

    worker.send_signal(signal.SIGKILL)

    eventually(lambda: not worker.is_running(), farm=farm)
    assert list(eventually(lambda: ready_workers(farm), farm=farm)) == [name]


def test_nothing_of_a_farm_outlives_its_killed_supervisor(farm: FarmUnderTest) -> None:
    supervisor = farm.farm("--workers", "2")
    eventually(lambda: len(ready_workers(farm, 2)) == 2, farm=farm)
    descendants = children_of(supervisor)

    supervisor.kill()
    supervisor.wait()

    assert len(descendants) >= 4
    eventually(lambda: not any(process.is_running() for process in descendants), seconds=5, farm=farm)
