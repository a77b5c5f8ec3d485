"""Ended: a result or a failure is written once, by whoever holds the newest claim."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from db.jobs import Doorbell, Failure
from db.ledger import Ledger
from db.queries import progress_of
from db.tables import FailureKind, Stage, State, edits
from db.transitions import BACK_OFF_SECONDS, BACK_OFF_SPREAD
from tests.conftest import Clock
from tests.db.steps import (
    FAULT,
    IMAGE,
    PASSING_FAULT,
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
