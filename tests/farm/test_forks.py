"""Workers that are forks of one process, and what they must not share."""

from __future__ import annotations

import os
import sys

import psutil
import pytest

from db.presence import present_workers
from tests.farm.conftest import FarmUnderTest, eventually, pool_child_of, ready_workers, worker_parents
from tests.farm.steps import finish, planted, rows, running, submit

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every process is a new interpreter"),
]


def start_two(farm: FarmUnderTest, **environment: str) -> list[psutil.Process]:
    """Start two workers by one supervisor; return their parents when they are ready."""
    supervisor = farm.farm("--workers", "2", **environment)
    eventually(lambda: len(ready_workers(farm, 2)) == 2, farm=farm)
    return worker_parents(supervisor)


def is_spawned(child: psutil.Process) -> bool:
    return "spawn_main" in " ".join(child.cmdline())


def test_workers_and_their_first_children_are_forks_with_names_sessions_and_random_numbers_of_their_own(
    farm: FarmUnderTest,
) -> None:
    draw = "import random\npathlib.Path(__file__).with_name(f'{os.getpid()}.drawn').write_text(str(random.random()))"
    parents = start_two(farm, **planted(farm.folder, draw))
    children = [pool_child_of(parent) for parent in parents]

    assert sorted(name.partition("@")[0] for name in ready_workers(farm, 2)) == ["edit+score-cpu0", "edit+score-cpu1"]
    assert sorted(parent.name() for parent in parents) == ["edit+score-cpu0", "edit+score-cpu1"]
    assert {process.cmdline()[1:3] == ["-m", "workers"] for process in (*parents, *children)} == {True}
    assert len({os.getsid(parent.pid) for parent in parents} | {os.getsid(farm.processes[0].pid)}) == 3
    assert len({(farm.folder / "planted" / f"{child.pid}.drawn").read_text() for child in children}) == 2


def test_the_supervisor_keeps_nothing_open_that_its_forks_would_share(farm: FarmUnderTest) -> None:
    start_two(farm)
    supervisor = psutil.Process(farm.processes[0].pid)

    assert supervisor.net_connections() == []
    assert [file.path for file in supervisor.open_files() if not file.path.endswith(".log")] == []
    assert supervisor.num_threads() == 1


@pytest.mark.chaos
@pytest.mark.parametrize("command", ["python -m workers", "celery -A workers worker"])
def test_a_child_that_replaces_a_dead_one_is_a_new_interpreter_and_works(farm: FarmUnderTest, command: str) -> None:
    process = farm.farm("--workers", "1") if command == "python -m workers" else farm.worker("edit,score")
    eventually(lambda: ready_workers(farm), farm=farm)
    (parent,) = worker_parents(process) if command == "python -m workers" else [psutil.Process(process.pid)]
    first = pool_child_of(parent)
    run = submit(farm, "editor.seconds=2", pairs=2)
    eventually(lambda: running(farm), farm=farm)
    was_spawned = is_spawned(first)

    first.kill()
    finish(farm, run, edits_done=2)

    assert not was_spawned
    assert is_spawned(pool_child_of(parent))


def test_the_workers_use_the_broker_that_answered_and_not_one_that_was_looked_for_earlier(
    bare_farm: FarmUnderTest,
) -> None:
    bare_farm.start("-m", "producer", "broker", log="broker")
    eventually((bare_farm.home / "broker" / "endpoint.json").exists, farm=bare_farm)

    bare_farm.farm("--workers", "1", **planted(bare_farm.folder, SEES_NO_BROKER_AT_FIRST, in_child=False))

    eventually(lambda: " ready." in (bare_farm.folder / "farm.log").read_text(), farm=bare_farm)


SEES_NO_BROKER_AT_FIRST = """
import db.broker
looks, true_address = [], db.broker.embedded_address
def embedded_address():
    looks.append(true_address())
    return looks[-1] if len(looks) > 1 else None
db.broker.embedded_address = embedded_address
"""


@pytest.mark.chaos
def test_a_worker_that_is_started_again_forks_its_child_as_at_first(farm: FarmUnderTest) -> None:
    victim, other = start_two(farm)
    victim.kill()
    eventually(lambda: not victim.is_running(), farm=farm)
    eventually(lambda: len(ready_workers(farm, 2)) == 2, farm=farm)

    (again,) = [parent for parent in worker_parents(farm.processes[0]) if parent != other]
    assert not is_spawned(pool_child_of(again))
    finish(farm, submit(farm, pairs=2), edits_done=2)


def test_a_fork_that_is_told_to_end_hands_back_its_job_at_once_and_says_that_it_leaves(farm: FarmUnderTest) -> None:
    start_two(farm, FARM_GRACE_SECONDS="1", FARM_LEASE_SECONDS="600")
    submit(farm, "editor.seconds=60", pairs=1)
    eventually(lambda: running(farm), farm=farm)
    engine = farm.engine()
    before = present_workers(engine)

    farm.processes[0].terminate()

    assert farm.processes[0].wait(20) == 0
    assert [(row.state, row.owner) for row in rows(farm)] == [("queued", None)]
    assert (len(before), present_workers(engine)) == (2, [])
    engine.dispose()
