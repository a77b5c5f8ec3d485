"""What a watch writes where there is no terminal."""

from __future__ import annotations

import pytest

from db.jobs import Failure
from db.lately import Lately
from db.ledger import Ledger
from db.owner import Process
from db.presence import enter_worker
from db.queries import progress_of
from db.tables import FailureKind
from producer.watch import lines as writing
from producer.watch.lines import line_of
from producer.watch.look import Look
from tests.producer.by_hand import RunByHand
from tests.producer.watch.watched import Steps, found, idle, moving, watched, worked_off


def seen(run: RunByHand) -> Look:
    """Return what a look sees when nothing was finished lately."""
    return Look(progress_of(run.ledger.engine, run.id), Lately(now=0, finished=(), unparsed=0), rows=())


def test_in_a_pipe_there_is_one_line_at_first_and_one_at_the_end(ledger: Ledger) -> None:
    run = RunByHand(ledger, [("物理", "a")])

    shown = watched(run, Steps(idle, idle, idle, lambda: run.fail_edit("a")))

    assert shown == (
        f"run {run.id}: edits 0/1, scores 0/2, failed 0\n"
        f"run {run.id}: edits 1/1, scores 0/0, failed 1\n"
    )  # fmt: skip


def test_a_finished_run_shows_no_workers_any_more(ledger: Ledger) -> None:
    run = RunByHand(ledger, [("物理", "a")])
    enter_worker(ledger.engine, "edit-gpu3@h", Process("host/1", 7, "100"), "3")

    shown = watched(run, Steps(idle, lambda: run.fail_edit("a")))

    _, row, last = shown.splitlines()
    assert (row, last) == ("  [GPU 3]  begins", f"run {run.id}: edits 1/1, scores 0/0, failed 1")


def test_in_a_pipe_a_line_comes_whenever_the_time_is_up(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "LINE_SECONDS", 0)
    run = RunByHand(ledger, [("物理", "a")])

    shown = watched(run, Steps(idle, idle, lambda: run.fail_edit("a")))

    assert shown.count("\n") == 4


def test_the_line_counts_what_ended_of_all_that_was_asked(ledger: Ledger) -> None:
    run = RunByHand(ledger)
    run.edit("a", "b")
    run.start_edit("c")
    run.score("a", "严", 6)
    run.fail_score("a", "宽")
    run.start_score("b", "宽")

    line = line_of(found(run), seen(run))

    assert line == f"run {run.id}: edits 2/3, scores 2/6, failed 1"


def test_the_line_never_asks_for_scores_of_a_failed_edit(ledger: Ledger) -> None:
    run = worked_off(ledger)

    line = line_of(found(run), seen(run))

    assert line == f"run {run.id}: edits 3/3, scores 4/4, failed 2"


def test_the_line_says_how_fast_a_stage_goes_and_what_time_is_left(ledger: Ledger) -> None:
    run = RunByHand(ledger)
    run.edit("a")

    assert line_of(found(run), moving(run)) == f"run {run.id}: edits 1/3 (6.0/min, 20 s left), scores 0/6, failed 0"


def test_a_stage_that_has_ended_has_no_rate(ledger: Ledger) -> None:
    run = worked_off(ledger)

    assert line_of(found(run), moving(run)).startswith(f"run {run.id}: edits 3/3, ")


def test_the_line_counts_what_was_unparsed_among_what_failed(ledger: Ledger) -> None:
    run = RunByHand(ledger)
    run.edit("a")
    claims = [run.start_score("a", label) for label in ("严", "宽")]
    for claim, kind in zip(claims, (FailureKind.UNPARSED, FailureKind.MODEL), strict=True):
        ledger.fail(claim, Failure(kind, "said nothing"))
    ledger.cancel(run.id)

    assert "failed 2 (1 unparsed)" in watched(run)
