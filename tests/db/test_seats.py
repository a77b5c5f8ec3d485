"""Where workers sit, as the others see it."""

from __future__ import annotations

import subprocess
import threading
import time
from dataclasses import replace

import pytest
from sqlalchemy import update

from db.ledger import Ledger
from db.owner import Process, process_of
from db.presence import enter_worker, present_workers, worker_is_sick, worker_leaves
from db.seats import GONE_SECONDS, Seat, living_seats, one_at_a_time, take_seat
from db.tables import Stage, workers
from tests.conftest import Clock
from tests.db.test_ledger_threads import at_once

PARENT = Process("host/1", 7, "100")
BOTH = frozenset(Stage)
SEAT = Seat("w", BOTH, Stage.EDIT, "run", ready_in=8.0, pace=2.0)


@pytest.fixture
def clock(clock: Clock) -> Clock:
    """Workers are entered by the database's own clock."""
    clock.now = time.time()
    return clock


def taken(ledger: Ledger, seat: Seat, parent: Process = PARENT) -> None:
    with ledger.write() as (connection, now):
        take_seat(connection, now, seat, parent, "3")


def seen(ledger: Ledger) -> list[Seat]:
    with ledger.read() as (connection, now):
        return living_seats(connection, now)


def test_others_see_what_a_worker_says_of_its_seat(ledger: Ledger) -> None:
    taken(ledger, SEAT)
    assert seen(ledger) == [SEAT]
    moved = Seat("w", frozenset({Stage.SCORE}), Stage.SCORE, None, idle=True, pace=0.5)
    taken(ledger, moved)
    assert seen(ledger) == [moved]


def test_a_worker_is_ready_the_sooner_the_later_one_looks(ledger: Ledger, clock: Clock) -> None:
    taken(ledger, SEAT)
    clock.now += 3
    assert [seat.ready_in for seat in seen(ledger)] == [pytest.approx(5.0)]
    clock.now += 7
    assert [seat.ready_in for seat in seen(ledger)] == [0.0]


def test_a_worker_that_has_said_nothing_yet_is_seen_with_what_it_serves(ledger: Ledger) -> None:
    enter_worker(ledger.engine, "w", PARENT, "3", {Stage.SCORE, Stage.EDIT})
    assert seen(ledger) == [Seat("w", BOTH)]


def test_whoever_says_it_first_a_worker_has_one_seat(ledger: Ledger) -> None:
    taken(ledger, SEAT)
    enter_worker(ledger.engine, "w", PARENT, "3", {Stage.EDIT, Stage.SCORE})
    assert seen(ledger) == [SEAT]
    (present,) = present_workers(ledger.engine)
    assert (present.name, present.gpu) == ("w", "3")


def test_a_child_and_its_parent_that_speak_at_once_fail_neither(ledger: Ledger) -> None:
    with ledger.write() as (connection, now):
        take_seat(connection, now, SEAT, PARENT, "3")
        other = threading.Thread(target=taken, args=(ledger, replace(SEAT, pace=4.0)))
        other.start()
        other.join(0.3)  # it waits for this transaction
    other.join(10)
    assert seen(ledger) == [replace(SEAT, pace=4.0)]


def test_who_is_gone_silent_or_sick_sits_nowhere(ledger: Ledger, clock: Clock) -> None:
    for name in ("gone", "silent", "sick", "there"):
        taken(ledger, replace(SEAT, name=name))
    worker_leaves(ledger.engine, "gone", PARENT)
    worker_is_sick(ledger.engine, "sick", PARENT, "CUDA error")
    clock.now += GONE_SECONDS
    with ledger.write() as (connection, now):
        heard_of = update(workers).where(workers.c.name != "silent")
        connection.execute(heard_of.values(seen_at=now))
    assert [seat.name for seat in seen(ledger)] == ["there"]


def test_who_was_heard_of_a_moment_ago_still_sits_there(ledger: Ledger, clock: Clock) -> None:
    taken(ledger, SEAT)
    clock.now += GONE_SECONDS - 1
    assert len(seen(ledger)) == 1


def test_a_worker_of_this_host_that_has_died_sits_nowhere_from_then_on(ledger: Ledger) -> None:
    living = subprocess.Popen(["sleep", "60"])
    taken(ledger, SEAT, process_of(living.pid))
    assert len(seen(ledger)) == 1
    living.kill()
    living.wait()
    assert seen(ledger) == []


def test_seats_are_listed_by_name(ledger: Ledger) -> None:
    for name in ("b", "c", "a"):
        taken(ledger, replace(SEAT, name=name))
    assert [seat.name for seat in seen(ledger)] == ["a", "b", "c"]


def test_of_many_who_choose_a_seat_each_sees_what_those_before_it_chose(ledger: Ledger) -> None:
    """Each takes the side where fewer are: only if they decide one at a time are the sides even."""

    def choose(number: int) -> None:
        with one_at_a_time(ledger) as (connection, now):
            others = [seat.stage for seat in living_seats(connection, now)]
            stage = min(Stage, key=others.count)
            time.sleep(0.01)  # time enough for others to come between
            take_seat(connection, now, Seat(f"w{number}", BOTH, stage), PARENT, "")

    at_once(6, choose)
    assert sorted(seat.stage or "" for seat in seen(ledger)) == ["edit"] * 3 + ["score"] * 3
