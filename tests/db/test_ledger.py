"""The life of a job: who may take it, who may end it, and what becomes of it when nobody does."""

from __future__ import annotations

import subprocess

import pytest
from sqlalchemy import ColumnElement, Engine
from sqlalchemy.exc import IntegrityError

from db.doorbells import take_owed
from db.jobs import Doorbell, Failure
from db.ledger import Ledger
from db.owner import Owner, Process, process_of, this_process
from db.queries import progress_of
from db.seeds import edit_seed
from db.tables import FailureKind, Stage, State, edits, scores
from db.transitions import BACK_OFF_SECONDS, BACK_OFF_SPREAD
from tests.conftest import Clock
from tests.db.steps import (
    IMAGE,
    claim_edit,
    claimant,
    claimed,
    claimed_scores,
    finish_edit,
    finish_score,
    job,
    job_ids,
    owner,
    queued_edit,
    queued_scores,
)
from tests.factories import enter

FAULT = Failure(FailureKind.INPUT, "image is empty")
PASSING_FAULT = Failure(FailureKind.STORE, "disk full", again=True)


@pytest.fixture
def dead_process() -> Process:
    """A process of this host that has just ended."""
    child = subprocess.Popen(["sleep", "60"])
    process = process_of(child.pid)
    child.kill()
    child.wait()
    return process


# -- claimed -----------------------------------------------------------------------------------------------------------


def test_a_claim_counts_an_attempt_and_starts_a_lease(ledger: Ledger, clock: Clock) -> None:
    edit = queued_edit(ledger)
    claim = claimed(ledger, edit)
    row = job(ledger, Stage.EDIT, edit)
    assert claim.attempt == row.attempt == 1
    assert (row.state, row.owner, row.worker) == (State.RUNNING, str(owner()), "gpu-0")
    assert (row.started_at, row.lease_until) == (clock.now, clock.now + 30)


def test_an_edit_claim_carries_all_that_the_edit_needs(ledger: Ledger) -> None:
    run_id = enter(ledger, ["p-7"], seed=5, repeats=2, editor={"name": "simulated", "width": 32})
    claim = claimed(ledger, job_ids(ledger, Stage.EDIT, run_id)[1])
    assert (claim.stage, claim.run_id, claim.key, claim.category) == (Stage.EDIT, run_id, "p-7", "物理")
    assert (claim.repeat, claim.instruction, claim.seed) == (1, "make it rain", edit_seed(5, "p-7", 1))
    assert (claim.model.name, claim.model.options["width"]) == ("simulated", 32)


def test_a_score_claim_carries_what_makes_a_score_of_criteria(ledger: Ledger) -> None:
    for aggregate in (None, "sqrt(sc*pq)"):
        [claim] = claimed_scores(ledger, queued_scores(ledger, aggregate=aggregate, seed=int(aggregate is None)))
        assert claim.aggregate == aggregate


def test_a_score_claim_carries_the_edited_image_and_its_own_scorer(ledger: Ledger) -> None:
    scorers = ["simulated", {"name": "simulated", "label": "strict", "fail_rate": 1}]
    _, second = queued_scores(ledger, scorers=scorers)
    [claim] = claimed_scores(ledger, [second])
    assert (claim.stage, claim.job_id, claim.edited_image, claim.reference_image) == (Stage.SCORE, second, IMAGE, None)
    assert (claim.model.label, claim.model.options["fail_rate"]) == ("strict", 1)


def test_a_job_that_does_not_exist_is_not_given(ledger: Ledger) -> None:
    assert claim_edit(ledger, 10**9) is None
    assert claimed_scores(ledger, [10**9]) == []


def test_a_living_claim_is_not_given_twice(ledger: Ledger, clock: Clock) -> None:
    edit = queued_edit(ledger)
    claimed(ledger, edit, owner(1))
    clock.now += 29
    assert claim_edit(ledger, edit, owner(2)) is None
    assert job(ledger, Stage.EDIT, edit).owner == str(owner(1))


@pytest.mark.parametrize("ended", ["done", "failed", "cancelled"])
def test_a_job_that_has_ended_is_not_given(ledger: Ledger, ended: str) -> None:
    run_id = enter(ledger)
    [edit] = job_ids(ledger, Stage.EDIT, run_id)
    claim = claimed(ledger, edit)
    if ended == "done":
        finish_edit(ledger, claim, IMAGE, seconds=1.0, detail={})
    elif ended == "failed":
        ledger.fail(claim, FAULT)
    else:
        ledger.cancel(run_id)
    assert claim_edit(ledger, edit, owner(2)) is None
    assert job(ledger, Stage.EDIT, edit).state == ended


