"""What was finished lately: how fast it goes now, and what does not count."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import update

from db.engine import transaction
from db.jobs import Failure
from db.lately import LATELY_SECONDS, Finished, Lately, finished_lately, nothing_lately
from db.ledger import Ledger
from db.tables import JOB_TABLES, FailureKind, Stage
from tests.db.steps import IMAGE, claimed, claimed_scores, finish_edit, finish_score, job_ids, queued_scores
from tests.factories import enter

NOW = 10_000.0


def lately(*finished: Finished, now: float = NOW) -> Lately:
    return Lately(now, finished, unparsed=0)


def edited(jobs: int, began: float, ended: float, worker: str = "gpu-0") -> Finished:
    """So many edits, the first begun and the last ended so many seconds ago."""
    return Finished(worker, Stage.EDIT, jobs, NOW - began, NOW - ended)


# -- how fast ----------------------------------------------------------------------------------------------------------


def test_the_rate_counts_from_the_beginning_of_the_first_job_to_the_end_of_the_last() -> None:
    assert lately(edited(5, 110, 10)).jobs_per_second(Stage.EDIT) == 0.05


def test_between_the_ends_of_two_long_jobs_the_rate_stays() -> None:
    assert lately(edited(1, 110, 50)).jobs_per_second(Stage.EDIT) == pytest.approx(1 / 60)


def test_what_is_late_makes_the_rate_fall() -> None:
    assert lately(edited(5, 300, 200)).jobs_per_second(Stage.EDIT) == pytest.approx(5 / 300)


def test_the_workers_of_a_stage_add_up() -> None:
    both = lately(edited(5, 110, 10), edited(10, 110, 10, "gpu-1"), Finished("gpu-2", Stage.SCORE, 90, 0, NOW))

    assert both.jobs_per_second(Stage.EDIT) == pytest.approx(0.15)
    assert both.jobs_per_second_of("gpu-1", Stage.EDIT) == pytest.approx(0.1)
    assert both.jobs_per_second_of("gpu-1", Stage.SCORE) == 0


@pytest.mark.parametrize(("jobs", "seconds"), [(20, 400.0), (0, 0.0)])
def test_the_time_left_is_what_is_left_at_that_rate(jobs: int, seconds: float) -> None:
    assert lately(edited(5, 110, 10)).seconds_left(Stage.EDIT, jobs) == seconds


def test_no_time_left_is_told_where_nothing_ended() -> None:
    assert lately().seconds_left(Stage.EDIT, 20) is None
    assert lately(edited(5, 0, 0)).jobs_per_second(Stage.EDIT) == 0  # in no time at all


# -- what counts -------------------------------------------------------------------------------------------------------


def ended(ledger: Ledger, stage: Stage, job_id: int, *, seconds_ago: float, worker: str = "gpu-0") -> None:
    """Let a finished job have been begun 10 seconds before it ended, so many seconds ago."""
    jobs, now = JOB_TABLES[stage], time.time()
    times = {"started_at": now - seconds_ago - 10, "finished_at": now - seconds_ago, "worker": worker}
    with transaction(ledger.engine) as connection:
        connection.execute(update(jobs).where(jobs.c.id == job_id).values(times))


def test_jobs_that_ended_lately_are_counted_by_worker_and_stage_failed_ones_too(ledger: Ledger) -> None:
    run_id = enter(ledger, 4)
    enter(ledger, 2, seed=1)
    first, second, third, _waiting = job_ids(ledger, Stage.EDIT, run_id)
    for edit_id in (first, second):
        finish_edit(ledger, claimed(ledger, edit_id), IMAGE, seconds=1.0)
    ledger.fail(claimed(ledger, third), Failure(FailureKind.INPUT, "unreadable"))
    score = job_ids(ledger, Stage.SCORE, run_id)[0]
    finish_score(ledger, claimed_scores(ledger, [score])[0], 5.0, seconds=1.0)
    ended(ledger, Stage.EDIT, first, seconds_ago=30)
    ended(ledger, Stage.EDIT, second, seconds_ago=20, worker="gpu-1")
    ended(ledger, Stage.EDIT, third, seconds_ago=5)
    ended(ledger, Stage.SCORE, score, seconds_ago=5, worker="gpu-1")

    found = finished_lately(ledger.engine, run_id)

    assert sorted((one.worker, one.stage.value, one.jobs) for one in found.finished) == [
        ("gpu-0", "edit", 2),
        ("gpu-1", "edit", 1),
        ("gpu-1", "score", 1),
    ]
    (of_gpu_0,) = (one for one in found.finished if one.worker == "gpu-0")
    assert of_gpu_0.ended_at - of_gpu_0.began_at == pytest.approx(35, abs=2)
    assert found.now - of_gpu_0.ended_at == pytest.approx(5, abs=5)


def test_what_ended_long_ago_does_not_count(ledger: Ledger) -> None:
    run_id = enter(ledger, 1)
    (edit_id,) = job_ids(ledger, Stage.EDIT, run_id)
    finish_edit(ledger, claimed(ledger, edit_id), IMAGE, seconds=1.0)
    ended(ledger, Stage.EDIT, edit_id, seconds_ago=LATELY_SECONDS + 5)

    assert finished_lately(ledger.engine, run_id).finished == []


def test_edits_taken_over_from_another_run_do_not_count(ledger: Ledger) -> None:
    run_id = enter(ledger, 1)
    (edit_id,) = job_ids(ledger, Stage.EDIT, run_id)
    finish_edit(ledger, claimed(ledger, edit_id), IMAGE, seconds=1.0)
    other = enter(ledger, 1, scorers=["reference"])
    (taken,) = job_ids(ledger, Stage.EDIT, other)
    with transaction(ledger.engine) as connection:
        edits = JOB_TABLES[Stage.EDIT]
        made_for = connection.scalar(edits.select().with_only_columns(edits.c.made_for).where(edits.c.id == taken))

    assert made_for == run_id
    assert finished_lately(ledger.engine, other).finished == []


def test_unparsed_scores_are_counted_however_long_ago(ledger: Ledger) -> None:
    first, second, third = queued_scores(ledger, 3)
    kinds = {first: FailureKind.UNPARSED, second: FailureKind.UNPARSED, third: FailureKind.MODEL}
    for score_id, kind in kinds.items():
        ledger.fail(claimed_scores(ledger, [score_id])[0], Failure(kind, "said nothing"))
        ended(ledger, Stage.SCORE, score_id, seconds_ago=LATELY_SECONDS + 5)
    run_id = enter(ledger, 3)

    assert finished_lately(ledger.engine, run_id).unparsed == 2
    assert nothing_lately(ledger.engine, run_id).unparsed == 2


def test_what_others_have_published_was_never_begun_and_does_not_count(ledger: Ledger) -> None:
    run_id = enter(ledger, 1)
    (edit_id,) = job_ids(ledger, Stage.EDIT, run_id)
    finish_edit(ledger, claimed(ledger, edit_id), IMAGE, seconds=1.0)
    edits = JOB_TABLES[Stage.EDIT]
    with transaction(ledger.engine) as connection:
        connection.execute(edits.update().where(edits.c.id == edit_id).values(started_at=None, worker=None))

    lately = finished_lately(ledger.engine, run_id)

    assert lately.finished == []
    assert lately.seconds_left(Stage.EDIT, 0) == 0.0
