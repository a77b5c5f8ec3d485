"""The ledger's time: what a clock that was set back has left is brought back."""

from __future__ import annotations

from db.doorbells import take_owed
from db.ledger import Ledger
from db.tables import Stage, State
from tests.conftest import Clock
from tests.db.steps import PASSING_FAULT, claim_edit, claimed, job, job_ids, owner
from tests.factories import enter


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