def test_a_job_is_not_given_before_its_time(ledger: Ledger, clock: Clock) -> None:
    edit = queued_edit(ledger)
    ledger.fail(claimed(ledger, edit), PASSING_FAULT)
    clock.now += BACK_OFF_SECONDS - 1
    assert claim_edit(ledger, edit) is None
    clock.now += 1
    assert claimed(ledger, edit).attempt == 2


# -- taken over --------------------------------------------------------------------------------------------------------


def test_a_late_worker_cannot_finish_over_its_successor(ledger: Ledger, clock: Clock) -> None:
    edit = queued_edit(ledger)
    late = claimed(ledger, edit, owner(1))
    clock.now += 30
    ledger.hand_back_lost()
    successor = claimed(ledger, edit, owner(2))
    assert finish_edit(ledger, late, "a" * 64, seconds=1.0, detail={}) is None
    assert finish_edit(ledger, successor, IMAGE, seconds=1.0, detail={}) is not None
    assert finish_edit(ledger, late, "a" * 64, seconds=1.0, detail={}) is None
    assert job(ledger, Stage.EDIT, edit).image == IMAGE


def test_a_late_worker_cannot_score_over_its_successor(ledger: Ledger, clock: Clock) -> None:
    [score] = queued_scores(ledger)
    [late] = claimed_scores(ledger, [score], owner(1))
    clock.now += 30
    ledger.hand_back_lost()
    [successor] = claimed_scores(ledger, [score], owner(2))
    assert not finish_score(ledger, late, 1.0, seconds=1.0, detail={})
    assert finish_score(ledger, successor, 9.0, seconds=1.0, detail={})
    assert job(ledger, Stage.SCORE, score).value == 9.0


@pytest.mark.parametrize("fault", [FAULT, PASSING_FAULT], ids=["final", "again"])
def test_a_late_worker_cannot_fail_the_job_of_its_successor(ledger: Ledger, clock: Clock, fault: Failure) -> None:
    edit = queued_edit(ledger)
    late = claimed(ledger, edit, owner(1))
    clock.now += 30
    ledger.hand_back_lost()
    claimed(ledger, edit, owner(2))
    assert ledger.fail(late, fault) is None
    row = job(ledger, Stage.EDIT, edit)
    assert (row.state, row.owner, row.attempt) == (State.RUNNING, str(owner(2)), 2)


def test_a_late_worker_cannot_end_a_job_that_waits_again(ledger: Ledger, clock: Clock) -> None:
    edit = queued_edit(ledger)
    late = claimed(ledger, edit)
    clock.now += 30
    ledger.hand_back_lost()
    assert finish_edit(ledger, late, IMAGE, seconds=1.0, detail={}) is None
    assert ledger.fail(late, FAULT) is None
    assert job(ledger, Stage.EDIT, edit).state == State.QUEUED


def test_an_outcome_is_written_once(ledger: Ledger) -> None:
    claim = claimed(ledger, queued_edit(ledger))
    assert finish_edit(ledger, claim, IMAGE, seconds=1.0, detail={}) is not None
    assert finish_edit(ledger, claim, "a" * 64, seconds=1.0, detail={}) is None
    assert ledger.fail(claim, FAULT) is None


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


def test_a_claim_whose_lease_ran_out_is_taken_by_nobody_until_it_is_handed_back(ledger: Ledger, clock: Clock) -> None:
    edit = queued_edit(ledger)
    claimed(ledger, edit, owner(1))
    clock.now += 30
    assert claim_edit(ledger, edit, owner(2)) is None
    assert claim_edit(ledger, edit, owner(1, "d-2")) is None
    assert ledger.hand_back_lost() == 1
    assert claimed(ledger, edit, owner(2)).attempt == 2


# -- renewed -----------------------------------------------------------------------------------------------------------


