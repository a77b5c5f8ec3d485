"""A broker that fails for a while, or doubles what it holds, costs time and no result; a dashboard not even that.

The numbers in the names are those of the fault table in docs/promises.md.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from celery import Celery

from tests.farm.conftest import ROOT, FarmAt, FarmUnderTest, eventually, ready_workers
from tests.farm.dashboard import Dashboard
from tests.farm.proxy import Proxy
from tests.farm.servers import Broker
from tests.farm.steps import attempts, done, finish, planted, pool_child, running, submit

pytestmark = [pytest.mark.integration, pytest.mark.timeout(200)]


@pytest.fixture(params=["kept on disk", "in memory only"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    """A broker of this test's own, which may be killed; with and without its data afterwards."""
    with Broker(tmp_path / "broker", aof=request.param == "kept on disk") as server:
        yield server


@pytest.mark.parametrize("seconds_down", [2, pytest.param(15, marks=pytest.mark.chaos)])
def test_07_08_a_broker_that_is_killed_costs_time(farm_at: FarmAt, broker: Broker, seconds_down: int) -> None:
    farm = farm_at(broker.url)
    for gpu in range(2):
        farm.worker("edit,score", CUDA_VISIBLE_DEVICES=str(gpu))
    run = submit(farm, "editor.seconds=1", pairs=8)
    eventually(lambda: len(done(farm)) >= 2, farm=farm)

    broker.kill()
    time.sleep(seconds_down)
    broker.start()

    finish(farm, run, edits_done=8)
    assert sum(attempts(farm)) <= 8 + 2
    eventually(lambda: len(ready_workers(farm, 2)) == 2, farm=farm)


def test_08_a_broker_that_lost_everything_costs_time_and_no_result(farm: FarmUnderTest, broker_url: str) -> None:
    run = submit(farm, "editor.seconds=0.5", pairs=6)
    farm.worker("edit,score")
    eventually(lambda: done(farm), farm=farm)
    with redis.Redis.from_url(broker_url) as client:
        client.flushall()

    finish(farm, run, edits_done=6)
    assert attempts(farm) == [1] * 6


@pytest.mark.chaos
def test_09_workers_serve_on_after_ten_quick_restarts(farm_at: FarmAt, lasting_broker: Broker) -> None:
    farm = farm_at(lasting_broker.url)
    for gpu in range(2):
        farm.worker("edit,score", CUDA_VISIBLE_DEVICES=str(gpu))
    eventually(lambda: len(ready_workers(farm, 2)) == 2, farm=farm)
    run = submit(farm, "editor.seconds=0.5", pairs=20)

    for bounce in range(10):
        lasting_broker.restart()
        time.sleep(0.2 * bounce)

    finish(farm, run, edits_done=20)
    eventually(lambda: len(ready_workers(farm, 2)) == 2, farm=farm)


def test_10_a_connection_that_is_dropped_during_a_job_does_not_run_it_twice(
    farm: FarmUnderTest, broker_url: str
) -> None:
    for gpu in range(2):
        farm.worker("edit,score", CUDA_VISIBLE_DEVICES=str(gpu))
    run = submit(farm, "editor.seconds=6", pairs=2)
    eventually(lambda: len(running(farm)) == 2, farm=farm)
    with redis.Redis.from_url(broker_url) as client:
        client.client_kill_filter(_type="normal", skipme=True)

    finish(farm, run, edits_done=2)
    assert attempts(farm) == [1, 1]


RESULTS_BELOW_JOBS = """
import traceback
opened, reserved = os.pipe, [os.open(os.devnull, os.O_RDONLY)]
def pipe():
    ends = opened()
    if reserved and any(frame.name == 'create_process_queues' for frame in traceback.extract_stack()):
        os.close(reserved.pop())
    return ends
os.pipe = pipe
"""
"""The first child's results get a pipe of a lower number than its jobs; the second's jobs get that number."""


@pytest.mark.chaos
def test_01_10_the_successor_of_a_killed_child_gets_its_jobs_after_a_reconnection_too(
    farm: FarmUnderTest, broker_url: str
) -> None:
    worker = farm.worker("edit,score", **planted(farm.folder, RESULTS_BELOW_JOBS, in_child=False))
    first = submit(farm, "editor.seconds=2", pairs=1)
    eventually(lambda: running(farm), farm=farm)
    pool_child(worker).kill()
    finish(farm, first, edits_done=1)
    with redis.Redis.from_url(broker_url) as client:
        client.client_kill_filter(_type="normal", skipme=True)
        eventually(lambda: any(one["cmd"] == "brpop" for one in client.client_list()), farm=farm)

        (child := pool_child(worker)).suspend()  # so that its parent is the first who could read what it is sent
        second = submit(farm, "editor.seconds=0.1", "editor.seed=2", pairs=1)
        eventually(lambda: client.hlen("unacked"), farm=farm)
        time.sleep(0.5)
        child.resume()

    eventually(lambda: len(done(farm)) == 2, farm=farm)
    finish(farm, second, edits_done=1)


