"""Commands that cancel a run, or ask for its jobs again."""

from __future__ import annotations

import pytest

from db.doorbells import take_owed
from db.queries import progress_of
from db.tables import FailureKind, Stage, State
from tests.producer.by_hand import RunByHand
from tests.producer.shell import DEAD, FAR, Shell

pytestmark = pytest.mark.integration


def test_cancel_ends_what_is_open_and_resume_asks_for_it_again(shell: Shell, run: RunByHand) -> None:
    cancelled = shell("cancel", run.id)
    scores = progress_of(run.ledger.engine, run.id).scores
    resumed = shell("resume", run.id)
    scores_after = progress_of(run.ledger.engine, run.id).scores

    assert (cancelled.code, cancelled.complaint) == (0, f"run {run.id}: cancelled 2 jobs")
    assert scores.by_state == {State.DONE: 2, State.CANCELLED: 2}
    assert (resumed.code, resumed.complaint) == (0, f"run {run.id}: queued 2 cancelled jobs again")
    assert scores_after.by_state == {State.DONE: 2, State.QUEUED: 2}
    assert [(name[:5], len(messages)) for name, messages in shell.messages().items()] == [("score", 2)]


def test_retry_asks_again_for_what_failed_and_for_nothing_else(shell: Shell, run: RunByHand) -> None:
    run.ledger.cancel(run.id)

    done = shell("retry", run.id)
    progress = progress_of(run.ledger.engine, run.id)

    assert (done.code, done.complaint) == (0, f"run {run.id}: queued 1 failed job again")
    assert progress.edits.by_state == {State.DONE: 2, State.QUEUED: 1}
    assert progress.scores.by_state == {State.DONE: 2, State.CANCELLED: 2}
    assert [(name[:4], len(messages)) for name, messages in shell.messages().items()] == [("edit", 1)]


def test_retry_takes_only_what_is_named(shell: Shell, run: RunByHand) -> None:
    run.fail_score("b", "严", kind=FailureKind.UNPARSED)

    nothing = shell("retry", run.id, "--unparsed", "--category", "social")
    unparsed = shell("retry", run.id, "--unparsed", "--category", "物理")
    unknown = shell("retry", run.id, "--category", "Physik")

    assert (nothing.code, nothing.complaint) == (0, f"run {run.id}: queued 0 failed jobs again")
    assert (unparsed.code, unparsed.complaint) == (0, f"run {run.id}: queued 1 failed job again")
    assert progress_of(run.ledger.engine, run.id).edits[State.FAILED] == 1
    assert unknown.code == 2
    assert unknown.complaint == "error: there is no category 'Physik'; there are 社会 (social), 物理 (physical)"
    assert shell("retry", run.id, "--failed", "--kind", "input").code == 2


def test_what_is_asked_again_without_a_broker_is_owed_its_messages(shell: Shell, run: RunByHand) -> None:
    done = shell("retry", run.id, FARM_BROKER_URL=f"redis://{DEAD}/0")

    assert done.code == 0
    assert done.err.splitlines()[-1] == "no broker answers now; the first worker that runs sends their messages"
    assert progress_of(run.ledger.engine, run.id).edits[State.FAILED] == 0
    assert len(take_owed(run.ledger, Stage.EDIT)) == 1


def test_nothing_is_asked_again_of_a_ledger_that_the_brokers_host_has_not(shell: Shell, run: RunByHand) -> None:
    done = shell("retry", run.id, FARM_BROKER_URL=f"redis://{FAR}/0")

    assert done.code == 2
    assert done.complaint.endswith("a database that every host reaches")
    assert progress_of(run.ledger.engine, run.id).edits[State.FAILED] == 1
