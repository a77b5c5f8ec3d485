"""What a worker claims next: small farms on a real ledger, every decision of which can be foretold."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from sqlalchemy import select, update

from db.jobs import Failure
from db.ledger import Ledger
from db.outlook import Lookout, Opening
from db.owner import Process
from db.seats import Seat, living_seats, take_seat
from db.tables import FailureKind, Stage, State, edits, scores, workers
from db.timings import remember
from tests.conftest import Clock
from tests.db.steps import IMAGE, claimant, claimed, finish_edit, finish_score, job, job_ids, owner
from tests.factories import enter
from workers.stint.batch_sizes import BatchSizes
from workers.stint.pace import Pace
from workers.stint.planning import BLOCK_JOBS
from workers.stint.supply import Block, Said, Supply, rehearse

BOTH = frozenset(Stage)
EDIT, SCORE = frozenset({Stage.EDIT}), frozenset({Stage.SCORE})
PARENT = Process("host/1", 7, "100")


class Worker:
    """A pool child without Celery and GPU: it takes jobs, has their model, and ends them when the test says so."""

    def __init__(self, ledger: Ledger, name: str = "w", stages: frozenset[Stage] = BOTH) -> None:
        self.ledger = ledger
        self.stages = stages
        self.name = name
        self.pace, self.sizes = Pace(), BatchSizes()
        self._ticks = itertools.count()
        self.supply = Supply(
            ledger,
            Seat(name, frozenset()),
            Said(PARENT, ""),
            pace=self.pace,
            sizes=self.sizes,
            clock=lambda: float(next(self._ticks)),  # a look never costs so little that it would be used again
        )

    def take(self, *, ahead: bool = False) -> Block | None:
        self.supply.forget()
        return self.supply.take(self.stages, claimant(owner(_number(self.name)), self.name), ahead=ahead)

    def takes(self, *, ahead: bool = False) -> Block:
        """Take what there is, and have its model from then on."""
        block = self.take(ahead=ahead)
        assert block is not None
        if block.opening.fills_gpu:
            self.pace.resident = block.opening.key
        return block

    def ends(self, block: Block) -> None:
        for claim in block.claims:
            if block.opening.stage is Stage.EDIT:
                assert finish_edit(self.ledger, claim, IMAGE, seconds=1.0) is not None  # type: ignore[arg-type]
            else:
                assert finish_score(self.ledger, claim, 5.0, seconds=1.0)  # type: ignore[arg-type]

    @property
    def seat(self) -> Seat:
        """Where others see it."""
        with self.ledger.read() as (connection, now):
            (mine,) = [seat for seat in living_seats(connection, now) if seat.name == self.name]
        return mine


def _number(name: str) -> int:
    return 100 + ord(name)


@pytest.fixture
def worker(ledger: Ledger) -> Worker:
    return Worker(ledger)


def openings(ledger: Ledger) -> list[Opening]:
    with ledger.read() as (connection, now):
        return list(Lookout().look(connection, now).openings)


def taking(ledger: Ledger, *, edit: float = 10.0, score: float = 1.0, load: float = 30.0) -> None:
    """Let it be known what the models of all runs take."""
    for opening in openings(ledger):
        with ledger.write() as (connection, now):
            seconds = edit if opening.stage is Stage.EDIT else score
            remember(connection, now, opening.key, [seconds], load if opening.fills_gpu else 0.0)


def seated(ledger: Ledger, name: str, stage: Stage, **given: Any) -> None:
    """Another worker sits there."""
    with ledger.write() as (connection, now):
        take_seat(connection, now, Seat(name, BOTH, stage, **given), PARENT, "")


def make_all_edits(ledger: Ledger, run_id: str) -> None:
    for edit in job_ids(ledger, Stage.EDIT, run_id):
        finish_edit(ledger, claimed(ledger, edit), IMAGE, seconds=1.0)


def heard_of(ledger: Ledger, now: float) -> None:
    """Every worker's parent has just said that it lives."""
    with ledger.write() as (connection, _):
        connection.execute(update(workers).values(seen_at=now))