def test_a_renewed_lease_outlives_the_first(ledger: Ledger, clock: Clock) -> None:
    edit = queued_edit(ledger)
    claim = claimed(ledger, edit, owner(1))
    clock.now += 20
    assert ledger.renew(owner(1).process) == 1
    clock.now += 20
    assert ledger.hand_back_lost() == 0
    assert claim_edit(ledger, edit, owner(2)) is None
    assert finish_edit(ledger, claim, IMAGE, seconds=40.0, detail={}) is not None


def test_a_process_renews_only_what_it_holds_and_all_of_it(ledger: Ledger, clock: Clock) -> None:
    first, second, third = job_ids(ledger, Stage.EDIT, enter(ledger, 3))
    claimed(ledger, first, owner(1, "d-1"))
    claimed(ledger, second, owner(1, "d-2"))
    claimed(ledger, third, owner(2, "d-1"))
    clock.now += 20
    assert ledger.renew(owner(1).process) == 2
    leases = [job(ledger, Stage.EDIT, edit).lease_until - clock.now for edit in (first, second, third)]
    assert leases == [30, 30, 10]


def test_one_heartbeat_renews_a_whole_batch(ledger: Ledger, clock: Clock) -> None:
    scores = queued_scores(ledger, 3)
    claimed_scores(ledger, scores)
    clock.now += 20
    assert ledger.renew(owner().process) == 3


def test_nothing_is_renewed_that_has_ended(ledger: Ledger) -> None:
    ledger.fail(claimed(ledger, queued_edit(ledger)), FAULT)
    assert ledger.renew(owner().process) == 0


# -- done --------------------------------------------------------------------------------------------------------------


def test_a_finished_edit_queues_one_score_per_scorer_and_returns_their_doorbells(ledger: Ledger, clock: Clock) -> None:
    run_id = enter(ledger, scorers=["simulated", "reference"], priority="high")
    [edit] = job_ids(ledger, Stage.EDIT, run_id)
    doorbells = finish_edit(ledger, claimed(ledger, edit), IMAGE, seconds=2.5, detail={"steps": 8})
    scores = job_ids(ledger, Stage.SCORE, run_id)
    assert len(scores) == 2
    assert doorbells == [Doorbell(Stage.SCORE, score, "high") for score in scores]
    for score in scores:
        row = job(ledger, Stage.SCORE, score)
        assert (row.edit_id, row.state, row.attempt, row.published_at) == (edit, State.QUEUED, 0, clock.now)


def test_a_finished_edit_keeps_what_the_model_said(ledger: Ledger, clock: Clock) -> None:
    edit = queued_edit(ledger)
    finish_edit(ledger, claimed(ledger, edit), IMAGE, seconds=2.5, detail={"steps": 8})
    row = job(ledger, Stage.EDIT, edit)
    assert (row.state, row.image, row.seconds, row.detail) == (State.DONE, IMAGE, 2.5, {"steps": 8})
    assert (row.owner, row.lease_until, row.finished_at, row.worker) == (None, None, clock.now, "gpu-0")


def test_a_finished_score_has_its_value(ledger: Ledger) -> None:
    [score] = queued_scores(ledger)
    [claim] = claimed_scores(ledger, [score])
    assert finish_score(ledger, claim, 7.5, seconds=0.5, detail={"reason": "good"})
    row = job(ledger, Stage.SCORE, score)
    assert (row.state, row.value, row.detail) == (State.DONE, 7.5, {"reason": "good"})


# -- several at once ---------------------------------------------------------------------------------------------------


def of_scorer(ledger: Ledger, score_id: int) -> ColumnElement[bool]:
    """Return the condition under which a worker claims: the scores of one scorer of one run."""
    scorer_id: int = job(ledger, Stage.SCORE, score_id).scorer_id
    return scores.c.scorer_id == scorer_id


def test_as_many_are_claimed_as_asked_and_the_lowest_ids_that_wait(ledger: Ledger) -> None:
    waiting = queued_scores(ledger, 5)
    batch = ledger.claim_scores(of_scorer(ledger, waiting[0]), claimant(), 3)
    assert [claim.job_id for claim in batch] == waiting[:3]
    assert {claim.attempt for claim in batch} == {1}


def test_edits_too_are_claimed_several_at_once_in_their_order(ledger: Ledger) -> None:
    run_id = enter(ledger, 5)
    asked = job_ids(ledger, Stage.EDIT, run_id)
    claims = ledger.claim_edits(edits.c.run_id == run_id, claimant(), 3)
    assert [(claim.job_id, claim.key) for claim in claims] == [(asked[0], "p-0"), (asked[1], "p-1"), (asked[2], "p-2")]
    assert {job(ledger, Stage.EDIT, edit).owner for edit in asked[:3]} == {str(owner())}


