from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workers import host as module
from workers.host import Host, HostTooSmall
from workers.models.loading.host_memory import Memory

GB = 10**9


def a_host(folder: Path, *, free: int | None = 10 * GB, at_once: int = 1, reserve: int = 0) -> Host:
    memory = None if free is None else Memory(total=16 * GB, available=free)
    return Host(folder, loads_at_once=at_once, reserve_bytes=reserve, memory=lambda: memory)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.02)


def _load(folder: Path, log: Path, at_once: int) -> None:
    module.LOOK_SECONDS = 0.02
    with a_host(folder, at_once=at_once).loading(0, lambda _: None):
        _note(log, "+")
        time.sleep(0.15)
        _note(log, "-")


def _note(log: Path, mark: str) -> None:
    with log.open("a") as file:
        file.write(mark)


def _at_the_same_time(log: Path) -> int:
    now = most = 0
    for mark in log.read_text():
        now += 1 if mark == "+" else -1
        most = max(most, now)
    return most


@pytest.mark.parametrize("at_once", [1, 2])
def test_no_more_processes_load_at_once_than_the_setting_says(tmp_path: Path, at_once: int) -> None:
    context = multiprocessing.get_context("spawn")
    log = tmp_path / "log"
    loaders = [context.Process(target=_load, args=(tmp_path / "host", log, at_once)) for _ in range(4)]

    for loader in loaders:
        loader.start()
    for loader in loaders:
        loader.join(30)

    assert log.read_text().count("-") == 4
    assert _at_the_same_time(log) <= at_once


def _hold(folder: Path, needed: int, taken: Any) -> None:
    with a_host(folder).reserved(needed) as granted:
        assert granted
        taken.set()
        time.sleep(60)


@pytest.fixture
def holder(tmp_path: Path) -> Any:
    """A process that has reserved 6 GB and lives until the test kills it."""
    context = multiprocessing.get_context("spawn")
    taken = context.Event()
    process = context.Process(target=_hold, args=(tmp_path, 6 * GB, taken))
    process.start()
    assert taken.wait(30)
    yield process
    process.kill()
    process.join()


def test_what_another_process_reserved_is_not_free(tmp_path: Path, holder: Any) -> None:
    host = a_host(tmp_path, free=10 * GB)

    assert host.has_room(4 * GB)
    assert not host.has_room(5 * GB)
    with host.reserved(5 * GB) as granted:
        assert not granted


def test_the_reservation_of_a_killed_process_is_free_again(tmp_path: Path, holder: Any) -> None:
    holder.kill()
    holder.join()

    assert a_host(tmp_path, free=10 * GB).has_room(9 * GB)


def test_a_reservation_ends_with_its_block(tmp_path: Path) -> None:
    host = a_host(tmp_path, free=10 * GB)

    with host.reserved(8 * GB) as granted:
        assert granted
        assert not host.has_room(8 * GB)

    assert host.has_room(8 * GB)


def test_the_reserve_stays_free(tmp_path: Path) -> None:
    host = a_host(tmp_path, free=10 * GB, reserve=3 * GB)

    assert host.has_room(7 * GB)
    assert not host.has_room(7 * GB + 1)


def test_loading_waits_for_memory_and_says_so(tmp_path: Path) -> None:
    free = [1 * GB]
    host = Host(tmp_path, loads_at_once=1, reserve_bytes=0, memory=lambda: Memory(16 * GB, free[0]))
    waited: list[str] = []

    def on_wait(what: str) -> None:
        waited.append(what)
        if len(waited) == 3:
            free[0] = 5 * GB

    with host.loading(4 * GB, on_wait):
        pass

    assert waited == ["waiting for host memory"] * 3


def test_waiting_for_a_turn_is_said(tmp_path: Path) -> None:
    other = a_host(tmp_path)
    waited: list[str] = []
    with other.loading(0, waited.append):
        turn = a_host(tmp_path).loading(0, _raise_after(waited))
        with pytest.raises(TimeoutError), turn:
            pass

    assert waited == ["waiting for its turn to load"]


def _raise_after(waited: list[str]) -> Callable[[str], None]:
    def on_wait(what: str) -> None:
        waited.append(what)
        raise TimeoutError

    return on_wait


def test_a_host_without_room_for_too_long_says_what_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_WAIT_SECONDS", 0.05)
    host = a_host(tmp_path, free=2 * GB, reserve=1 * GB)

    said = r"4\.0 GB of host memory; 2\.0 GB of 16\.0 GB are free, .*RESERVE_GB keeps 1\.0 GB"
    with pytest.raises(HostTooSmall, match=said) as caught, host.loading(4 * GB, lambda _: None):
        pass
    assert not caught.value.for_good

    with a_host(tmp_path).loading(0, lambda _: None):  # and its turn is free again
        pass


def test_what_the_host_could_never_hold_is_not_waited_for(tmp_path: Path) -> None:
    waited: list[str] = []

    with pytest.raises(HostTooSmall) as caught, a_host(tmp_path, reserve=1 * GB).loading(16 * GB, waited.append):
        pass

    assert caught.value.for_good
    assert waited == []


def test_what_is_small_is_loaded_on_any_host(tmp_path: Path) -> None:
    with a_host(tmp_path, free=0, reserve=4 * GB).loading(10**6, lambda _: None):
        pass


def test_where_memory_cannot_be_told_nothing_waits(tmp_path: Path) -> None:
    assert a_host(tmp_path, free=None).has_room(10**15)


def test_the_memory_of_this_machine_is_between_nothing_and_all_of_it(tmp_path: Path) -> None:
    host = Host(tmp_path, loads_at_once=1, reserve_bytes=0)
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")

    assert host.has_room(300 * 2**20)
    assert not host.has_room(2 * total)


@pytest.mark.timeout(10)
def test_processes_of_one_number_in_two_containers_reserve_beside_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = a_host(tmp_path), a_host(tmp_path)
    with here.reserved(4 * GB):
        monkeypatch.setattr(module, "_namespace", lambda: "another")

        with there.reserved(4 * GB) as granted:
            assert granted

        with there.reserved(7 * GB) as granted:
            assert not granted
