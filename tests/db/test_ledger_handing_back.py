"""Handed back: what a process held that died, ended by intention or fell silent, and when that is the end."""

from __future__ import annotations

import subprocess

import pytest

from db.ledger import Ledger
from db.owner import Owner, Process, process_of, this_process
from db.tables import FailureKind, Stage, State, edits
from tests.conftest import Clock
from tests.db.steps import (
    IMAGE,
    claim_edit,
    claimant,
    claimed,
    claimed_scores,
    finish_edit,
    job,
    job_ids,
    owner,
    queued_edit,
    queued_scores,
)
from tests.factories import enter


@pytest.fixture
def dead_process() -> Process:
    """A process of this host that has just ended."""
    child = subprocess.Popen(["sleep", "60"])
    process = process_of(child.pid)
    child.kill()
    child.wait()
    return process


def test_the_claim_of_a_dead_process_of_this_host_is_taken_over_at_once(ledger: Ledger, dead_process: Process) -> None:
    edit = queued_edit(ledger)
    claimed(ledger, edit, Owner(dead_process, "d-1"))
    assert ledger.hand_back_lost() == 1
    assert claimed(ledger, edit, owner(2)).attempt == 2
    assert job(ledger, Stage.EDIT, edit).last_words == f"process {dead_process.pid} of worker gpu-0 died"


def test_a_process_number_that_was_given_again_is_another_process(ledger: Ledger) -> None:
    edit = queued_edit(ledger)
    living = subprocess.Popen(["sleep", "60"])
    try:
        now = process_of(living.pid)
        claimed(ledger, edit, Owner(Process(now.host, now.pid, str(int(now.started) - 1)), "d-1"))
        assert ledger.hand_back_lost() == 1
        assert claimed(ledger, edit, owner(2)).attempt == 2
    finally:
        living.kill()
        living.wait()


def test_an_owner_of_another_host_is_not_judged_dead(ledger: Ledger, dead_process: Process) -> None:
    edit = queued_edit(ledger)
    claimed(ledger, edit, Owner(Process("elsewhere", dead_process.pid, dead_process.started), "d-1"))
    assert claim_edit(ledger, edit, owner(2)) is None
    assert ledger.hand_back_lost() == 0


# -- poison ------------------------------------------------------------------------------------------------------------

GIVEN_UP = "given up after 3 attempts; the last: worker gpu-0 did not renew its lease"


def test_a_job_that_was_lost_three_times_is_poison_when_it_is_handed_back(ledger: Ledger, clock: Clock) -> None:
    edit = queued_edit(ledger)
    for number in (1, 2, 3):
        assert job(ledger, Stage.EDIT, edit).state == State.QUEUED
        claimed(ledger, edit, owner(number))
        clock.now += 30
        assert ledger.hand_back_lost() == 1
    row = job(ledger, Stage.EDIT, edit)
    assert (row.state, row.attempt, row.finished_at) == (State.FAILED, 3, clock.now)
    assert (row.failure_kind, row.failure_reason) == (FailureKind.POISON, GIVEN_UP)


def test_a_poisonous_score_is_given_up_like_an_edit(ledger: Ledger, clock: Clock) -> None:
    [score] = queued_scores(ledger)
    for number in (1, 2, 3):
        assert len(claimed_scores(ledger, [score], owner(number))) == 1
        clock.now += 30
        ledger.hand_back_lost()
    assert claimed_scores(ledger, [score], owner(4)) == []
    assert job(ledger, Stage.SCORE, score).failure_reason == GIVEN_UP


def test_what_was_given_up_names_the_process_that_died(ledger: Ledger, dead_process: Process) -> None:
    edit = queued_edit(ledger)
    for _ in range(3):
        claimed(ledger, edit, Owner(dead_process, "d-1"))
        ledger.hand_back_lost()
    reason = job(ledger, Stage.EDIT, edit).failure_reason
    assert reason == f"given up after 3 attempts; the last: process {dead_process.pid} of worker gpu-0 died"


# -- handed back -------------------------------------------------------------------------------------------------------


