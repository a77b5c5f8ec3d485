"""Owners: written and read back unchanged, and a dead process told from a living one."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.owner import Owner, Process, process_of, this_host, this_process


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A living process of ours."""
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


def test_an_owner_is_read_back_as_it_was_written() -> None:
    owner = Owner(this_process(), "0190d3a4-9d3a-7e5c-bb1c-3f1d7ac7e111")
    assert Owner.parse(str(owner)) == owner


def test_a_parent_is_read_back_too() -> None:
    owner = Owner(this_process(), "d-1", process_of(os.getppid()))
    assert Owner.parse(str(owner)) == owner


def test_nobody_speaks_for_a_claim_when_child_and_parent_are_dead(child: subprocess.Popen[bytes]) -> None:
    dying = process_of(child.pid)
    owners = [Owner(dying, "d-1"), Owner(dying, "d-1", this_process()), Owner(this_process(), "d-1", dying)]
    assert [owner.is_lost() for owner in owners] == [False, False, False]
    child.kill()
    child.wait()
    assert [owner.is_lost() for owner in owners] == [True, False, False]
    assert Owner(dying, "d-1", dying).is_lost()


def test_owners_differ_by_process_and_by_delivery() -> None:
    process = Process("host/1", 1, "100")
    different = [
        Owner(process, "d-1"),
        Owner(process, "d-2"),
        Owner(Process("host/2", 1, "100"), "d-1"),
        Owner(Process("host/1", 2, "100"), "d-1"),
        Owner(Process("host/1", 1, "101"), "d-1"),
    ]
    assert len({str(owner) for owner in different}) == 5


def test_this_process_is_here_and_lives() -> None:
    process = this_process()
    assert (process.pid, process.is_here(), process.is_dead()) == (os.getpid(), True, False)


def test_a_process_is_the_same_whenever_it_is_asked_for(child: subprocess.Popen[bytes]) -> None:
    assert process_of(child.pid) == process_of(child.pid) != this_process()


def test_a_process_that_was_killed_is_dead(child: subprocess.Popen[bytes]) -> None:
    process = process_of(child.pid)
    assert not process.is_dead()
    child.kill()
    child.wait()
    assert process.is_dead()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only /proc shows zombies")
def test_a_process_that_nobody_has_waited_for_is_dead_all_the_same(child: subprocess.Popen[bytes]) -> None:
    process = process_of(child.pid)
    child.kill()
    deadline = time.monotonic() + 10
    while not process.is_dead():
        assert time.monotonic() < deadline
        time.sleep(0.005)
    assert child.returncode is None


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only /proc tells when a process started")
def test_a_process_number_that_was_given_again_does_not_revive_the_dead(child: subprocess.Popen[bytes]) -> None:
    now = process_of(child.pid)
    assert Process(now.host, now.pid, str(int(now.started) - 1)).is_dead()


def test_of_another_hosts_process_nothing_is_known(child: subprocess.Popen[bytes]) -> None:
    elsewhere = Process(f"not-{this_host()}", child.pid, process_of(child.pid).started)
    child.kill()
    child.wait()
    assert not elsewhere.is_here()
    assert not elsewhere.is_dead()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
def test_a_name_with_spaces_and_brackets_does_not_confuse(tmp_path: Path) -> None:
    program = tmp_path / "a) S (b"
    program.symlink_to("/bin/sleep")
    child = subprocess.Popen([program, "60"])
    try:
        deadline = time.monotonic() + 10
        while b"a) S (b" not in Path(f"/proc/{child.pid}/stat").read_bytes():  # until it has become that program
            assert time.monotonic() < deadline
        assert process_of(child.pid).started == str(int(process_of(child.pid).started))
        assert not process_of(child.pid).is_dead()
    finally:
        child.kill()
        child.wait()


@pytest.mark.skipif(not Path("/proc/sys/kernel/random/boot_id").exists(), reason="reads /proc")
def test_the_host_is_named_with_its_boot_and_its_process_namespace() -> None:
    name, boot, namespace = this_host().split("/")
    assert name == socket.gethostname()
    assert Path("/proc/sys/kernel/random/boot_id").read_text().startswith(boot) and len(boot) == 8
    assert namespace.isdigit()
    assert "|" not in this_host()
