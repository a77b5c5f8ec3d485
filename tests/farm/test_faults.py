"""What dies, hangs or is frozen in the middle of a run costs time and no result; a job that kills is stopped.

The numbers in the names of parameters and comments are those of the fault table in docs/promises.md.
"""

from __future__ import annotations

import json
import signal
import time
from contextlib import suppress

import psutil
import pytest
import redis

from db.tables import Stage
from tests.farm.conftest import (
    FarmUnderTest,
    children_of,
    eventually,
    pool_child_of,
    ready_workers,
    worker_parents,
)
from tests.farm.steps import (
    attempts,
    counted_attempts,
    done,
    finish,
    planted,
    pool_child,
    rows,
    running,
    send_to_tree,
    submit,
)

pytestmark = pytest.mark.integration

LEASE_SECONDS = 5  # as in the farm under test

SHORT_BACK_OFF = "import db.transitions\ndb.transitions.BACK_OFF_SECONDS = 2\n"
NO_GPU_WAIT = "db.transitions.GPU_WAIT_SECONDS = 0\n"
SHORT_GPU_WAIT = "db.transitions.GPU_WAIT_SECONDS = 14\n"  # longer than a child takes to be replaced

sqlite_and_in_chaos_postgresql = pytest.mark.parametrize(
    "database_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.chaos)], indirect=True
)
SOON_SECONDS = 10


def seconds_until_again(farm: FarmUnderTest, since: float, attempt: int = 2) -> float:
    """Wait until some edit runs for that time; return how long that took."""
    eventually(lambda: running(farm, attempt=attempt), farm=farm)
    return time.monotonic() - since


# -- a pool child ------------------------------------------------------------------------------------------------------


@sqlite_and_in_chaos_postgresql
def test_01_a_killed_childs_job_runs_again_within_ten_seconds(farm_on_each_database: FarmUnderTest) -> None:
    farm = farm_on_each_database
    worker = farm.worker("edit,score")
    run = submit(farm, "editor.seconds=4", pairs=1)
    eventually(lambda: running(farm), farm=farm)

    killed_at = time.monotonic()
    pool_child(worker).kill()

    assert seconds_until_again(farm, killed_at) < SOON_SECONDS
    finish(farm, run, edits_done=1)
    assert attempts(farm) == [2]


@pytest.mark.chaos
def test_06_a_child_that_starts_slowly_is_waited_for(farm: FarmUnderTest) -> None:
    worker = farm.worker("edit,score", **planted(farm.folder, "time.sleep(8)"))
    run = submit(farm, "editor.seconds=3", pairs=1)
    eventually(lambda: running(farm), farm=farm)

    pool_child(worker).kill()

    finish(farm, run, edits_done=1)
    assert attempts(farm) == [2]


@sqlite_and_in_chaos_postgresql
def test_05_a_job_that_kills_its_process_is_poison_after_three_attempts_and_the_others_are_done(
    farm_on_each_database: FarmUnderTest,
) -> None:
    farm = farm_on_each_database
    worker = farm.worker("edit,score")
    run = submit(farm, "editor.crash_on=[p-1]", pairs=4)

    report = finish(farm, run, edits_done=3, code=1)

    (failure,) = report["failures"]
    assert (failure["key"], failure["kind"]) == ("p-1", "poison")
    assert "3 attempts" in failure["reason"]
    assert "was killed by signal 9 (SIGKILL)" in failure["reason"]
    assert "the end of its log: " in failure["reason"]
    first, killer, *others = attempts(farm)
    assert killer == 3
    assert max(first, *others) <= 2  # in hand when the process was first killed; what was tried is then tried alone
    assert worker.poll() is None
    assert eventually(lambda: ready_workers(farm), farm=farm)


@pytest.mark.chaos
def test_05_of_children_that_die_one_after_another_between_two_looks_it_is_known_how_each_ended(
    farm: FarmUnderTest,
) -> None:
    slow_looks = planted(farm.folder, "import workers.lease\nworkers.lease.LOOK_SECONDS = 15", in_child=False)
    farm.worker("edit", FARM_LEASE_SECONDS="60", **slow_looks)  # no lease runs out before the look
    submit(farm, "editor.crash_on=[p-0,p-1,p-2]", pairs=3)

    eventually(lambda: all(row.last_words for row in rows(farm)), farm=farm)

    assert [row.last_words.count("was killed by signal 9 (SIGKILL)") for row in rows(farm)] == [1, 1, 1]


