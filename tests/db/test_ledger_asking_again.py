"""Asked again: what a cancel, a resume and a retry change, and what they leave alone."""

from __future__ import annotations

from db.doorbells import take_owed
from db.ledger import Ledger
from db.queries import progress_of
from db.tables import Stage, State
from db.transitions import BACK_OFF_SECONDS
from tests.conftest import Clock
from tests.db.steps import FAULT, IMAGE, PASSING_FAULT, claimed, claimed_scores, finish_edit, job, job_ids, owner
from tests.factories import enter


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