def test_a_batch_holds_one_scorer_only(ledger: Ledger) -> None:
    scorers = ["simulated", {"name": "simulated", "label": "strict"}]
    waiting = queued_scores(ledger, 3, scorers=scorers)
    batch = ledger.claim_scores(of_scorer(ledger, waiting[0]), claimant(), 8)
    assert len(batch) == 3
    assert {claim.model.label for claim in batch} == {"simulated"}


def test_a_batch_holds_one_run_only(ledger: Ledger) -> None:
    first = queued_scores(ledger, 2)
    queued_scores(ledger, 2, seed=1)
    batch = ledger.claim_scores(of_scorer(ledger, first[0]), claimant(), 8)
    assert [claim.job_id for claim in batch] == first


def test_where_one_is_asked_for_one_is_claimed(ledger: Ledger) -> None:
    waiting = queued_scores(ledger, 3)
    assert [claim.job_id for claim in ledger.claim_scores(of_scorer(ledger, waiting[0]), claimant())] == waiting[:1]


def test_a_score_that_is_running_joins_no_batch(ledger: Ledger) -> None:
    waiting = queued_scores(ledger, 3)
    claimed_scores(ledger, waiting[:2], owner(1))
    assert [claim.job_id for claim in claimed_scores(ledger, waiting, owner(2))] == [waiting[2]]


def test_a_score_whose_last_attempt_ended_badly_is_claimed_alone(ledger: Ledger, clock: Clock) -> None:
    waiting = queued_scores(ledger, 3)
    claimed_scores(ledger, waiting[:1], owner(1))
    clock.now += 30
    ledger.hand_back_lost()
    [claim] = claimed_scores(ledger, waiting, owner(2))
    assert (claim.job_id, claim.attempt, claim.tried_before) == (waiting[0], 2, True)


def test_a_score_whose_last_attempt_ended_badly_joins_no_batch(ledger: Ledger, clock: Clock) -> None:
    waiting = queued_scores(ledger, 3)
    claimed_scores(ledger, waiting[2:], owner(1))
    clock.now += 30
    ledger.hand_back_lost()
    batch = claimed_scores(ledger, waiting, owner(2))
    assert [(claim.job_id, claim.tried_before) for claim in batch] == [(waiting[0], False), (waiting[1], False)]


def test_what_comes_behind_a_job_that_ended_badly_waits_for_it(ledger: Ledger) -> None:
    """Else the tried job would come last of all, and the end of the run with it."""
    waiting = queued_scores(ledger, 3)
    claimed_scores(ledger, waiting[1:2])
    ledger.hand_back(owner().process, "killed by signal 9")
    assert [claim.job_id for claim in claimed_scores(ledger, waiting)] == waiting[:1]


@pytest.mark.parametrize("stage", Stage)
def test_a_job_that_ended_badly_is_not_claimed_ahead(ledger: Ledger, stage: Stage) -> None:
    [job_id] = [queued_edit(ledger)] if stage is Stage.EDIT else queued_scores(ledger)
    jobs, claim = (edits, ledger.claim_edits) if stage is Stage.EDIT else (scores, ledger.claim_scores)
    claim(jobs.c.id == job_id, claimant())
    ledger.hand_back(owner().process, "killed by signal 9")
    assert claim(jobs.c.id == job_id, claimant(), ahead=True) == []
    row = job(ledger, stage, job_id)
    assert (row.state, row.attempt) == (State.QUEUED, 1)
    assert len(claim(jobs.c.id == job_id, claimant())) == 1


def test_ahead_stops_before_a_job_that_ended_badly(ledger: Ledger) -> None:
    first, second, third = job_ids(ledger, Stage.EDIT, enter(ledger, 3))
    claimed(ledger, second)
    ledger.hand_back(owner().process, "killed by signal 9")
    which = edits.c.id.in_([first, second, third])
    assert [claim.job_id for claim in ledger.claim_edits(which, claimant(), 3, ahead=True)] == [first]
    assert ledger.claim_edits(which, claimant(), 3, ahead=True) == []


