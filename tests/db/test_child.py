"""Children: none outlives the process that started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent

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


# -- forks: made by a process of their own, because one with threads, as a test runner may be, makes none --------------

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells whether a process may fork")


def in_a_process(code: str) -> subprocess.CompletedProcess[str]:
    """Run this with `fork_child`, `may_fork` and some modules at hand."""
    imports = "import atexit, os, random, signal, sys, threading, time\nfrom db.child import fork_child, may_fork\n"
    return subprocess.run(
        [sys.executable, "-c", imports + dedent(code)],
        cwd=Path(db.__file__).parents[1],
        input="what is typed",
        capture_output=True,
        text=True,
        timeout=30,
    )


@linux
@pytest.mark.parametrize(
    ("run", "exit_code"),
    [
        ("lambda: None", 0),
        ("lambda: sys.exit()", 0),
        ("lambda: sys.exit(7)", 7),
        ("lambda: sys.exit('said')", 1),
        ("lambda: 1 / 0", 1),
        ("lambda: os.kill(os.getpid(), signal.SIGKILL)", -9),
    ],
)
def test_a_fork_ends_with_the_exit_code_of_an_interpreter(run: str, exit_code: int) -> None:
    done = in_a_process(f"print(fork_child({run}, {{}}).wait(20))")

    assert done.stdout == f"{exit_code}\n"
    assert ("ZeroDivisionError" in done.stderr) == ("1 / 0" in run)


@linux
def test_a_fork_has_its_own_session_environment_random_numbers_and_end_and_no_input() -> None:
    done = in_a_process(
        """
        def run():
            atexit.register(print, "at its end")
            print(os.getsid(0) == os.getpid(), os.environ["FARM_HOME"], sys.stdin.fileno(), os.read(0, 1))
            print(random.random())
        atexit.register(print, "at both ends")
        print(fork_child(run, {"FARM_HOME": "/srv"}).wait(20), os.environ.get("FARM_HOME"), random.random())
        """
    )

    session, number, own_end, _, (code, home, other), _ = (line.split() for line in done.stdout.splitlines())
    assert session == ["True", "/srv", "0", "b''"]
    assert own_end == ["at", "its", "end"]
    assert (code, home) == ("0", "None")
    assert number != [other]


@linux
@pytest.mark.parametrize("when", ["when it runs", "when it is just made"])
def test_a_fork_takes_no_signal_for_its_parent(when: str) -> None:
    done = in_a_process(
        f"""
        signal.signal(signal.SIGTERM, lambda *_: None)
        def told_to_end():
            os.kill(os.getpid(), signal.SIGTERM)
        if {when == "when it is just made"}:
            os.register_at_fork(after_in_child=told_to_end)
        def run():
            if {when == "when it runs"}:
                told_to_end()
            time.sleep(20)
        print(fork_child(run, {{}}).wait(10))
        """
    )

    assert done.stdout == f"{-signal.SIGTERM}\n"


@linux
def test_a_fork_dies_with_its_parent() -> None:
    done = in_a_process(
        """
        child = fork_child(lambda: time.sleep(60), {})
        time.sleep(0.5)
        print(child.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    child = process_of(int(done.stdout))

    deadline = time.monotonic() + 5
    while not child.is_dead():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@linux
def test_a_fork_that_does_not_end_in_time_is_said_to() -> None:
    done = in_a_process(
        """
        import subprocess
        child = fork_child(lambda: time.sleep(20), {})
        try:
            child.wait(0.2)
        except subprocess.TimeoutExpired:
            print(child.poll())
        child.kill()
        print(child.wait())
        child.send_signal(signal.SIGTERM)  # of one that is gone nothing is made
        """
    )

    assert (done.stdout, done.returncode) == ("None\n-9\n", 0)


@linux
def test_a_process_with_another_thread_may_not_fork() -> None:
    done = in_a_process(
        """
        print(may_fork())
        threading.Thread(target=time.sleep, args=(20,), daemon=True).start()
        print(may_fork())
        """
    )

    assert done.stdout == "True\nFalse\n"
