"""What workers know of each other when they claim: where each sits, and what is still to come from others."""

from __future__ import annotations

import itertools

import pytest

from db.ledger import Ledger
from db.seats import Seat, living_seats, take_seat
from db.tables import Stage
from tests.conftest import Clock
from tests.db.steps import IMAGE, claimed, finish_edit, job_ids
from tests.factories import enter
from tests.workers.stint.small_farm import (
    BOTH,
    EDIT,
    PARENT,
    SCORE,
    Worker,
    heard_of,
    make_all_edits,
    seated,
    states,
    taking,
)
from workers.stint.batch_sizes import BatchSizes
from workers.stint.pace import Pace
from workers.stint.supply import Said, Supply

# -- seen by others ----------------------------------------------------------------------------------------------------


def test_others_see_at_what_a_worker_is_and_for_how_long(ledger: Ledger, worker: Worker) -> None:
    run_id = enter(ledger, 20)
    taking(ledger)
    worker.takes()
    seat = worker.seat
    assert (seat.stages, seat.stage, seat.run_id, seat.idle, seat.pace) == (BOTH, Stage.EDIT, run_id, False, 1.0)
    assert seat.ready_in == pytest.approx(40.0)  # 30 s to load, 10 s to edit

    worker.pace.pace = 2.0
    worker.takes()
    assert worker.seat.ready_in == pytest.approx(5.0)
    assert worker.seat.pace == 2.0


def test_what_is_taken_ahead_comes_on_top_of_the_present_job(ledger: Ledger, worker: Worker) -> None:
    enter(ledger, 20)
    taking(ledger)
    worker.takes()
    worker.pace.begins(1000.0)
    worker.takes(ahead=True)
    assert worker.seat.ready_in == pytest.approx(1010.0, abs=1.0)


def test_a_worker_without_work_is_seen_to_rest_and_to_work_again(ledger: Ledger, worker: Worker) -> None:
    enter(ledger, 1)
    taking(ledger)
    worker.takes()
    worker.supply.rest()
    assert (worker.seat.idle, worker.seat.ready_in) == (True, 0.0)
    enter(ledger, 1, seed=1)
    worker.takes()
    assert not worker.seat.idle


@pytest.mark.parametrize(
    ("others", "stages", "seconds"),
    [(0, BOTH, 0.25), (15, BOTH, 0.25), (63, BOTH, 1.0), (399, BOTH, 5.0), (399, {Stage.SCORE}, 0.25)],
)
def test_the_more_workers_wait_for_either_stage_the_less_often_each_looks(
    ledger: Ledger, worker: Worker, others: int, stages: set[Stage], seconds: float
) -> None:
    enter(ledger, 2)
    taking(ledger)
    worker.takes()
    with ledger.write() as (connection, now):
        for number in range(others):
            take_seat(connection, now, Seat(f"other-{number}", frozenset(stages), Stage.SCORE, idle=True), PARENT, "")
    seated(ledger, "at-work", Stage.EDIT)
    worker.supply.rest()
    worker.supply.forget()
    assert worker.supply.has_more_to_come(BOTH)
    assert worker.supply.longest_wait() == seconds


def test_who_never_worked_need_not_say_that_it_rests(ledger: Ledger, worker: Worker) -> None:
    worker.supply.rest()
    with ledger.read() as (connection, now):
        assert living_seats(connection, now) == []


def test_two_that_begin_one_after_another_share_the_stages(ledger: Ledger) -> None:
    run_id = enter(ledger, 40, scorers=[{"name": "simulated", "batch_size": 1}])
    for edit in job_ids(ledger, Stage.EDIT, run_id)[:30]:
        finish_edit(ledger, claimed(ledger, edit), IMAGE, seconds=1.0)
    taking(ledger, edit=10.0, score=10.0)
    first, second = Worker(ledger, "a"), Worker(ledger, "b")
    # 100 s of edits, 400 s of scores: both begin where the most is, but one must make the edits
    assert {first.takes().opening.stage, second.takes().opening.stage} == {Stage.EDIT, Stage.SCORE}


def test_a_newcomer_that_is_to_score_is_seen_there_before_there_is_a_score(ledger: Ledger) -> None:
    enter(ledger, 40)
    taking(ledger, edit=10.0, score=12.0)  # 480 s of scores, enough for one of two
    first, second = Worker(ledger, "a"), Worker(ledger, "b")
    assert first.takes().opening.stage is Stage.EDIT
    assert second.take() is None
    assert (second.seat.stage, second.seat.idle) == (Stage.SCORE, True)
    judge = second.supply.model_to_come()
    assert judge is not None and judge.stage is Stage.SCORE