def test_a_job_that_was_only_released_is_claimed_with_others_and_ahead(ledger: Ledger) -> None:
    first, second = job_ids(ledger, Stage.EDIT, enter(ledger, 2))
    claimed(ledger, first)
    ledger.release(owner().process)
    claims = ledger.claim_edits(edits.c.id.in_([first, second]), claimant(), 2, ahead=True)
    assert [(claim.job_id, claim.tried_before) for claim in claims] == [(first, False), (second, False)]


def test_a_score_whose_time_has_not_come_joins_no_batch(ledger: Ledger, clock: Clock) -> None:
    waiting = queued_scores(ledger, 3)
    _set(ledger, f"UPDATE scores SET not_before = {clock.now + 1} WHERE id = {waiting[1]}")
    assert [claim.job_id for claim in claimed_scores(ledger, waiting)] == [waiting[0], waiting[2]]


def _set(ledger: Ledger, statement: str) -> None:
    with ledger.write() as (connection, _):
        connection.exec_driver_sql(statement)


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


# -- a clock that is set -----------------------------------------------------------------------------------------------


def test_after_the_clock_was_set_back_what_waits_can_start_and_the_dead_lose_their_leases(
    ledger: Ledger, clock: Clock
) -> None:
    waiting, again, dead = job_ids(ledger, Stage.EDIT, enter(ledger, 3))
    ledger.fail(claimed(ledger, again), PASSING_FAULT)
    claimed(ledger, dead)
    take_owed(ledger, Stage.EDIT)

    clock.now -= 3600
    assert claim_edit(ledger, waiting, owner(2)) is None
    assert ledger.settle_clock() > 0

    assert claimed(ledger, waiting, owner(2)).attempt == 1
    assert claimed(ledger, again, owner(3)).attempt == 2
    clock.now += 30
    assert ledger.hand_back_lost() >= 1
    assert job(ledger, Stage.EDIT, dead).state == State.QUEUED


def test_a_clock_that_was_not_set_leaves_everything_as_it_is(ledger: Ledger) -> None:
    edits = job_ids(ledger, Stage.EDIT, enter(ledger, 3))
    ledger.fail(claimed(ledger, edits[0]), PASSING_FAULT)
    claimed(ledger, edits[1])
    take_owed(ledger, Stage.EDIT)
    assert ledger.settle_clock() == 0


# -- waits -------------------------------------------------------------------------------------------------------------


def test_a_failure_may_ask_for_a_longer_wait(ledger: Ledger, clock: Clock) -> None:
    edit = queued_edit(ledger)
    ledger.fail(claimed(ledger, edit), Failure(FailureKind.POISON, "the GPU failed", again=True, wait_seconds=30))
    assert job(ledger, Stage.EDIT, edit).not_before == clock.now + BACK_OFF_SECONDS + 30


def test_what_failed_together_does_not_come_back_together(engine: Engine, clock: Clock) -> None:
    ledger = Ledger(engine, clock=clock)
    edits = job_ids(ledger, Stage.EDIT, enter(ledger, 20))
    for edit in edits:
        ledger.fail(claimed(ledger, edit), PASSING_FAULT)
    waits = [job(ledger, Stage.EDIT, edit).not_before - clock.now for edit in edits]
    assert BACK_OFF_SECONDS * BACK_OFF_SPREAD[0] <= min(waits)
    assert max(waits) <= BACK_OFF_SECONDS * BACK_OFF_SPREAD[1]
    assert len(set(waits)) > 10


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


# -- together ----------------------------------------------------------------------------------------------------------


def test_what_is_done_together_is_there_for_others_only_when_all_of_it_is_done(ledger: Ledger) -> None:
    first, second = job_ids(ledger, Stage.EDIT, enter(ledger, 2))
    claims = ledger.claim_edits(edits.c.id.in_([first, second]), claimant(), 2)
    with ledger.together() as together:
        assert finish_edit(together, claims[0], IMAGE, seconds=1.0, detail={}) is not None
        assert job(ledger, Stage.EDIT, first).state == State.RUNNING
        assert together.fail(claims[1], FAULT) is State.FAILED
    states = [job(ledger, Stage.EDIT, edit).state for edit in (first, second)]
    assert states == [State.DONE, State.FAILED]


