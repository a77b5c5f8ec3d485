"""Which failed jobs are meant by kind and category, and that a retry marks what it queues."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from db.errors import WrongCall
from db.failed import FailedJobs, failed_jobs
from db.ledger import Ledger
from db.tables import FailureKind, Stage, State
from tests.db.steps import job, job_ids
from tests.producer.by_hand import RunByHand

LABELS = ["严", "宽"]


@pytest.fixture
def run(ledger: Ledger) -> RunByHand:
    """Two categories; of each an edit failed, and scores failed in three ways."""
    run = RunByHand(ledger, [("社会", "a"), ("物理", "b"), ("社会", "c"), ("物理", "d")])
    run.edit("a", "b")
    run.fail_edit("c")
    run.fail_edit("d")
    run.fail_score("a", "严", kind=FailureKind.UNPARSED)
    run.fail_score("a", "宽", kind=FailureKind.REFUSED)
    run.fail_score("b", "严", kind=FailureKind.UNPARSED)
    run.score("b", "宽", 7)
    return run


def queued(run: RunByHand, kinds: Sequence[str] = (), categories: Sequence[str] = ()) -> dict[Stage, int]:
    """Retry those; return how many jobs of each stage wait, all of them marked as retried and no others."""
    which = failed_jobs(run.ledger.engine, run.id, kinds=kinds, categories=categories)
    changed = run.ledger.retry(run.id, which)
    jobs = {stage: [job(run.ledger, stage, number) for number in job_ids(run.ledger, stage, run.id)] for stage in Stage}
    waiting = {stage: [row for row in rows if row.state == State.QUEUED] for stage, rows in jobs.items()}
    retried = {stage: [row for row in rows if row.retried] for stage, rows in jobs.items()}
    assert retried == waiting
    assert changed == sum(map(len, waiting.values()))
    return {stage: len(rows) for stage, rows in waiting.items()}


def test_where_nothing_is_named_all_that_failed_is_meant(run: RunByHand) -> None:
    assert queued(run) == {Stage.EDIT: 2, Stage.SCORE: 3}


def test_only_what_failed_as_named_is_queued(run: RunByHand) -> None:
    assert queued(run, ["unparsed"]) == {Stage.EDIT: 0, Stage.SCORE: 2}


def test_several_kinds_are_any_of_them(run: RunByHand) -> None:
    assert queued(run, ["input", "refused"]) == {Stage.EDIT: 2, Stage.SCORE: 1}


def test_only_the_named_category_is_queued(run: RunByHand) -> None:
    assert queued(run, categories=["社会"]) == {Stage.EDIT: 1, Stage.SCORE: 2}


def test_a_category_may_be_called_by_its_alias(run: RunByHand) -> None:
    assert queued(run, categories=["physical"]) == {Stage.EDIT: 1, Stage.SCORE: 1}


def test_kind_and_category_must_both_hold(run: RunByHand) -> None:
    assert queued(run, ["unparsed"], ["社会"]) == {Stage.EDIT: 0, Stage.SCORE: 1}


def test_where_nothing_matches_nothing_is_queued(run: RunByHand) -> None:
    assert queued(run, ["store"]) == {Stage.EDIT: 0, Stage.SCORE: 0}


def test_other_runs_are_left_alone(ledger: Ledger, run: RunByHand) -> None:
    other = RunByHand(ledger, [("社会", "a"), ("物理", "b"), ("社会", "c"), ("物理", "d")], seed=1)
    other.fail_edit("a")

    queued(run, categories=["社会"])

    assert [job(ledger, Stage.EDIT, number).retried for number in job_ids(ledger, Stage.EDIT, other.id)] == [False] * 4


def test_what_is_resumed_is_not_marked(ledger: Ledger, run: RunByHand) -> None:
    other = RunByHand(ledger, seed=1)
    ledger.cancel(other.id)
    ledger.resume(other.id)

    rows = [job(ledger, Stage.EDIT, number) for number in job_ids(ledger, Stage.EDIT, other.id)]
    assert [(row.state, row.retried) for row in rows] == [("queued", False)] * 3


def test_a_retried_edit_stays_marked_when_it_is_done_and_its_scores_are_new(run: RunByHand) -> None:
    run.ledger.retry(run.id, FailedJobs(categories=frozenset({"社会"})))
    run.edit("c")

    edits = [job(run.ledger, Stage.EDIT, number) for number in job_ids(run.ledger, Stage.EDIT, run.id)]
    new = [job(run.ledger, Stage.SCORE, number) for number in job_ids(run.ledger, Stage.SCORE, run.id)[-2:]]
    assert [row.state for row in edits if row.retried] == ["done"]
    assert [row.retried for row in new] == [False, False]


def test_a_word_that_means_nothing_is_answered_with_those_there_are(run: RunByHand) -> None:
    with pytest.raises(WrongCall, match=r"no category 'physics'; there are 社会 \(social\), 物理 \(physical\)$"):
        failed_jobs(run.ledger.engine, run.id, kinds=(), categories=["physics"])
    with pytest.raises(WrongCall, match="nothing fails as 'boredom'; the kinds are input, out_of_memory, "):
        failed_jobs(run.ledger.engine, run.id, kinds=["boredom"], categories=())
