"""Claimed: what a claim carries, who may have a job and for how long, and which are claimed together."""

from __future__ import annotations

import pytest
from sqlalchemy import ColumnElement

from db.ledger import Ledger
from db.seeds import edit_seed
from db.tables import Stage, State, edits, scores
from db.transitions import BACK_OFF_SECONDS
from tests.conftest import Clock
from tests.db.steps import (
    FAULT,
    IMAGE,
    PASSING_FAULT,
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
