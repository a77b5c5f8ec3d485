"""What the ledger answers when it is asked about runs."""

from __future__ import annotations

import pytest

from db.engine import transaction
from db.errors import UnknownRun, WrongCall
from db.ledger import Ledger
from db.queries import all_runs, find_run, progress_of, working
from db.tables import Stage, State, runs
from tests.conftest import Clock
from tests.db.steps import (
    FAULT,
    IMAGE,
    claim_edit,
    claimed,
    claimed_scores,
    finish_edit,
    finish_score,
    job_ids,
    owner,
    queued_scores,
)
from tests.factories import enter


def enter_three_runs(ledger: Ledger) -> list[str]:
    """Enter runs whose times of entry lie a second apart; return their ids, the oldest first."""
    run_ids = [enter(ledger, seed=seed) for seed in range(3)]
    with transaction(ledger.engine) as connection:
        for created_at, run_id in enumerate(run_ids):
            connection.execute(runs.update().where(runs.c.id == run_id).values(created_at=float(created_at)))
    return run_ids


# -- runs --------------------------------------------------------------------------------------------------------------


def test_a_run_is_found_by_its_id_and_by_its_beginning(ledger: Ledger) -> None:
    for run_id in enter_three_runs(ledger):
        assert find_run(ledger.engine, run_id).id == run_id
        assert find_run(ledger.engine, run_id[:8]).id == run_id


def test_the_latest_run_is_the_one_that_was_entered_last(ledger: Ledger) -> None:
    run_ids = enter_three_runs(ledger)
    assert find_run(ledger.engine, "latest").id == run_ids[-1]
    assert [run.id for run in all_runs(ledger.engine)] == run_ids[::-1]


def test_a_run_says_what_was_asked_of_which_benchmark(ledger: Ledger) -> None:
    run = find_run(ledger.engine, enter(ledger, 2, seed=5, priority="low"))
    assert (run.benchmark_name, run.sample_count, run.priority) == ("made up", 2, "low")
    assert run.configuration["seed"] == 5


def test_a_run_that_is_not_there_is_named(ledger: Ledger) -> None:
    with pytest.raises(UnknownRun, match=r"^the ledger has no run yet \((sqlite|postgresql)\S+, as FARM_HOME"):
        find_run(ledger.engine, "latest")
    with pytest.raises(UnknownRun, match=r"^the ledger has no run 'beef'$"):
        find_run(ledger.engine, "beef")


def test_a_beginning_that_fits_two_runs_is_refused(ledger: Ledger) -> None:
    by_beginning: dict[str, str] = {}
    for seed in range(20):  # sixteen digits: two of these begin alike
        run_id = enter(ledger, seed=seed)
        if by_beginning.setdefault(run_id[0], run_id) != run_id:
            break
    with pytest.raises(WrongCall, match=f"^more than one run begins with '{run_id[0]}': give more of its id$"):
        find_run(ledger.engine, run_id[0])


@pytest.mark.parametrize("wildcard", ["%", "_" * 12])
def test_a_wildcard_is_no_beginning(ledger: Ledger, wildcard: str) -> None:
    enter(ledger)
    with pytest.raises(UnknownRun):
        find_run(ledger.engine, wildcard)


# -- progress ----------------------------------------------------------------------------------------------------------


def test_progress_counts_the_jobs_of_both_stages_by_state(ledger: Ledger) -> None:
    run_id = enter(ledger, 4, scorers=["simulated", "reference"])
    enter(ledger, 4, seed=1)
    done, failed, running, _queued = job_ids(ledger, Stage.EDIT, run_id)
    finish_edit(ledger, claimed(ledger, done), IMAGE, seconds=1.0, detail={})
    ledger.fail(claimed(ledger, failed), FAULT)
    claimed(ledger, running)
    progress = progress_of(ledger.engine, run_id)
    assert progress.edits.by_state == {State.DONE: 1, State.FAILED: 1, State.RUNNING: 1, State.QUEUED: 1}
    assert (progress.edits.total, progress.edits.open, progress.edits.ended) == (4, 2, 2)
    assert progress.scores.by_state == {State.QUEUED: 2}
    assert progress.scores_asked == 3 * 2  # what has failed is never scored
    assert not progress.finished


def test_a_run_whose_jobs_have_all_ended_is_finished_and_complete_only_if_all_are_done(ledger: Ledger) -> None:
    run_id = enter(ledger, 2)
    first, second = job_ids(ledger, Stage.EDIT, run_id)
    finish_edit(ledger, claimed(ledger, first), IMAGE, seconds=1.0, detail={})
    ledger.fail(claimed(ledger, second), FAULT)
    assert not progress_of(ledger.engine, run_id).finished
    [score] = job_ids(ledger, Stage.SCORE, run_id)
    finish_score(ledger, claimed_scores(ledger, [score])[0], 5.0, seconds=1.0, detail={})
    progress = progress_of(ledger.engine, run_id)
    assert (progress.finished, progress.complete) == (True, False)
    ledger.retry(run_id)
    finish_edit(ledger, claimed(ledger, second), IMAGE, seconds=1.0, detail={})
    _, score = job_ids(ledger, Stage.SCORE, run_id)
    ledger.fail(claimed_scores(ledger, [score])[0], FAULT)
    assert not progress_of(ledger.engine, run_id).complete
    ledger.retry(run_id)
    finish_score(ledger, claimed_scores(ledger, [score])[0], 5.0, seconds=1.0, detail={})
    assert progress_of(ledger.engine, run_id).complete


def test_workers_are_named_with_what_they_are_at(ledger: Ledger, clock: Clock) -> None:
    run_id = enter(ledger, 3)
    first, second, _third = job_ids(ledger, Stage.EDIT, run_id)
    claim_edit(ledger, first, owner(1), "gpu-1")
    began = clock.now
    clock.now += 5
    claim_edit(ledger, second, owner(2), "gpu-0")
    found = working(ledger.engine, run_id)
    assert [(worker.name, worker.stage, worker.keys, worker.since) for worker in found] == [
        ("gpu-0", Stage.EDIT, ["p-1"], began + 5),
        ("gpu-1", Stage.EDIT, ["p-0"], began),
    ]


def test_a_worker_at_a_batch_is_named_once_with_all_of_it(ledger: Ledger) -> None:
    scores = queued_scores(ledger, 3)
    claimed_scores(ledger, scores)
    [worker] = working(ledger.engine, find_run(ledger.engine, "latest").id)
    assert (worker.stage, sorted(worker.keys)) == (Stage.SCORE, ["p-0", "p-1", "p-2"])
