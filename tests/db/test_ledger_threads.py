"""Many workers at one ledger at the same moment."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from sqlalchemy import true

from db.jobs import EditClaim, Failure
from db.ledger import Ledger
from db.queries import progress_of
from db.tables import FailureKind, Stage, State, edits
from tests.conftest import Clock
from tests.db.steps import (
    IMAGE,
    claim_edit,
    claimant,
    claimed,
    finish_edit,
    finish_score,
    job,
    job_ids,
    owner,
    queued_edit,
    queued_scores,
)
from tests.factories import enter

T = TypeVar("T")


def at_once(count: int, work: Callable[[int], T]) -> list[T]:
    """Call `work(0)`, `work(1)` ... in as many threads, started together."""
    start = Barrier(count)

    def one(number: int) -> T:
        start.wait(10)
        return work(number)

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(one, range(count)))


def test_of_many_who_claim_an_edit_exactly_one_gets_it(ledger: Ledger) -> None:
    edit = queued_edit(ledger)
    claims = at_once(8, lambda number: claim_edit(ledger, edit, owner(number)))
    assert sum(claim is not None for claim in claims) == 1
    assert job(ledger, Stage.EDIT, edit).attempt == 1


def test_of_many_who_take_over_a_lost_edit_exactly_one_gets_it(ledger: Ledger, clock: Clock) -> None:
    edit = queued_edit(ledger)
    claimed(ledger, edit, owner(100))
    clock.now += 30

    def take_over(number: int) -> EditClaim | None:
        ledger.hand_back_lost()
        return claim_edit(ledger, edit, owner(number))

    claims = at_once(8, take_over)
    assert sum(claim is not None for claim in claims) == 1
    assert job(ledger, Stage.EDIT, edit).attempt == 2


def test_workers_that_claim_in_batches_claim_every_score_once(ledger: Ledger) -> None:
    waiting = queued_scores(ledger, 60)

    def work(number: int) -> list[int]:
        mine: list[int] = []
        while any(job(ledger, Stage.SCORE, score).state == State.QUEUED for score in waiting):
            batch = ledger.claim_scores(true(), claimant(owner(number, f"d-{len(mine)}")), random.randint(1, 8))
            mine.extend(claim.job_id for claim in batch)
            for claim in batch:
                assert finish_score(ledger, claim, 5.0, seconds=0.1, detail={})
        return mine

    taken = Counter(score for mine in at_once(4, work) for score in mine)
    assert taken == Counter(waiting)
    assert {job(ledger, Stage.SCORE, score).attempt for score in waiting} == {1}


def test_who_claims_beside_another_is_given_what_comes_behind(ledger: Ledger) -> None:
    """On SQLite one waits for the other; on PostgreSQL what another is just taking is left out."""
    first, second = job_ids(ledger, Stage.EDIT, enter(ledger, 2))
    run_of = edits.c.id.in_([first, second])
    claims = at_once(2, lambda number: ledger.claim_edits(run_of, claimant(owner(number))))
    assert sorted(claim.job_id for [claim] in claims) == [first, second]


def test_what_is_lost_is_handed_back_once_whoever_looks(ledger: Ledger, clock: Clock) -> None:
    edits = job_ids(ledger, Stage.EDIT, enter(ledger, 20))
    for edit in edits:
        claimed(ledger, edit)
    clock.now += 30
    assert sum(at_once(4, lambda _number: ledger.hand_back_lost())) == 20
    assert {job(ledger, Stage.EDIT, edit).state for edit in edits} == {State.QUEUED}


def test_a_cancel_amid_the_work_leaves_nothing_open_and_nothing_half_done(ledger: Ledger) -> None:
    run_id = enter(ledger, 30)
    edits = job_ids(ledger, Stage.EDIT, run_id)

    def work(number: int) -> None:
        if number == 0:
            ledger.cancel(run_id)
            return
        for edit in edits[number - 1 :: 3]:
            claim = claim_edit(ledger, edit, owner(number))
            if claim is None:
                continue
            ledger.renew(owner(number).process)
            if edit % 2:
                finish_edit(ledger, claim, IMAGE, seconds=0.1, detail={})
            else:
                ledger.fail(claim, Failure(FailureKind.INPUT, "image is empty"))

    at_once(4, work)
    progress = progress_of(ledger.engine, run_id)
    assert progress.edits.total == 30
    assert progress.finished
    assert progress.scores.total == progress.edits[State.DONE]


def test_a_cancel_and_the_heartbeats_of_batches_never_wait_for_each_other_for_ever(ledger: Ledger) -> None:
    run_id = enter(ledger, 200, scorers=[{"name": "simulated", "batch_size": 100}])
    for edit in job_ids(ledger, Stage.EDIT, run_id):
        finish_edit(ledger, claimed(ledger, edit), IMAGE, seconds=0.1, detail={})

    def work(number: int) -> None:
        for _ in range(40):
            if number < 2:
                ledger.renew(owner(9).process)
            else:
                ledger.cancel(run_id)
                ledger.resume(run_id)
                ledger.claim_scores(true(), claimant(owner(9)), 100)

    at_once(4, work)
