"""What a worker claims next, how many at once, and what ahead."""

from __future__ import annotations

from db.jobs import Failure
from db.ledger import Ledger
from db.seats import living_seats
from db.tables import FailureKind, Stage, State
from tests.db.steps import claimed, job, job_ids, owner
from tests.factories import enter
from tests.workers.stint.small_farm import (
    BOTH,
    EDIT,
    SCORE,
    Worker,
    make_all_edits,
    number_of,
    openings,
    seated,
    states,
    taking,
)
from workers.stint.planning import BLOCK_JOBS
from workers.stint.supply import rehearse

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
    ledger.hand_back(owner(number_of("w")).process, "killed by signal 9")
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
