"""Messages: each is owed once, sent once, and found again when it is lost."""

from __future__ import annotations

import pytest

from db import doorbells
from db.doorbells import ENOUGH, QUIET_SECONDS, owe_lost, ring, ring_owed, take_owed
from db.jobs import Doorbell, Failure
from db.ledger import Ledger
from db.tables import FailureKind, Stage
from db.transitions import BACK_OFF_SECONDS
from tests.conftest import Clock
from tests.db.steps import claimed, claimed_scores, job, job_ids, owner, queued_edit, queued_scores
from tests.db.test_ledger_threads import at_once
from tests.factories import enter


class BrokerDown(Exception):
    """What a send may raise."""


class Broker:
    """A queue that takes so many messages and then breaks down."""

    def __init__(self, room: int = 1_000_000) -> None:
        self.room = room
        self.messages: list[Doorbell] = []

    def send(self, doorbell: Doorbell) -> None:
        if len(self.messages) >= self.room:
            raise BrokerDown
        self.messages.append(doorbell)

    @property
    def job_ids(self) -> list[int]:
        return [doorbell.job_id for doorbell in self.messages]


def announced_edits(ledger: Ledger, count: int) -> list[int]:
    """Enter a run whose messages have all been sent."""
    edits = job_ids(ledger, Stage.EDIT, enter(ledger, count))
    assert len(take_owed(ledger, Stage.EDIT)) == count
    return edits


def owed(ledger: Ledger, edits: list[int]) -> list[int]:
    return [edit for edit in edits if job(ledger, Stage.EDIT, edit).published_at is None]


# -- owed and sent -----------------------------------------------------------------------------------------------------


def test_a_message_is_taken_once(ledger: Ledger, clock: Clock) -> None:
    edits = job_ids(ledger, Stage.EDIT, enter(ledger, 2, priority="low"))
    assert take_owed(ledger, Stage.EDIT) == [Doorbell(Stage.EDIT, edit, "low") for edit in edits]
    assert take_owed(ledger, Stage.EDIT) == []
    assert job(ledger, Stage.EDIT, edits[0]).published_at == clock.now


def test_a_message_is_taken_by_one_of_many(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorbells, "AT_ONCE", 5)
    edits = job_ids(ledger, Stage.EDIT, enter(ledger, 20))
    taken = at_once(4, lambda _number: take_owed(ledger, Stage.EDIT))
    ids = [doorbell.job_id for batch in taken for doorbell in batch]
    assert sorted(ids) == sorted(set(ids))
    ids.extend(doorbell.job_id for doorbell in take_owed(ledger, Stage.EDIT))
    assert set(ids) <= set(edits)


def test_each_stage_owes_its_own(ledger: Ledger) -> None:
    queued_edit(ledger)
    assert take_owed(ledger, Stage.SCORE) == []
    assert len(take_owed(ledger, Stage.EDIT)) == 1


def test_only_what_waits_owes_a_message(ledger: Ledger) -> None:
    running, queued = job_ids(ledger, Stage.EDIT, enter(ledger, 2))
    claimed(ledger, running)
    assert [doorbell.job_id for doorbell in take_owed(ledger, Stage.EDIT)] == [queued]


def test_a_job_that_was_begun_before_goes_in_front(ledger: Ledger) -> None:
    first, second = job_ids(ledger, Stage.EDIT, enter(ledger, 2))
    claimed(ledger, second)
    ledger.hand_back(owner().process, "killed by signal 9")

    assert take_owed(ledger, Stage.EDIT) == [
        Doorbell(Stage.EDIT, first, "normal"),
        Doorbell(Stage.EDIT, second, "normal", again=True),
    ]


def test_a_job_owes_nothing_before_its_time(ledger: Ledger, clock: Clock) -> None:
    edit = queued_edit(ledger)
    ledger.fail(claimed(ledger, edit), Failure(FailureKind.STORE, "disk full", again=True))
    clock.now += BACK_OFF_SECONDS - 1
    assert take_owed(ledger, Stage.EDIT) == []
    clock.now += 1
    assert len(take_owed(ledger, Stage.EDIT)) == 1


def test_the_scores_of_a_finished_edit_owe_nothing_more(ledger: Ledger) -> None:
    queued_scores(ledger)
    assert take_owed(ledger, Stage.SCORE) == []


def test_a_send_that_fails_owes_the_rest_again_and_the_error_goes_on(ledger: Ledger) -> None:
    edits = job_ids(ledger, Stage.EDIT, enter(ledger, 4))
    broker = Broker(room=1)
    with pytest.raises(BrokerDown):
        ring(ledger, take_owed(ledger, Stage.EDIT), broker.send)
    assert broker.job_ids == edits[:1]
    assert owed(ledger, edits) == edits[1:]


