"""What a parent does for children that live: leases renewed, those that hang ended, jobs that are gone withdrawn."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import update

from db.tables import State, edits
from tests.workers.parent.family import LEASE_SECONDS, Family

pytestmark = pytest.mark.integration


def test_a_lease_is_renewed_while_its_child_makes_progress(family: Family) -> None:
    child = family.child()
    until = time.monotonic() + 2 * LEASE_SECONDS
    while time.monotonic() < until:
        child.does("beat")
        family.look()
        time.sleep(0.1)

    assert child.process.is_alive()
    assert family.ledger.hand_back_lost() == 0
    assert family.edit().lease_until - family.ledger.now() > LEASE_SECONDS / 2


def test_a_child_that_hangs_is_ended_and_its_job_is_handed_back(family: Family) -> None:
    child = family.child()
    claimed_at = family.edit().lease_until - LEASE_SECONDS

    while family.edit().state == State.RUNNING:
        family.look_for(0.2)

    assert LEASE_SECONDS - 0.5 < family.ledger.now() - claimed_at < LEASE_SECONDS + 5
    assert not child.process.is_alive()
    assert family.edit().state == State.QUEUED
    assert "SIGKILL" in family.edit().last_words
    assert "without progress at edit" in family.edit().last_words
    assert "FARM_LEASE_SECONDS" in family.edit().last_words


def test_a_lease_of_what_was_claimed_ahead_is_renewed_with_the_others(family: Family) -> None:
    child = family.child()
    child.does("hold")
    assert child.does("claim_ahead", family.edits[1], "d-2")
    until = time.monotonic() + 2 * LEASE_SECONDS
    while time.monotonic() < until:
        child.does("beat")
        family.look()
        time.sleep(0.1)

    assert family.ledger.hand_back_lost() == 0
    for edit in (0, 1):
        assert family.edit(edit).lease_until - family.ledger.now() > LEASE_SECONDS / 2


def test_a_child_that_holds_nothing_may_stand_still(family: Family) -> None:
    child = family.child()
    child.does("hold")
    child.does("end")
    child.does("let_go")

    family.look_for(LEASE_SECONDS + 1)

    assert child.process.is_alive()


def test_a_child_that_hangs_between_two_jobs_of_a_stint_is_ended_and_what_it_holds_handed_back(family: Family) -> None:
    child = family.child()
    child.does("hold")
    child.does("end")
    assert child.does("claim_ahead", family.edits[1], "d-2")

    family.look_for(LEASE_SECONDS + 2)

    assert not child.process.is_alive()
    assert (family.edit(1).state, family.edit(1).attempt) == (State.QUEUED, 1)
    assert "without progress" in family.edit(1).last_words


def test_a_child_that_waits_for_what_is_not_its_gpu_may_stand_still_between_two_jobs(family: Family) -> None:
    child = family.child()
    child.does("hold")
    child.does("wait_patiently")
    child.does("end")

    family.look_for(LEASE_SECONDS + 1)

    assert child.process.is_alive()


def test_a_child_that_only_holds_is_at_work(family: Family) -> None:
    child = family.child()
    child.does("end")
    assert not family.children.at_work()
    child.does("hold")
    assert family.children.at_work()


def test_of_a_killed_child_everything_it_held_is_handed_back(family: Family) -> None:
    child = family.child()
    assert child.does("claim_ahead", family.edits[1], "d-2")
    child.process.kill()
    child.process.join()

    assert family.look()
    for edit in (0, 1):
        assert (family.edit(edit).state, family.edit(edit).attempt) == (State.QUEUED, 1)
        assert "killed by signal 9 (SIGKILL)" in family.edit(edit).last_words


def test_a_cancelled_job_ends_at_its_next_step(family: Family) -> None:
    child = family.child()
    assert child.does("beat") is None

    family.ledger.cancel(family.run_id)
    family.look()

    assert child.does("beat") == "withdrawn"
    assert child.process.is_alive()


def test_a_cancelled_job_leaves_what_was_claimed_ahead_alone(family: Family) -> None:
    child = family.child()
    child.does("hold")
    assert child.does("claim_ahead", family.edits[1], "d-2")
    with family.ledger.write() as (connection, now):
        gone = {"state": State.CANCELLED, "finished_at": now, "owner": None, "lease_until": None}
        connection.execute(update(edits).where(edits.c.id == family.edits[0]).values(gone))
    family.look()

    assert child.does("beat") == "withdrawn"
    child.does("end")
    child.does("begin", family.edits[1], "d-2")
    family.look()
    assert child.does("beat") is None


def test_a_job_that_was_taken_over_ends_at_its_next_step(family: Family) -> None:
    child = family.child()
    time.sleep(LEASE_SECONDS + 0.1)  # nobody looked: the lease runs out
    assert family.ledger.hand_back_lost() == 1

    family.look()

    assert child.does("beat") == "withdrawn"