def test_a_dead_process_whose_parent_lives_is_left_to_it(ledger: Ledger, dead_process: Process) -> None:
    edit = queued_edit(ledger)
    claimed(ledger, edit, Owner(dead_process, "d-1", this_process()))
    assert ledger.hand_back_lost() == 0
    assert claim_edit(ledger, edit, owner(2)) is None
    assert ledger.hand_back(dead_process, "killed by signal 9 (SIGKILL)") == 1
    assert job(ledger, Stage.EDIT, edit).last_words == "killed by signal 9 (SIGKILL)"


def test_a_dead_process_whose_parent_is_dead_too_is_handed_back_by_anyone(
    ledger: Ledger, dead_process: Process
) -> None:
    edit = queued_edit(ledger)
    claimed(ledger, edit, Owner(dead_process, "d-1", dead_process))
    assert ledger.hand_back_lost() == 1
    assert job(ledger, Stage.EDIT, edit).state == State.QUEUED


def test_a_lease_that_ran_out_counts_also_where_the_parent_lives(
    ledger: Ledger, clock: Clock, dead_process: Process
) -> None:
    edit = queued_edit(ledger)
    claimed(ledger, edit, Owner(dead_process, "d-1", this_process()))
    clock.now += 30
    assert ledger.hand_back_lost() == 1
    assert job(ledger, Stage.EDIT, edit).state == State.QUEUED


def test_who_cannot_trust_the_clock_leaves_leases_alone(ledger: Ledger, clock: Clock, dead_process: Process) -> None:
    first, second = job_ids(ledger, Stage.EDIT, enter(ledger, 2))
    claimed(ledger, first, owner(1))
    claimed(ledger, second, Owner(dead_process, "d-1"))
    clock.now += 3600
    assert ledger.hand_back_lost(judge_leases=False) == 1
    assert job(ledger, Stage.EDIT, first).state == State.RUNNING


def test_an_attempt_that_ended_with_its_process_counts(ledger: Ledger) -> None:
    edit = queued_edit(ledger)
    for attempt in (1, 2, 3):
        assert claimed(ledger, edit).attempt == attempt
        assert ledger.hand_back(owner().process, "killed by signal 11 (SIGSEGV)") == 1
    row = job(ledger, Stage.EDIT, edit)
    assert (row.state, row.failure_kind) == (State.FAILED, FailureKind.POISON)
    assert row.failure_reason == "given up after 3 attempts; the last: killed by signal 11 (SIGSEGV)"


def test_a_process_is_not_taken_for_one_whose_number_begins_alike(ledger: Ledger) -> None:
    edit = queued_edit(ledger)
    claimed(ledger, edit, Owner(Process("elsewhere", 12, "100"), "d-1"))
    for other in (Process("elsewhere", 1, "100"), Process("elsewhere", 12, "10"), Process("else%", 12, "100")):
        assert ledger.hand_back(other, "died") == ledger.release(other) == 0


def test_an_owner_is_asked_whether_its_claims_still_count(ledger: Ledger) -> None:
    edit = queued_edit(ledger)
    claimed(ledger, edit, owner(1, "d-1"))
    assert ledger.holds(owner(1, "d-1"))
    assert not ledger.holds(owner(1, "d-2"))
    ledger.cancel(job(ledger, Stage.EDIT, edit).run_id)
    assert not ledger.holds(owner(1, "d-1"))


def test_what_is_lost_waits_again_and_a_message_is_owed(ledger: Ledger, clock: Clock) -> None:
    [score] = queued_scores(ledger)
    claimed_scores(ledger, [score])
    clock.now += 30
    assert ledger.hand_back_lost() == 1
    row = job(ledger, Stage.SCORE, score)
    assert (row.state, row.owner, row.lease_until) == (State.QUEUED, None, None)
    assert (row.published_at, row.not_before, row.attempt) == (None, clock.now, 1)
    assert row.last_words == "worker gpu-0 did not renew its lease"