def test_of_two_editors_with_no_edits_left_one_stays_where_one_is_enough(ledger: Ledger, clock: Clock) -> None:
    enter(ledger, 4, scorers=[{"name": "simulated", "batch_size": 2}])
    taking(ledger)
    first, second = Worker(ledger, "a"), Worker(ledger, "b")
    blocks = [(one, one.takes()) for one in (first, second, first, second)]
    assert {block.opening.stage for _, block in blocks} == {Stage.EDIT}
    for one, block in blocks:
        one.ends(block)

    assert first.takes().opening.stage is Stage.SCORE
    clock.now += 32  # its judge is loaded and has given two scores
    heard_of(ledger, clock.now)
    assert second.take() is None  # the two that are left are given before another judge would be loaded
    assert (first.seat.stage, second.seat.stage) == (Stage.SCORE, Stage.EDIT)
    assert states(ledger, Stage.SCORE) == {"running": 2, "queued": 2}


# -- waiting -----------------------------------------------------------------------------------------------------------


def test_a_batch_that_is_not_full_is_filling_while_edits_are_still_to_come(ledger: Ledger) -> None:
    run_id = enter(ledger, 8, scorers=[{"name": "simulated", "batch_size": 4}])
    taking(ledger)
    made, scorer = job_ids(ledger, Stage.EDIT, run_id), Worker(ledger, "s", SCORE)

    def is_filling() -> bool:
        scorer.supply.forget()
        return scorer.supply.is_filling(SCORE)

    found = [is_filling()]
    for edit in made:
        finish_edit(ledger, claimed(ledger, edit), IMAGE, seconds=1.0)
        found.append(is_filling())
    #         none   1     2     3     4 and more
    assert found == [False, True, True, True, False, False, False, False, False]
    scorer.ends(scorer.takes())
    scorer.ends(scorer.takes())
    assert not is_filling()


def test_the_last_batch_fills_no_more(ledger: Ledger) -> None:
    make_all_edits(ledger, enter(ledger, 3, scorers=[{"name": "simulated", "batch_size": 4}]))
    assert not Worker(ledger, "s", SCORE).supply.is_filling(SCORE)


def test_more_is_to_come_as_long_as_anything_is_open_that_this_worker_serves(ledger: Ledger) -> None:
    enter(ledger, 1)
    editor, scorer = Worker(ledger, "e", EDIT), Worker(ledger, "s", SCORE)

    def more() -> tuple[bool, bool]:
        for one in (editor, scorer):
            one.supply.forget()
        return editor.supply.has_more_to_come(EDIT), scorer.supply.has_more_to_come(SCORE)

    found = [more()]
    block = editor.takes()
    found.append(more())
    editor.ends(block)
    found.append(more())
    block = scorer.takes()
    found.append(more())
    scorer.ends(block)
    found.append(more())
    assert found == [(True, True), (True, True), (False, True), (False, True), (False, False)]


def test_the_judge_of_scores_that_are_to_come_is_had_ready(ledger: Ledger) -> None:
    enter(ledger, 2)
    taking(ledger)
    scorer = Worker(ledger, "s", SCORE)
    assert scorer.supply.model_to_come() is None  # it has not begun: nothing is known of where it will be

    editor = Worker(ledger, "e", EDIT)
    editor.ends(editor.takes())
    scorer.ends(scorer.takes())
    scorer.pace.resident = None
    scorer.supply.forget()
    coming = scorer.supply.model_to_come()
    assert coming is not None and coming.stage is Stage.SCORE
    scorer.pace.resident = coming.key
    assert scorer.supply.model_to_come() is None


def test_what_was_seen_is_used_again_for_a_hundred_times_as_long_as_the_look_took(ledger: Ledger) -> None:
    run_id = enter(ledger, 1)
    now = [0.0]

    def clock() -> float:
        now[0] += 0.25  # it is asked twice in a look: that takes half a second
        return now[0]

    supply = Supply(ledger, Seat("w", EDIT), Said(PARENT, ""), pace=Pace(), sizes=BatchSizes(), clock=clock)
    assert supply.has_more_to_come(EDIT)
    ledger.cancel(run_id)
    now[0] = 50.0
    assert supply.has_more_to_come(EDIT)
    now[0] = 51.0
    assert not supply.has_more_to_come(EDIT)


def test_what_is_to_be_forgotten_is_looked_at_anew(ledger: Ledger) -> None:
    run_id = enter(ledger, 1)
    supply = Supply(
        ledger, Seat("w", EDIT), Said(PARENT, ""), pace=Pace(), sizes=BatchSizes(), clock=itertools.count().__next__
    )
    assert supply.has_more_to_come(EDIT)
    ledger.cancel(run_id)
    assert supply.has_more_to_come(EDIT)
    supply.forget()
    assert not supply.has_more_to_come(EDIT)