def states(ledger: Ledger, stage: Stage) -> dict[str, int]:
    jobs = edits if stage is Stage.EDIT else scores
    with ledger.read() as (connection, _):
        found = list(connection.scalars(select(jobs.c.state)))
    return {state: found.count(state) for state in set(found)}


# -- one worker --------------------------------------------------------------------------------------------------------


def test_where_nothing_waits_nothing_is_taken(worker: Worker) -> None:
    assert worker.take() is None


def test_who_finds_nothing_open_decides_with_which_stage_to_begin_when_there_is_something(
    ledger: Ledger, worker: Worker
) -> None:
    assert worker.take() is None
    with ledger.read() as (connection, now):
        assert [seat.stage for seat in living_seats(connection, now)] == []
    make_all_edits(ledger, enter(ledger, 1))
    block = worker.takes()
    assert block.opening.stage is Stage.SCORE
    assert worker.seat.stage is Stage.SCORE


def test_a_rehearsal_changes_nothing(ledger: Ledger) -> None:
    enter(ledger, 2)
    rehearse(ledger)
    assert states(ledger, Stage.EDIT) == {State.QUEUED: 2}
    with ledger.read() as (connection, now):
        assert living_seats(connection, now) == []


def test_one_worker_makes_all_edits_and_then_gives_all_scores(ledger: Ledger, worker: Worker) -> None:
    enter(ledger, 6, scorers=[{"name": "simulated", "batch_size": 4}])
    taking(ledger)
    taken = []
    while (block := worker.take()) is not None:
        worker.pace.resident = block.opening.key
        taken.append((block.opening.stage.value, len(block.claims)))
        worker.ends(block)
    assert taken == [("edit", 1)] * 6 + [("score", 4), ("score", 2)]


def test_a_worker_takes_only_what_it_serves(ledger: Ledger) -> None:
    run_id = enter(ledger, 2)
    assert Worker(ledger, "s", SCORE).take() is None
    make_all_edits(ledger, run_id)
    assert Worker(ledger, "e", EDIT).take() is None
    assert Worker(ledger, "s", SCORE).takes().opening.stage is Stage.SCORE


def test_a_worker_that_serves_another_stage_from_now_on_does(ledger: Ledger, worker: Worker) -> None:
    make_all_edits(ledger, enter(ledger, 4))
    enter(ledger, 4, seed=1)
    worker.stages = EDIT
    assert worker.takes().opening.stage is Stage.EDIT
    worker.stages = SCORE
    assert worker.takes().opening.stage is Stage.SCORE


def test_jobs_are_taken_in_their_order(ledger: Ledger, worker: Worker) -> None:
    run_id = enter(ledger, 3)
    taking(ledger)
    taken = [claim.job_id for _ in range(3) for claim in worker.takes().claims]
    assert taken == job_ids(ledger, Stage.EDIT, run_id)


def test_a_job_behind_a_back_off_keeps_nobody_from_the_other_stage(ledger: Ledger, worker: Worker) -> None:
    first, second = job_ids(ledger, Stage.EDIT, enter(ledger, 2))
    taking(ledger)
    worker.ends(worker.takes())
    again = worker.takes()
    ledger.fail(again.claims[0], Failure(FailureKind.STORE, "disk full", again=True))
    assert [job(ledger, Stage.EDIT, edit).state for edit in (first, second)] == [State.DONE, State.QUEUED]

    block = worker.takes()
    assert block.opening.stage is Stage.SCORE
    worker.ends(block)
    assert worker.supply.has_more_to_come(BOTH)


def test_a_job_behind_a_back_off_keeps_nobody_from_a_run_that_is_less_urgent(ledger: Ledger, worker: Worker) -> None:
    enter(ledger, 1, priority="high")
    less_urgent = enter(ledger, 1, seed=1, priority="low")
    taking(ledger)
    again = worker.takes()
    assert again.opening.rank == 0
    ledger.fail(again.claims[0], Failure(FailureKind.STORE, "disk full", again=True))

    assert worker.takes().opening.run_id == less_urgent