@pytest.mark.chaos
@pytest.mark.parametrize("reset", [pytest.param(True, id="reset"), pytest.param(False, id="closed")])
def test_connections_cut_in_the_middle_of_a_reply_are_opened_again(
    farm_at: FarmAt, lasting_broker: Broker, *, reset: bool
) -> None:
    with Proxy(lasting_broker.port) as proxy:
        farm = farm_at(lasting_broker.url_at(proxy.port))
        farm.worker("edit,score")
        eventually(lambda: ready_workers(farm), farm=farm)
        run = submit(farm, "editor.seconds=0.3", pairs=8)
        for cut in range(2):
            proxy.cut_in_reply(after_bytes=80 * (cut + 1), reset=reset)
            time.sleep(1.5)
            proxy.heal()

        finish(farm, run, edits_done=8)


@pytest.mark.chaos
def test_11_a_frozen_broker_holds_up_neither_the_job_nor_the_producer(farm_at: FarmAt, lasting_broker: Broker) -> None:
    farm = farm_at(lasting_broker.url)
    farm.worker("edit,score")
    run = submit(farm, "editor.seconds=2", pairs=2)
    eventually(lambda: running(farm), farm=farm)

    lasting_broker.freeze()
    began = time.monotonic()
    farm.producer("submit", farm.folder / "benchmark.json", "--editor", "simulated", "--seed", "7", code=3)
    assert time.monotonic() - began < 20
    eventually(lambda: done(farm), farm=farm)
    time.sleep(max(0.0, 20 - (time.monotonic() - began)))
    lasting_broker.thaw()

    finish(farm, run, edits_done=2)
    assert attempts(farm) == [1, 1]


@pytest.mark.chaos
def test_12_a_visibility_timeout_shorter_than_the_job_does_not_run_it_twice(
    farm: FarmUnderTest, broker_url: str
) -> None:
    for gpu in range(2):
        farm.worker("edit,score", CUDA_VISIBLE_DEVICES=str(gpu))
    run = submit(farm, "editor.seconds=8", pairs=1)
    eventually(lambda: running(farm), farm=farm)
    with _stranger(broker_url).connection_for_write() as connection:
        channel = connection.default_channel
        for _ in range(4):  # whoever has the shortest time-out hands out what others still work on
            channel.qos.restore_visible(num=100)
            time.sleep(1)

    finish(farm, run, edits_done=1)
    assert attempts(farm) == [1]


def _stranger(broker_url: str) -> Celery:
    app = Celery("stranger", broker=broker_url, set_as_current=False)
    app.conf.broker_transport_options = {"visibility_timeout": 0, "unacked_restore_limit": None}
    return app


@pytest.mark.chaos
def test_13_a_message_that_comes_five_times_is_done_once(farm: FarmUnderTest) -> None:
    run = submit(farm, "editor.seconds=1", pairs=2)
    code = (
        "from producer.queue import send; from db.jobs import Doorbell; from db.tables import Stage\n"
        "for job in (2, 1) * 5: send(Doorbell(Stage.EDIT, job, 'normal'))"
    )
    _run(farm, code)
    for gpu in range(2):
        farm.worker("edit,score", CUDA_VISIBLE_DEVICES=str(gpu))

    finish(farm, run, edits_done=2)
    assert attempts(farm) == [1, 1]


def _run(farm: FarmUnderTest, code: str) -> None:
    subprocess.run([sys.executable, "-c", code], env=farm.environment, check=True, cwd=ROOT)


@pytest.mark.chaos
def test_23_queues_that_are_given_up_and_taken_again_lose_nothing(farm: FarmUnderTest) -> None:
    worker = farm.worker("edit,score", "-n", "both@here")
    eventually(lambda: ready_workers(farm), farm=farm)
    switches = threading.Thread(target=_switch_queues, args=(farm, 3))
    switches.start()
    run = submit(farm, "editor.seconds=0.2", pairs=20)
    switches.join()

    finish(farm, run, edits_done=20)
    assert attempts(farm) == [1] * 20
    assert worker.poll() is None


def _switch_queues(farm: FarmUnderTest, times: int) -> None:
    code = (
        "import time; from workers.app import app\n"
        f"for _ in range({times}):\n"
        "    for queue in ('edit', 'score'):\n"
        "        app.control.cancel_consumer(queue, reply=True); time.sleep(0.3)\n"
        "        app.control.add_consumer(queue, reply=True); time.sleep(0.3)\n"
    )
    _run(farm, code)


def test_25_a_dashboard_that_dies_and_comes_back_changes_nothing(farm: FarmUnderTest) -> None:
    first = Dashboard(farm)
    farm.worker("edit,score")
    run = submit(farm, "editor.seconds=0.5", pairs=8)
    eventually(lambda: done(farm), farm=farm)
    first.process.kill()
    second = Dashboard(farm)

    finish(farm, run, edits_done=8)
    assert attempts(farm) == [1] * 8
    assert second.process.poll() is None