def test_what_is_done_together_is_undone_together(ledger: Ledger) -> None:
    first, second = job_ids(ledger, Stage.EDIT, enter(ledger, 2))
    claims = ledger.claim_edits(edits.c.id.in_([first, second]), claimant(), 2)
    with pytest.raises(IntegrityError), ledger.together() as together:
        finish_edit(together, claims[0], IMAGE, seconds=1.0, detail={})
        finish_edit(together, claims[1], "no digest", seconds=1.0, detail={})
    states = [job(ledger, Stage.EDIT, edit).state for edit in (first, second)]
    assert states == [State.RUNNING, State.RUNNING]
    assert progress_of(ledger.engine, claims[0].run_id).scores.total == 0


# -- failed ------------------------------------------------------------------------------------------------------------


def test_a_fault_of_the_input_is_final_at_once(ledger: Ledger, clock: Clock) -> None:
    edit = queued_edit(ledger)
    assert ledger.fail(claimed(ledger, edit), FAULT) is State.FAILED
    row = job(ledger, Stage.EDIT, edit)
    assert (row.state, row.failure_kind, row.failure_reason) == (State.FAILED, "input", "image is empty")
    assert (row.owner, row.lease_until, row.finished_at) == (None, None, clock.now)


def test_a_failed_edit_queues_no_score(ledger: Ledger) -> None:
    run_id = enter(ledger)
    ledger.fail(claimed(ledger, job_ids(ledger, Stage.EDIT, run_id)[0]), FAULT)
    assert job_ids(ledger, Stage.SCORE, run_id) == []


def test_a_passing_fault_queues_the_job_behind_a_back_off_that_doubles(ledger: Ledger, clock: Clock) -> None:
    edit = queued_edit(ledger)
    waits = []
    for _ in range(2):
        assert ledger.fail(claimed(ledger, edit), PASSING_FAULT) is State.QUEUED
        row = job(ledger, Stage.EDIT, edit)
        assert (row.published_at, row.last_words) == (None, "disk full")
        waits.append(row.not_before - clock.now)
        clock.now = row.not_before
    assert waits == [BACK_OFF_SECONDS, 2 * BACK_OFF_SECONDS]


def test_a_passing_fault_is_final_with_its_own_kind_once_the_attempts_are_used_up(ledger: Ledger, clock: Clock) -> None:
    edit = queued_edit(ledger)
    states = []
    for _ in range(3):
        states.append(ledger.fail(claimed(ledger, edit), PASSING_FAULT))
        clock.now += 1000
    assert states == [State.QUEUED, State.QUEUED, State.FAILED]
    row = job(ledger, Stage.EDIT, edit)
    assert (row.failure_kind, row.failure_reason, row.attempt) == ("store", "disk full", 3)


def test_an_attempt_that_was_released_does_not_lengthen_the_back_off(ledger: Ledger, clock: Clock) -> None:
    edit = queued_edit(ledger)
    for _ in range(4):
        claimed(ledger, edit)
        ledger.release(owner().process)
    ledger.fail(claimed(ledger, edit), PASSING_FAULT)
    assert job(ledger, Stage.EDIT, edit).not_before - clock.now == BACK_OFF_SECONDS


# -- asked again -------------------------------------------------------------------------------------------------------


def test_a_retry_allows_three_more_attempts_and_the_numbers_go_on(ledger: Ledger, clock: Clock) -> None:
    run_id = enter(ledger)
    [edit] = job_ids(ledger, Stage.EDIT, run_id)
    for _ in range(3):
        take_owed(ledger, Stage.EDIT)
        ledger.fail(claimed(ledger, edit), PASSING_FAULT)
        clock.now += 1000
    assert ledger.retry(run_id) == 1
    row = job(ledger, Stage.EDIT, edit)
    assert (row.state, row.failure_kind, row.failure_reason) == (State.QUEUED, None, None)
    assert (row.published_at, row.finished_at, row.last_words) == (None, None, None)
    numbers = []
    for _ in range(3):
        claim = claimed(ledger, edit)
        numbers.append(claim.attempt)
        ledger.fail(claim, PASSING_FAULT)
        clock.now += 1000
    assert numbers == [4, 5, 6]
    assert job(ledger, Stage.EDIT, edit).state == State.FAILED