# -- how many at once --------------------------------------------------------------------------------------------------


def test_many_short_edits_are_taken_at_once_and_fewer_towards_the_end(ledger: Ledger, worker: Worker) -> None:
    enter(ledger, 100)
    taking(ledger, edit=0.01)
    sizes = []
    while (block := worker.take()) is not None and block.opening.stage is Stage.EDIT:
        worker.pace.resident = block.opening.key
        sizes.append(len(block.claims))
    # 50 would take half a second, but half of what waits is left for others
    assert sizes == [50, 25, 12, 6, 3, 2, 1, 1]


def test_no_more_is_taken_than_takes_half_a_second(ledger: Ledger, worker: Worker) -> None:
    enter(ledger, 100)
    taking(ledger, edit=0.05)
    assert len(worker.takes().claims) == 10
    worker.pace.pace = 2.0
    assert len(worker.takes().claims) == 20


def test_never_more_than_so_many_are_taken_at_once(ledger: Ledger, worker: Worker) -> None:
    enter(ledger, 200)
    taking(ledger, edit=0.001)
    assert len(worker.takes().claims) == BLOCK_JOBS == 64


def test_the_more_workers_there_are_the_less_each_takes(ledger: Ledger) -> None:
    worker = Worker(ledger, "w", EDIT)
    enter(ledger, 100)
    taking(ledger, edit=0.01)
    for name in "abcd":
        seated(ledger, name, Stage.EDIT)
    seated(ledger, "e", Stage.SCORE)  # a scorer is no rival
    assert len(worker.takes().claims) == 10


def test_scores_are_taken_in_whole_batches_as_long_as_there_are_enough(ledger: Ledger) -> None:
    make_all_edits(ledger, enter(ledger, 50, scorers=[{"name": "simulated", "batch_size": 8}]))
    taking(ledger, score=0.01)
    worker, sizes = Worker(ledger, "s", SCORE), []
    while (block := worker.take()) is not None:
        sizes.append(len(block.claims))
    # a share of 25 holds three batches; of 26 that are left 13 hold one; the last one is what is left
    assert sizes == [24, 8, 8, 8, 2]


def test_a_batch_is_no_larger_than_the_memory_has_shown_to_take(ledger: Ledger) -> None:
    make_all_edits(ledger, enter(ledger, 8, scorers=[{"name": "simulated", "batch_size": 8}]))
    taking(ledger)
    worker = Worker(ledger, "s", SCORE)
    (judge,) = [one for one in openings(ledger) if one.stage is Stage.SCORE]
    worker.sizes.too_large(judge.model, 7)
    assert len(worker.takes().claims) == 3


# -- ahead -------------------------------------------------------------------------------------------------------------


def test_what_is_taken_ahead_is_what_comes_next(ledger: Ledger, worker: Worker) -> None:
    _, second, *_ = job_ids(ledger, Stage.EDIT, enter(ledger, 4))
    taking(ledger)
    worker.takes()
    assert [claim.job_id for claim in worker.takes(ahead=True).claims] == [second]


def test_nothing_is_taken_ahead_that_another_could_begin_at_once(ledger: Ledger, worker: Worker) -> None:
    enter(ledger, 5)
    taking(ledger)
    worker.takes()
    seated(ledger, "a", Stage.EDIT)
    assert len(worker.takes(ahead=True).claims) == 1  # four wait for two: one each now, one each next
    assert worker.take(ahead=True) is None
    assert worker.take() is not None