@pytest.mark.chaos
def test_a_score_that_kills_its_process_takes_none_of_its_batch_with_it(farm: FarmUnderTest) -> None:
    farm.worker("edit,score")
    run = submit(farm, "scorer.crash_on=[p-1]", "scorer.batch_size=4", pairs=4)

    farm.producer("watch", run, code=1)

    report = farm.report(run)
    assert report["progress"]["scores"]["done"] == 3
    assert [(failure["key"], failure["kind"]) for failure in report["failures"]] == [("p-1", "poison")]


@pytest.mark.chaos
def test_a_job_that_exhausts_the_memory_of_its_host_is_poison(farm: FarmUnderTest) -> None:
    # What the kernel does when memory is out, without putting this machine through it: SIGKILL to the child.
    farm.worker("edit,score", **planted(farm.folder, OUT_OF_MEMORY))
    run = submit(farm, pairs=2)

    report = finish(farm, run, edits_done=1, code=1)

    (failure,) = report["failures"]
    assert failure["kind"] == "poison"
    assert "Out of memory: Killed process" in failure["reason"]


OUT_OF_MEMORY = """
from workers.models import simulated
whole = simulated.SimulatedEditor.edit
def edit(self, request):
    if request.key == 'p-0':
        os.write(2, b'Out of memory: Killed process\\n')
        os.kill(os.getpid(), signal.SIGKILL)
    return whole(self, request)
simulated.SimulatedEditor.edit = edit
"""


def test_a_gpu_that_hangs_loses_its_lease_and_its_child_is_ended(farm: FarmUnderTest) -> None:
    worker = farm.worker("edit,score")
    run = submit(farm, "editor.hang_on=[p-0]", pairs=3)
    eventually(lambda: running(farm), farm=farm)
    hung = pool_child(worker)

    began = time.monotonic()
    eventually(lambda: not hung.is_running(), farm=farm)

    assert time.monotonic() - began < LEASE_SECONDS + SOON_SECONDS
    report = finish(farm, run, edits_done=2, code=1)
    (failure,) = report["failures"]
    assert (failure["key"], failure["kind"]) == ("p-0", "poison")
    assert "without progress" in failure["reason"]


@pytest.mark.chaos
def test_a_job_of_many_leases_length_is_not_disturbed(farm: FarmUnderTest) -> None:
    farm.worker("edit")
    farm.worker("score")
    run = submit(farm, "editor.seconds=8", "editor.load_seconds=6", "scorer.seconds=7", pairs=1)

    finish(farm, run, edits_done=1)

    assert attempts(farm) == [1]


@pytest.mark.parametrize(
    "soft", [pytest.param(False, id="hard"), pytest.param(True, id="soft", marks=pytest.mark.chaos)]
)
def test_18_a_job_over_the_time_limit_is_not_stuck(farm: FarmUnderTest, *, soft: bool) -> None:
    limit = "task_soft_time_limit" if soft else "task_time_limit"
    code = f"import celeryconfig\nceleryconfig.{limit} = 2"
    worker = farm.worker("edit,score", **planted(farm.folder, code, in_child=False))
    run = submit(farm, "editor.seconds=6", pairs=1)
    eventually(lambda: running(farm), farm=farm)
    child = pool_child(worker)

    farm.producer("watch", run, code=1)

    (row,) = rows(farm)
    if soft:
        assert (row.state, row.attempt, row.failure_kind) == ("failed", 1, "error")
    else:
        assert (row.state, row.attempt, row.failure_kind) == ("failed", 3, "poison")
        assert not child.is_running()
    assert worker.poll() is None


# -- a GPU -------------------------------------------------------------------------------------------------------------


