"""Children: none outlives the process that started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import db
from db.child import end_child, start_child
from db.owner import process_of

_PARENT = """
import sys, time
from db.child import start_child
print(start_child(["sleep", "60"]).pid, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends the children of the dead")
def test_a_child_dies_with_its_parent_however_that_dies() -> None:
    parent = subprocess.Popen([sys.executable, "-c", _PARENT], cwd=Path(db.__file__).parents[1], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    with parent.stdout as output:
        child = process_of(int(output.readline()))
        assert not child.is_dead()
        parent.kill()
        parent.wait()
    deadline = time.monotonic() + 10
    while not child.is_dead():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_interrupt_of_the_terminal_does_not_reach_a_child() -> None:
    child = start_child(["sleep", "60"])
    assert os.getsid(child.pid) != os.getsid(0)
    end_child(child, 10)


def test_a_child_is_asked_to_end_before_it_is_killed() -> None:
    child = start_child(["sleep", "60"])
    end_child(child, 10)
    assert child.returncode == -signal.SIGTERM


def test_a_child_that_will_not_end_is_killed() -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    child = start_child([sys.executable, "-c", deaf], output=subprocess.PIPE)
    assert child.stdout is not None
    with child.stdout as output:
        output.readline()  # deaf from here on
        end_child(child, 0.05)
    assert child.returncode == -signal.SIGKILL


def test_a_child_sees_the_environment_it_is_given() -> None:
    child = start_child(["/usr/bin/env"], environment={"FARM_HOME": "/srv/farm"}, output=subprocess.PIPE)
    assert child.communicate(timeout=10)[0] == b"FARM_HOME=/srv/farm\n"
