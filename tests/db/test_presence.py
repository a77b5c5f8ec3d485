"""Which workers there are, and how they are."""

from __future__ import annotations

from sqlalchemy import Engine, update

from db.engine import transaction
from db.owner import Process
from db.presence import (
    FORGOTTEN_SECONDS,
    SILENT_SECONDS,
    Present,
    all_are_sick,
    enter_worker,
    present_workers,
    sick_workers,
    worker_is_sick,
    worker_leaves,
    worker_lives,
)
from db.tables import Health, workers

MINE = Process("host/1", 7, "100")
NEXT = Process("host/1", 8, "200")


def only(engine: Engine) -> Present:
    (present,) = present_workers(engine)
    return present


def fall_silent(engine: Engine, name: str, seconds: float = SILENT_SECONDS + 1) -> None:
    with transaction(engine) as connection:
        silent = update(workers).where(workers.c.name == name)
        connection.execute(silent.values(seen_at=workers.c.seen_at - seconds))


def test_a_worker_that_came_serves(engine: Engine) -> None:
    enter_worker(engine, "edit-gpu3@h", MINE, "3")
    present = only(engine)
    assert (present.name, present.gpu, present.health, present.reason) == ("edit-gpu3@h", "3", Health.SERVING, None)
    assert not present.silent


def test_a_worker_that_is_killed_falls_silent_until_it_speaks_again(engine: Engine) -> None:
    enter_worker(engine, "edit-gpu3@h", MINE, "3")
    fall_silent(engine, "edit-gpu3@h")
    assert only(engine).silent
    worker_lives(engine, "edit-gpu3@h", MINE, 15)
    assert not only(engine).silent


def test_a_worker_that_speaks_hears_how_many_did_lately(engine: Engine) -> None:
    for name in ("a", "b", "killed"):
        enter_worker(engine, name, MINE, "3")
    fall_silent(engine, "killed", seconds=30)
    assert [worker_lives(engine, "a", MINE, within) for within in (20, 40)] == [2, 3]


def test_a_worker_that_was_forgotten_hears_so_and_can_be_entered_again(engine: Engine) -> None:
    for name in ("other", "back-after-days"):
        enter_worker(engine, name, MINE, "3")
    fall_silent(engine, "back-after-days", seconds=FORGOTTEN_SECONDS + 60)
    enter_worker(engine, "new", MINE, "3")
    assert worker_lives(engine, "back-after-days", MINE, 15) == 0
    enter_worker(engine, "back-after-days", MINE, "3")
    assert worker_lives(engine, "back-after-days", MINE, 15) == 3


def test_a_sick_worker_says_why_until_it_is_started_anew(engine: Engine) -> None:
    enter_worker(engine, "edit-gpu3@h", MINE, "3")
    worker_is_sick(engine, "edit-gpu3@h", MINE, "CUDA error")
    assert [worker.reason for worker in sick_workers(present_workers(engine))] == ["CUDA error"]
    enter_worker(engine, "edit-gpu3@h", NEXT, "3")
    assert sick_workers(present_workers(engine)) == []


def test_a_worker_speaks_for_itself_only(engine: Engine) -> None:
    enter_worker(engine, "edit-gpu3@h", NEXT, "3")
    worker_is_sick(engine, "edit-gpu3@h", MINE, "CUDA error")
    worker_leaves(engine, "edit-gpu3@h", MINE)
    assert only(engine).health is Health.SERVING


def test_a_worker_that_leaves_is_gone(engine: Engine) -> None:
    enter_worker(engine, "edit-gpu3@h", MINE, "3")
    worker_leaves(engine, "edit-gpu3@h", MINE)
    assert present_workers(engine) == []


def test_who_has_been_silent_for_a_day_is_forgotten_when_another_comes(engine: Engine) -> None:
    for name, seconds in (("pod-1", FORGOTTEN_SECONDS - 60), ("pod-2", FORGOTTEN_SECONDS + 60)):
        enter_worker(engine, name, MINE, "0")
        fall_silent(engine, name, seconds)
    enter_worker(engine, "pod-3", NEXT, "0")
    assert [(worker.name, worker.silent) for worker in present_workers(engine)] == [("pod-1", True), ("pod-3", False)]


def test_a_farm_is_sick_when_none_that_lives_takes_jobs(engine: Engine) -> None:
    assert not all_are_sick(present_workers(engine))
    enter_worker(engine, "a", MINE, "0")
    enter_worker(engine, "b", NEXT, "1")
    worker_is_sick(engine, "a", MINE, "CUDA error")
    assert not all_are_sick(present_workers(engine))
    fall_silent(engine, "b")
    assert all_are_sick(present_workers(engine))