def test_what_a_dead_process_held_is_handed_back_before_its_lease_ends(ledger: Ledger, dead_process: Process) -> None:
    edit = queued_edit(ledger)
    claimed(ledger, edit, Owner(dead_process, "d-1"))
    assert ledger.hand_back_lost() == 1
    assert job(ledger, Stage.EDIT, edit).state == State.QUEUED


def test_a_living_claim_is_not_handed_back(ledger: Ledger, clock: Clock) -> None:
    claim = claimed(ledger, queued_edit(ledger))
    clock.now += 29
    assert ledger.hand_back_lost() == 0
    assert finish_edit(ledger, claim, IMAGE, seconds=29.0, detail={}) is not None


def test_a_release_gives_the_attempt_back(ledger: Ledger) -> None:
    edit = queued_edit(ledger)
    for _ in range(5):
        claimed(ledger, edit)
        assert ledger.release(owner().process) == 1
    row = job(ledger, Stage.EDIT, edit)
    assert (row.state, row.owner, row.published_at) == (State.QUEUED, None, None)
    assert row.attempts_allowed - row.attempt == 3


def test_a_released_score_still_joins_batches(ledger: Ledger) -> None:
    scores = queued_scores(ledger, 2)
    claimed_scores(ledger, scores)
    assert ledger.release(owner().process) == 2
    assert len(claimed_scores(ledger, scores)) == 2


def test_a_process_releases_only_what_it_holds(ledger: Ledger) -> None:
    first, second, third = job_ids(ledger, Stage.EDIT, enter(ledger, 3))
    claimed(ledger, first, owner(1, "d-1"))
    claimed(ledger, second, owner(1, "d-2"))
    claimed(ledger, third, owner(2))
    assert ledger.release(owner(1).process) == 2
    states = [job(ledger, Stage.EDIT, edit).state for edit in (first, second, third)]
    assert states == [State.QUEUED, State.QUEUED, State.RUNNING]


def test_a_worker_that_released_its_job_cannot_end_it(ledger: Ledger) -> None:
    claim = claimed(ledger, queued_edit(ledger))
    ledger.release(owner().process)
    assert finish_edit(ledger, claim, IMAGE, seconds=1.0, detail={}) is None


def test_what_nobody_began_goes_back_uncounted_and_what_else_its_process_holds_stays(ledger: Ledger) -> None:
    first, second, third = job_ids(ledger, Stage.EDIT, enter(ledger, 3))
    begun = claimed(ledger, first)
    unbegun = ledger.claim_edits(edits.c.id.in_([second, third]), claimant(), 2)
    ledger.release_unbegun(unbegun)
    for edit in (second, third):
        row = job(ledger, Stage.EDIT, edit)
        assert (row.state, row.owner, row.lease_until, row.published_at) == (State.QUEUED, None, None, None)
        assert (row.attempts_allowed - row.attempt, row.last_words) == (3, None)
    assert finish_edit(ledger, begun, IMAGE, seconds=1.0, detail={}) is not None


def test_a_release_of_what_was_not_begun_leaves_another_attempt_alone(ledger: Ledger, clock: Clock) -> None:
    edit = queued_edit(ledger)
    late = claimed(ledger, edit, owner(1))
    clock.now += 30
    ledger.hand_back_lost()
    ledger.release_unbegun([late])
    assert job(ledger, Stage.EDIT, edit).attempts_allowed == 3
    successor = claimed(ledger, edit, owner(2))
    ledger.release_unbegun([late])
    row = job(ledger, Stage.EDIT, edit)
    assert (row.state, row.owner, row.attempts_allowed) == (State.RUNNING, str(owner(2)), 3)
    assert finish_edit(ledger, successor, IMAGE, seconds=1.0, detail={}) is not None


def test_a_release_of_what_was_not_begun_does_not_bring_back_what_was_cancelled(ledger: Ledger) -> None:
    claim = claimed(ledger, queued_edit(ledger))
    ledger.cancel(claim.run_id)
    ledger.release_unbegun([claim])
    assert job(ledger, Stage.EDIT, claim.job_id).state == State.CANCELLED