def test_a_retry_starts_the_back_off_from_the_beginning(ledger: Ledger, clock: Clock) -> None:
    run_id = enter(ledger)
    [edit] = job_ids(ledger, Stage.EDIT, run_id)
    for _ in range(3):
        ledger.fail(claimed(ledger, edit), PASSING_FAULT)
        clock.now += 1000
    ledger.retry(run_id)
    ledger.fail(claimed(ledger, edit), PASSING_FAULT)
    assert job(ledger, Stage.EDIT, edit).not_before - clock.now == BACK_OFF_SECONDS


def test_a_retry_asks_again_for_what_failed_and_nothing_else(ledger: Ledger) -> None:
    run_id = enter(ledger, 4)
    other_run = enter(ledger, seed=1)
    done, failed, running, queued = job_ids(ledger, Stage.EDIT, run_id)
    finish_edit(ledger, claimed(ledger, done), IMAGE, seconds=1.0, detail={})
    ledger.fail(claimed(ledger, failed), FAULT)
    claimed(ledger, running)
    ledger.fail(claimed(ledger, job_ids(ledger, Stage.EDIT, other_run)[0]), FAULT)
    assert ledger.retry(run_id) == 1
    states = [job(ledger, Stage.EDIT, edit).state for edit in (done, failed, running, queued)]
    assert states == [State.DONE, State.QUEUED, State.RUNNING, State.QUEUED]
    assert progress_of(ledger.engine, other_run).edits[State.FAILED] == 1


def test_a_retry_reaches_scores_too(ledger: Ledger) -> None:
    run_id = enter(ledger)
    finish_edit(ledger, claimed(ledger, job_ids(ledger, Stage.EDIT, run_id)[0]), IMAGE, seconds=1.0, detail={})
    [score] = job_ids(ledger, Stage.SCORE, run_id)
    ledger.fail(claimed_scores(ledger, [score])[0], FAULT)
    assert ledger.retry(run_id) == 1
    assert len(claimed_scores(ledger, [score])) == 1


def test_a_late_worker_cannot_end_what_was_retried(ledger: Ledger) -> None:
    run_id = enter(ledger)
    [edit] = job_ids(ledger, Stage.EDIT, run_id)
    claim = claimed(ledger, edit)
    ledger.fail(claim, FAULT)
    ledger.retry(run_id)
    assert finish_edit(ledger, claim, IMAGE, seconds=1.0, detail={}) is None
    claimed(ledger, edit, owner(2))
    assert finish_edit(ledger, claim, IMAGE, seconds=1.0, detail={}) is None


def test_a_cancel_stops_what_waits_and_what_runs(ledger: Ledger, clock: Clock) -> None:
    run_id = enter(ledger, 3)
    running, done, queued = job_ids(ledger, Stage.EDIT, run_id)
    finish_edit(ledger, claimed(ledger, done), IMAGE, seconds=1.0, detail={})
    claim = claimed(ledger, running)
    assert ledger.cancel(run_id) == 3  # the score of the edit that is done among them
    for edit in (running, queued):
        row = job(ledger, Stage.EDIT, edit)
        assert (row.state, row.owner, row.finished_at) == (State.CANCELLED, None, clock.now)
    assert job(ledger, Stage.EDIT, done).state == State.DONE
    assert finish_edit(ledger, claim, IMAGE, seconds=1.0, detail={}) is None
    assert ledger.fail(claim, PASSING_FAULT) is None


def test_a_cancel_leaves_other_runs_alone(ledger: Ledger) -> None:
    run_id, other_run = enter(ledger), enter(ledger, seed=1)
    ledger.cancel(run_id)
    assert progress_of(ledger.engine, other_run).edits[State.QUEUED] == 1


def test_a_resume_queues_what_was_cancelled(ledger: Ledger) -> None:
    run_id = enter(ledger, 3)
    failed, running, queued = job_ids(ledger, Stage.EDIT, run_id)
    take_owed(ledger, Stage.EDIT)
    ledger.fail(claimed(ledger, failed), FAULT)
    late = claimed(ledger, running)
    ledger.cancel(run_id)
    assert ledger.resume(run_id) == 2
    for edit in (running, queued):
        row = job(ledger, Stage.EDIT, edit)
        assert (row.state, row.published_at, row.finished_at) == (State.QUEUED, None, None)
        assert row.attempts_allowed - row.attempt == 3
    assert job(ledger, Stage.EDIT, failed).state == State.FAILED
    assert finish_edit(ledger, late, IMAGE, seconds=1.0, detail={}) is None
    assert claimed(ledger, running).attempt == 2
