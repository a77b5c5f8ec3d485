"""When a child's work sends messages: as long as few wait, and as long as a broker takes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from db.doorbells import ENOUGH
from db.jobs import Done, Doorbell
from db.ledger import Ledger
from db.tables import Stage, State
from tests.db.steps import IMAGE, claimed, job, job_ids, queued_edit
from tests.factories import enter
from workers.stint.ringing import LOOK_SECONDS, Ringer

pytestmark = pytest.mark.usefixtures("ledger")


class Queue:
    """A queue of so many messages, and who asked for its length."""

    def __init__(self, length: int = 0) -> None:
        self.length = length
        self.sent: list[Doorbell] = []
        self.asked = 0
        self.now = 100.0

    def ringer(self, ledger: Ledger) -> Ringer:
        return Ringer(ledger, self.sent.append, waiting=self._waiting, clock=lambda: self.now)

    def _waiting(self) -> dict[Stage, int]:
        self.asked += 1
        return {Stage.EDIT: 0, Stage.SCORE: self.length}


def finish_one(ledger: Ledger, edit_id: int, ringer: Ringer) -> None:
    claim = claimed(ledger, edit_id)
    _, doorbells = ledger.finish_edits([(claim, Done(IMAGE, 1.0))], announced=ringer.is_wanted)
    ringer.ring(doorbells)


def test_scores_are_announced_until_enough_messages_wait_and_again_when_fewer_do(ledger: Ledger) -> None:
    queue = Queue(ENOUGH)
    ringer = queue.ringer(ledger)
    first, second, third = job_ids(ledger, Stage.EDIT, enter(ledger, 3))

    finish_one(ledger, first, ringer)
    finish_one(ledger, second, ringer)
    queue.length, queue.now = ENOUGH - 1, queue.now + LOOK_SECONDS
    ringer.ring([])
    finish_one(ledger, third, ringer)

    scores = [job(ledger, Stage.SCORE, number) for number in (1, 2, 3)]
    assert [score.edit_id for score in scores] == [first, second, third]
    assert [score.published_at is None for score in scores] == [False, True, False]
    assert [doorbell.job_id for doorbell in queue.sent] == [1, 3]
    assert {score.state for score in scores} == {State.QUEUED}


def test_the_length_of_the_queue_is_asked_for_once_a_second_at_most(ledger: Ledger) -> None:
    queue = Queue()
    ringer = queue.ringer(ledger)

    for _ in range(3):
        ringer.ring([Doorbell(Stage.SCORE, 1, "normal")])
    assert queue.asked == 1
    queue.now += LOOK_SECONDS
    ringer.ring([Doorbell(Stage.SCORE, 1, "normal")])

    assert queue.asked == 2


def raises(*_: object) -> Any:
    raise ConnectionRefusedError("no broker")


@pytest.mark.parametrize(("send", "owed"), [(raises, True), (lambda _doorbell: None, False)])
def test_a_broker_that_is_gone_owes_only_what_it_did_not_take(
    ledger: Ledger, send: Callable[[Doorbell], None], owed: bool
) -> None:
    ringer = Ringer(ledger, send, waiting=raises)

    finish_one(ledger, queued_edit(ledger), ringer)

    assert (job(ledger, Stage.SCORE, 1).published_at is None) is owed
    assert ringer.is_wanted
