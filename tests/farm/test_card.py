"""The commands on the card, as a user types them."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys

import pytest

from tests.factories import original_file
from tests.farm.conftest import ROOT, FarmUnderTest, eventually, pool_child_of, ready_workers, worker_parents
from tests.farm.dashboard import Dashboard
from tests.farm.steps import await_end, planted, submit

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    ("database_url", "commands"),
    [
        ("sqlite", ["edit", "score"]),
        ("sqlite", ["edit,score"]),
        ("postgresql", ["edit", "score"]),
        pytest.param("postgresql", ["edit,score"], marks=pytest.mark.chaos),
    ],
    indirect=["database_url"],
)
def test_a_benchmark_becomes_a_report_whatever_the_workers_serve(
    farm_on_each_database: FarmUnderTest, commands: list[str]
) -> None:
    farm = farm_on_each_database
    for queues in commands:
        farm.worker(queues)

    run = farm.producer(
        "submit", original_file(farm.folder, pairs=5), "--editor", "simulated", "--scorer", "simulated"
    ).strip()
    farm.producer("watch", run)

    report = farm.report(run)
    assert report["partial"] is False
    assert report["progress"]["edits"]["done"] == report["progress"]["scores"]["done"] == 5
    assert report["scorers"][0]["dimensions"][0]["overall"]["coverage"] == 1.0


def test_a_worker_without_a_name_is_named_after_its_queues_and_its_gpu(farm: FarmUnderTest) -> None:
    farm.worker("edit", CUDA_VISIBLE_DEVICES="3")
    farm.worker("edit", CUDA_VISIBLE_DEVICES="5")
    unpinned = farm.worker("edit,score")

    workers = eventually(lambda: _all_ready(farm, 3), farm=farm)

    names = sorted(name.partition("@")[0] for name in workers)
    assert names == [f"edit+score-{unpinned.pid}", "edit-gpu3", "edit-gpu5"]
    assert all(name.partition("@")[2] for name in workers)


def test_the_gpu_is_pinned_in_the_process_that_runs_the_model(farm: FarmUnderTest) -> None:
    farm.farm("--gpus", "2,4", "--queues", "edit", **planted(farm.folder, TELLS_ITS_GPU))

    workers = eventually(lambda: _all_ready(farm, 2), farm=farm)

    assert {name.partition("@")[0] for name in workers} == {"edit-gpu2", "edit-gpu4"}
    pinned = {pid: (farm.folder / "planted" / f"{pid}.gpu").read_text() for pid in _pool_children(farm)}
    assert sorted(pinned.values()) == ["2 by PCI_BUS_ID", "4 by PCI_BUS_ID"]


TELLS_ITS_GPU = """
gpu = os.environ["CUDA_VISIBLE_DEVICES"] + " by " + os.environ["CUDA_DEVICE_ORDER"]
pathlib.Path(__file__).with_name(f"{os.getpid()}.gpu").write_text(gpu)
"""


def _pool_children(farm: FarmUnderTest) -> list[int]:
    return [pool_child_of(parent).pid for parent in worker_parents(farm.processes[0])]


def test_flower_lists_the_workers_and_the_finished_tasks_to_who_can_log_in(farm: FarmUnderTest) -> None:
    farm.worker("edit,score", CUDA_VISIBLE_DEVICES="0")
    flower = Dashboard(farm, login="me:secret")
    eventually(lambda: ready_workers(farm), farm=farm)
    assert flower.address[0] == "127.0.0.1"

    await_end(farm, submit(farm, pairs=2))

    tasks = eventually(lambda: _finished(flower.said("/api/tasks")), farm=farm)
    assert sorted(task["name"] for task in tasks) == ["edit", "edit", "score", "score"]
    assert all(re.fullmatch(r"[\[(]\d+,?[\])]", task["args"]) for task in tasks)
    workers = eventually(lambda: flower.said("/api/workers?refresh=true"), farm=farm)
    assert list(workers) == [f"edit+score-gpu0@{socket.gethostname()}"]
    assert flower.said("/api/queues/length") == {
        "active_queues": [{"name": "edit", "messages": 0}, {"name": "score", "messages": 0}]
    }
    for path in ("/", "/workers", "/broker", "/tasks", "/api/workers", "/api/tasks"):
        assert flower.page(path, login="")[0] == 401
    assert [flower.page(path, login="")[0] for path in ("/metrics", "/healthcheck")] == [200, 200]  # as documented


def test_flower_listens_on_this_machine_only_unless_it_is_told_otherwise() -> None:
    code = "import os, workers; print(os.environ['FLOWER_ADDRESS'])"

    said = [
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, **settings}, cwd=ROOT, capture_output=True, text=True
        ).stdout.strip()
        for settings in ({}, {"FLOWER_ADDRESS": "0.0.0.0"})
    ]

    assert said == ["127.0.0.1", "0.0.0.0"]


def _finished(tasks: dict[str, dict[str, str]]) -> list[dict[str, str]] | None:
    done = [task for task in tasks.values() if task["state"] == "SUCCESS"]
    return done if len(done) >= 4 else None


def _all_ready(farm: FarmUnderTest, count: int) -> dict[str, object] | None:
    workers = dict(ready_workers(farm, count))
    return workers if len(workers) == count else None
