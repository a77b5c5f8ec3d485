"""Whoever listens to a ledger is told what became of each claim that ended without an outcome."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from db.jobs import HandedBack
from db.ledger import Ledger
from db.tables import Stage, State
from db.transitions import Loss
from tests.conftest import Clock
from tests.db.steps import claimed, job_ids, owner, queued_edit
from tests.factories import enter


@pytest.fixture
def told(ledger: Ledger) -> list[HandedBack]:
    told: list[HandedBack] = []
    ledger.on_handed_back = told.extend
    return told


def test_of_a_dead_process_each_claim_is_told_with_its_run_its_sample_and_why(
    ledger: Ledger, told: list[HandedBack]
) -> None:
    run = enter(ledger, ["p-1", "p-2"])
    first, second = job_ids(ledger, Stage.EDIT, run)
    claimed(ledger, first)
    claimed(ledger, second)

    ledger.hand_back(owner().process, "killed by signal 9")

    assert told == [
        HandedBack(Stage.EDIT, number, 1, run, key, State.QUEUED, "killed by signal 9")
        for number, key in ((first, "p-1"), (second, "p-2"))
    ]


def test_the_last_attempt_is_told_as_failed(ledger: Ledger, told: list[HandedBack]) -> None:
    edit = queued_edit(ledger)
    for number in range(3):
        claimed(ledger, edit, owner(number))
        ledger.hand_back(owner(number).process, "killed by signal 9")

    assert [(one.attempt, one.state) for one in told] == [(1, State.QUEUED), (2, State.QUEUED), (3, State.FAILED)]


def test_a_lease_that_ran_out_is_told_as_such_and_a_dead_process_is_not(
    ledger: Ledger, told: list[HandedBack], clock: Clock
) -> None:
    claimed(ledger, queued_edit(ledger))
    clock.now += 30
    ledger.hand_back_lost()
    claimed(ledger, queued_edit(ledger))
    ledger.hand_back(owner().process, "exit code 1, and it did not renew its lease")

    assert [one.lease_expired for one in told] == [True, False]


def test_what_is_released_is_told_and_what_was_taken_over_before_is_not(
    ledger: Ledger, told: list[HandedBack], clock: Clock
) -> None:
    edit = queued_edit(ledger)
    late = claimed(ledger, edit, owner(1))
    clock.now += 30
    ledger.hand_back_lost()
    successor = claimed(ledger, edit, owner(2))
    told.clear()

    ledger.release_unbegun([late])
    assert told == []
    ledger.release_unbegun([successor])
    ledger.release(owner(2).process)

    assert [(one.job_id, one.attempt, one.state) for one in told] == [(edit, 2, State.QUEUED)]


def test_nothing_is_told_of_what_was_not_committed(ledger: Ledger, told: list[HandedBack]) -> None:
    edit = queued_edit(ledger)
    with pytest.raises(RuntimeError), ledger._handing_back() as back:
        back.losses[Stage.EDIT, edit] = Loss("killed by signal 9")
        raise RuntimeError

    assert told == []


def test_where_nobody_listens_nothing_is_asked_about_what_is_handed_back(ledger: Ledger) -> None:
    claimed(ledger, queued_edit(ledger))
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(ledger.engine, "before_cursor_execute", note)
    assert ledger.hand_back(owner().process, "killed by signal 9") == 1
    event.remove(ledger.engine, "before_cursor_execute", note)

    assert not [statement for statement in asked if "samples" in statement]