def test_an_interrupt_amid_the_sending_loses_no_message(ledger: Ledger) -> None:
    edits = job_ids(ledger, Stage.EDIT, enter(ledger, 2))

    def interrupted(_doorbell: Doorbell) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ring_owed(ledger, interrupted)
    assert owed(ledger, edits) == edits


def test_all_that_is_owed_is_sent_however_much_it_is(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorbells, "AT_ONCE", 3)
    edits = job_ids(ledger, Stage.EDIT, enter(ledger, 8))
    broker = Broker()
    assert ring_owed(ledger, broker.send) == 8
    assert broker.job_ids == edits
    assert ring_owed(ledger, broker.send) == 0


def test_both_stages_are_rung(ledger: Ledger, clock: Clock) -> None:
    [score] = queued_scores(ledger)
    [edit] = job_ids(ledger, Stage.EDIT, enter(ledger, seed=1))
    claimed_scores(ledger, [score])
    clock.now += 30
    ledger.hand_back_lost()
    broker = Broker()
    ring_owed(ledger, broker.send)
    assert broker.messages == [Doorbell(Stage.EDIT, edit, "normal"), Doorbell(Stage.SCORE, score, "normal", again=True)]


# -- lost --------------------------------------------------------------------------------------------------------------


def test_a_message_that_the_queue_still_holds_is_not_lost(ledger: Ledger, clock: Clock) -> None:
    edits = announced_edits(ledger, 3)
    clock.now += 10 * QUIET_SECONDS
    assert owe_lost(ledger, Stage.EDIT, messages_in_queue=3) == 0
    assert owed(ledger, edits) == []


def test_no_more_messages_are_owed_than_are_missing_and_the_oldest_first(ledger: Ledger, clock: Clock) -> None:
    edits = announced_edits(ledger, 4)
    clock.now += 1
    _say_again(ledger, edits[:1])
    clock.now += QUIET_SECONDS + 1
    assert owe_lost(ledger, Stage.EDIT, messages_in_queue=2) == 2
    assert set(owed(ledger, edits)) < set(edits[1:])


def test_a_message_that_was_just_sent_is_not_lost(ledger: Ledger, clock: Clock) -> None:
    edits = announced_edits(ledger, 3)
    clock.now += QUIET_SECONDS
    assert owe_lost(ledger, Stage.EDIT, messages_in_queue=0) == 0
    clock.now += 1
    assert owe_lost(ledger, Stage.EDIT, messages_in_queue=0) == 3
    assert owed(ledger, edits) == edits


def test_a_job_that_waits_behind_a_back_off_misses_no_message(ledger: Ledger, clock: Clock) -> None:
    [edit] = announced_edits(ledger, 1)
    clock.now += 10 * QUIET_SECONDS
    ledger.fail(claimed(ledger, edit), Failure(FailureKind.STORE, "disk full", again=True))
    assert owe_lost(ledger, Stage.EDIT, messages_in_queue=0) == 0


def test_what_runs_misses_no_message(ledger: Ledger, clock: Clock) -> None:
    [edit] = announced_edits(ledger, 1)
    claimed(ledger, edit)
    clock.now += 10 * QUIET_SECONDS
    assert owe_lost(ledger, Stage.EDIT, messages_in_queue=0) == 0


def test_a_broker_that_lost_everything_is_filled_again_however_much_it_was(ledger: Ledger, clock: Clock) -> None:
    enter(ledger, 35, repeats=100)  # more than are owed again in one statement
    with ledger.write() as (connection, now):
        connection.exec_driver_sql(f"UPDATE edits SET published_at = {now}")
    clock.now += QUIET_SECONDS + 1
    assert owe_lost(ledger, Stage.EDIT, messages_in_queue=0) == 3_500


def _say_again(ledger: Ledger, edits: list[int]) -> None:
    doorbells.owe_again(ledger, [Doorbell(Stage.EDIT, edit, "normal") for edit in edits])
    assert len(take_owed(ledger, Stage.EDIT)) == len(edits)


def test_a_queue_that_is_long_enough_gets_no_more(ledger: Ledger) -> None:
    enter(ledger, 3)
    broker = Broker()

    assert ring_owed(ledger, broker.send, {Stage.EDIT: ENOUGH}) == 0
    assert ring_owed(ledger, broker.send, {Stage.EDIT: ENOUGH - 2}) == 2
    assert ring_owed(ledger, broker.send) == 1
