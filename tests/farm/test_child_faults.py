"""What kills, hangs or breaks the process that holds the model costs time and no result; a job that does so is stopped.

The numbers in the names are those of the fault table in docs/promises.md.
"""

from __future__ import annotations

import json
import time

import pytest
import redis
from sqlalchemy import update

from db.engine import transaction
from db.tables import edits
from tests.farm.conftest import LEASE_SECONDS, FarmUnderTest, eventually, ready_workers
from tests.farm.steps import (
    SOON_SECONDS,
    attempts,
    await_end,
    counted_attempts,
    finish,
    planted,
    pool_child,
    rows,
    running,
    seconds_until_again,
    sqlite_and_in_chaos_postgresql,
    submit,
)
from workers.lease import RECOVER_SECONDS

pytestmark = pytest.mark.integration


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

    report = finish(farm, run, edits_done=3, edits_failed=1)

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

    await_end(farm, run)

    report = farm.report(run)
    assert report["progress"]["scores"]["done"] == 3
    assert [(failure["key"], failure["kind"]) for failure in report["failures"]] == [("p-1", "poison")]


@pytest.mark.chaos
def test_a_job_that_exhausts_the_memory_of_its_host_is_poison(farm: FarmUnderTest) -> None:
    # What the kernel does when memory is out, without putting this machine through it: SIGKILL to the child.
    farm.worker("edit,score", **planted(farm.folder, OUT_OF_MEMORY))
    run = submit(farm, pairs=2)

    report = finish(farm, run, edits_done=1, edits_failed=1)

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
    worker = farm.worker("edit,score", **planted(farm.folder, HANGS_ONCE))
    run = submit(farm, pairs=3)
    eventually(lambda: running(farm), farm=farm)
    hung = pool_child(worker)

    began = time.monotonic()
    eventually(lambda: not hung.is_running(), farm=farm)

    assert time.monotonic() - began < LEASE_SECONDS + SOON_SECONDS
    (words,) = eventually(lambda: [row.last_words for row in rows(farm) if row.last_words], farm=farm)
    assert "without progress" in words
    finish(farm, run, edits_done=3)


HANGS_ONCE = """
from workers.models import simulated
whole = simulated.SimulatedEditor.edit
def edit(self, request):
    if once():
        time.sleep(600)
    return whole(self, request)
simulated.SimulatedEditor.edit = edit
"""


@pytest.mark.chaos
def test_a_job_at_which_the_gpu_hangs_each_time_is_poison_after_three_attempts(farm: FarmUnderTest) -> None:
    farm.worker("edit,score")
    run = submit(farm, "editor.hang_on=[p-0]", pairs=3)

    report = finish(farm, run, edits_done=2, edits_failed=1)

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

    await_end(farm, run)

    (row,) = rows(farm)
    if soft:
        assert (row.state, row.attempt, row.failure_kind) == ("failed", 1, "error")
    else:
        assert (row.state, row.attempt, row.failure_kind) == ("failed", 3, "poison")
        assert not child.is_running()
    assert worker.poll() is None


# -- its GPU -----------------------------------------------------------------------------------------------------------


@pytest.mark.chaos
def test_a_job_that_breaks_the_gpu_fails_alone_and_the_next_one_starts_clean(farm: FarmUnderTest) -> None:
    worker = farm.worker("edit,score", **planted(farm.folder, SHORT_WAITS))
    run = submit(farm, "editor.cuda_error_on=[p-1]", pairs=4)

    report = finish(farm, run, edits_done=3, edits_failed=1)

    (failure,) = report["failures"]
    assert (failure["key"], failure["kind"]) == ("p-1", "poison")
    assert "CUDA error: an illegal memory access" in failure["reason"]
    log = farm.folder / "worker-edit,score.log"
    eventually(lambda: log.read_text().count('"child.lost"') == 3, farm=farm)  # each time a new one began
    assert worker.poll() is None
    assert counted_attempts(farm) == [1, 3, 1, 1]


SHORT_WAITS = """
import db.transitions
db.transitions.BACK_OFF_SECONDS, db.transitions.GPU_WAIT_SECONDS = 2, 0
"""


def test_a_gpu_that_fails_at_two_jobs_in_a_row_is_sick_and_others_do_its_work(
    farm: FarmUnderTest, broker_url: str
) -> None:
    sick = farm.worker("edit,score", CUDA_VISIBLE_DEVICES="3", **planted(farm.folder, SICK))
    run = submit(farm, pairs=4)

    def health() -> str:
        (worker,) = json_status(farm)["farm"] or [{"health": ""}]
        return str(worker["health"])

    eventually(lambda: health() == "sick", farm=farm)
    assert "sick" in farm.producer("status")
    tried = attempts(farm)
    with redis.Redis.from_url(broker_url) as client:
        client.client_kill_filter(_type="normal", skipme=True)  # coming back to the broker it must not forget
    let_the_waits_be_over(farm)
    time.sleep(RECOVER_SECONDS + 2)  # by then what is due has a message
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


def let_the_waits_be_over(farm: FarmUnderTest) -> None:
    """Have every edit that waits for its next attempt be due."""
    engine = farm.engine()
    with transaction(engine) as connection:
        connection.execute(update(edits).values(not_before=0))
    engine.dispose()


def json_status(farm: FarmUnderTest) -> dict[str, list[dict[str, object]]]:
    return dict(json.loads(farm.producer("status", "--json")))