def test_no_batch_is_taken_ahead_that_would_not_be_full(ledger: Ledger) -> None:
    make_all_edits(ledger, enter(ledger, 20, scorers=[{"name": "simulated", "batch_size": 8}]))
    taking(ledger)
    worker = Worker(ledger, "s", SCORE)
    worker.takes()
    assert len(worker.takes(ahead=True).claims) == 8
    assert worker.take(ahead=True) is None  # four are left
    assert len(worker.takes().claims) == 4


def test_a_batch_is_taken_ahead_only_while_there_is_one_for_every_scorer(ledger: Ledger) -> None:
    make_all_edits(ledger, enter(ledger, 31, scorers=[{"name": "simulated", "batch_size": 8}]))
    taking(ledger)
    seated(ledger, "other", Stage.SCORE)
    worker = Worker(ledger, "s", SCORE)
    worker.takes()
    assert len(worker.takes(ahead=True).claims) == 8
    assert worker.take(ahead=True) is None  # fifteen are left for two


def test_a_job_that_was_tried_before_is_not_taken_ahead(ledger: Ledger, worker: Worker) -> None:
    tried, *_ = job_ids(ledger, Stage.EDIT, enter(ledger, 20))
    taking(ledger)
    worker.takes()
    ledger.hand_back(owner(_number("w")).process, "killed by signal 9")
    assert worker.take(ahead=True) is None
    [claim] = worker.takes().claims
    assert (claim.job_id, claim.tried_before) == (tried, True)
    assert not worker.takes(ahead=True).claims[0].tried_before


def test_nobody_changes_sides_ahead(ledger: Ledger, worker: Worker) -> None:
    enter(ledger, 1, scorers=[{"name": "simulated", "batch_size": 1}])
    taking(ledger)
    worker.ends(worker.takes())
    assert worker.take(ahead=True) is None
    assert worker.seat.stage is Stage.EDIT
    assert worker.takes().opening.stage is Stage.SCORE


def test_no_model_is_changed_ahead(ledger: Ledger, worker: Worker) -> None:
    first = enter(ledger, 20)
    taking(ledger)
    worker.takes()
    ledger.cancel(first)
    enter(ledger, 20, editor={"name": "simulated", "steps": 3})
    assert worker.take(ahead=True) is None
    assert worker.takes().opening.model.options["steps"] == 3


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


# -- runs that share edits ---------------------------------------------------------------------------------------------


def test_runs_that_ask_for_the_same_edits_have_each_made_once(ledger: Ledger) -> None:
    runs = [enter(ledger, 6, scorers=[{"name": "simulated", "label": label}]) for label in ("a", "b")]
    taking(ledger)
    here, there = Worker(ledger, "x", EDIT), Worker(ledger, "y", EDIT)

    made = []
    while (block := here.take()) is not None:
        other = there.take()
        for worker, taken in ((here, block), (there, other)):
            if taken is not None:
                made += [claim.key for claim in taken.claims]
                worker.ends(taken)

    assert sorted(made) == [f"p-{number}" for number in range(6)]
    assert states(ledger, Stage.EDIT) == {"done": 12}
    assert {len(job_ids(ledger, Stage.SCORE, run)) for run in runs} == {6}


def test_an_edit_that_another_run_has_under_way_is_not_to_be_had(ledger: Ledger) -> None:
    first, second = (enter(ledger, 1, scorers=[{"name": "simulated", "label": label}]) for label in ("a", "b"))
    (busy,) = job_ids(ledger, Stage.EDIT, first)
    claim = claimed(ledger, busy)

    (waiting,) = [one for one in openings(ledger) if one.run_id == second and one.stage is Stage.EDIT]
    assert (waiting.waiting, waiting.running, waiting.shared) == (0, 1, True)
    worker = Worker(ledger)
    assert worker.take() is None
    ledger.release_unbegun([claim])

    assert worker.takes().opening.run_id == first


def test_a_run_that_shares_with_none_that_is_open_is_as_any_other(ledger: Ledger) -> None:
    make_all_edits(ledger, enter(ledger, 1))
    enter(ledger, 1, seed=1)

    assert not any(opening.shared for opening in openings(ledger))