@pytest.mark.chaos
def test_a_job_that_breaks_the_gpu_fails_alone_and_the_next_one_starts_clean(farm: FarmUnderTest) -> None:
    worker = farm.worker("edit,score", **planted(farm.folder, SHORT_BACK_OFF + NO_GPU_WAIT))
    run = submit(farm, "editor.cuda_error_on=[p-1]", pairs=4)

    report = finish(farm, run, edits_done=3, code=1)

    (failure,) = report["failures"]
    assert (failure["key"], failure["kind"]) == ("p-1", "poison")
    assert "CUDA error: an illegal memory access" in failure["reason"]
    log = farm.folder / "worker-edit,score.log"
    eventually(lambda: log.read_text().count('"child.lost"') == 3, farm=farm)  # each time a new one began
    assert worker.poll() is None
    assert counted_attempts(farm) == [1, 3, 1, 1]


def test_a_gpu_that_fails_at_two_jobs_in_a_row_is_sick_and_others_do_its_work(
    farm: FarmUnderTest, broker_url: str
) -> None:
    sick = farm.worker(
        "edit,score", CUDA_VISIBLE_DEVICES="3", **planted(farm.folder, SHORT_BACK_OFF + SHORT_GPU_WAIT + SICK)
    )
    run = submit(farm, pairs=4)

    def health() -> str:
        (worker,) = json_status(farm)["farm"] or [{"health": ""}]
        return str(worker["health"])

    eventually(lambda: health() == "sick", farm=farm)
    assert "sick" in farm.producer("status")
    tried = attempts(farm)
    with redis.Redis.from_url(broker_url) as client:
        client.client_kill_filter(_type="normal", skipme=True)  # coming back to the broker it must not forget
    time.sleep(17)  # the waits have passed, and messages are there
    assert attempts(farm) == tried
    assert sick.poll() is None

    farm.worker("edit,score", CUDA_VISIBLE_DEVICES="4")
    finish(farm, run, edits_done=4)
    assert max(attempts(farm)) == 2


SICK = """
from workers.models import simulated
def edit(self, request):
    raise RuntimeError('CUDA error: uncorrectable ECC error encountered')
simulated.SimulatedEditor.edit = edit
"""


def json_status(farm: FarmUnderTest) -> dict[str, list[dict[str, object]]]:
    return dict(json.loads(farm.producer("status", "--json")))


# -- a worker ----------------------------------------------------------------------------------------------------------


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

    farm.producer("watch", run)
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
    ("frozen", "seconds"),
    [
        pytest.param("child", 2, marks=pytest.mark.chaos),
        ("parent", 14),
        pytest.param("both", 2, marks=pytest.mark.chaos),
    ],
)
def test_14_a_worker_frozen_for_longer_than_its_lease_cannot_overwrite_its_successor(
    farm: FarmUnderTest, frozen: str, seconds: int
) -> None:
    first = farm.worker("edit", CUDA_VISIBLE_DEVICES="0")
    run = submit(farm, f"editor.seconds={seconds}", pairs=1)
    eventually(lambda: running(farm), farm=farm)
    victims = {"child": [pool_child(first)], "parent": [psutil.Process(first.pid)]}
    victims["both"] = victims["parent"] + victims["child"]

    for victim in victims[frozen]:
        victim.suspend()
    farm.worker("edit,score", CUDA_VISIBLE_DEVICES="1")
    eventually(lambda: len(done(farm)) == 1, farm=farm)
    for victim in victims[frozen]:
        with suppress(psutil.NoSuchProcess):  # a frozen child is ended by its parent
            victim.resume()
    time.sleep(3)

    finish(farm, run, edits_done=1)
    (row,) = rows(farm)
    assert row.attempt == 2
    replaced = frozen == "child" and not victims["child"][0].is_running()  # by its own parent, which lives
    assert "gpu1" in row.worker or replaced
    assert eventually(lambda: ready_workers(farm), farm=farm)


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
    eventually(lambda: len(ready_workers(farm)) == 2, farm=farm)
    descendants = children_of(supervisor)

    supervisor.kill()
    supervisor.wait()

    assert len(descendants) >= 4
    eventually(lambda: not any(process.is_running() for process in descendants), seconds=5, farm=farm)
