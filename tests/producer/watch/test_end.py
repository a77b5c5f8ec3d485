"""When a watch ends, and through what it goes on."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import OperationalError

from db.ledger import Ledger
from db.owner import Process
from db.presence import enter_worker
from producer import watch as watching
from tests.db.steps import finish_edit
from tests.producer.by_hand import RunByHand
from tests.producer.watch.watched import Steps, idle, watched, worked_off


def test_a_finished_run_ends_the_watch_at_the_first_look(ledger: Ledger) -> None:
    check = Steps()

    assert watched(worked_off(ledger), check).count("\n") == 1
    assert check.looks == 0


def test_the_watch_ends_when_the_last_job_has_ended(ledger: Ledger) -> None:
    run = RunByHand(ledger, [("物理", "a")], scorers=["simulated"])
    claims = []
    check = Steps(
        lambda: claims.append(run.start_edit("a")),
        lambda: finish_edit(ledger, claims[0], "0" * 64, seconds=1, detail={}),
        idle,
        lambda: run.score("a", "simulated", 5),
    )

    watched(run, check)

    assert check.looks == 4


def test_a_cancelled_run_ends_the_watch(ledger: Ledger) -> None:
    run = RunByHand(ledger)

    assert "edits 3/3" in watched(run, Steps(idle, lambda: ledger.cancel(run.id)))


@pytest.mark.parametrize("terminal", [False, True])
def test_what_the_check_raises_ends_the_watch(ledger: Ledger, terminal: bool) -> None:
    class FarmIsGone(Exception):
        pass

    def gone() -> None:
        raise FarmIsGone

    with pytest.raises(FarmIsGone):
        watched(RunByHand(ledger), Steps(idle, gone), terminal=terminal)


def hide_scorers(ledger: Ledger) -> None:
    """Make every question about the run an OperationalError."""
    _rename(ledger, "run_scorers", "hidden")


def show_scorers(ledger: Ledger) -> None:
    _rename(ledger, "hidden", "run_scorers")


def _rename(ledger: Ledger, table: str, name: str) -> None:
    with ledger.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA legacy_alter_table = ON")  # what refers to the table stays as it is
        connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO {name}")
        connection.commit()


def test_a_database_that_answers_again_in_time_costs_the_watch_nothing(ledger: Ledger) -> None:
    run = RunByHand(ledger, [("物理", "a")])
    check = Steps(lambda: hide_scorers(ledger), idle, lambda: show_scorers(ledger), idle, lambda: run.fail_edit("a"))

    shown = watched(run, check)

    assert "edits 1/1" in shown
    assert shown.count("the database does not answer (no such table: run_scorers); waiting for it") == 1
    assert check.looks == 5


def test_a_database_that_goes_away_between_two_questions_costs_the_watch_nothing(ledger: Ledger) -> None:
    run = RunByHand(ledger, [("物理", "a")])
    enter_worker(ledger.engine, "edit-gpu3@h", Process("host/1", 7, "100"), "3")
    check = Steps(
        lambda: _rename(ledger, "workers", "hidden"),
        lambda: _rename(ledger, "hidden", "workers"),
        lambda: run.fail_edit("a"),
    )

    shown = watched(run, check)

    assert shown.count("the database does not answer (no such table: workers); waiting for it") == 1
    assert check.looks == 3


def test_the_check_is_told_of_the_workers_also_while_the_database_is_silent(ledger: Ledger) -> None:
    run = RunByHand(ledger, [("物理", "a")])
    enter_worker(ledger.engine, "edit-gpu3@h", Process("host/1", 7, "100"), "3")
    told: list[str] = []
    check = Steps(
        lambda: hide_scorers(ledger),
        lambda: told.extend(worker.name for worker in check.present),
        lambda: show_scorers(ledger),
        lambda: run.fail_edit("a"),
    )

    watched(run, check)

    assert told == ["edit-gpu3@h"]


def test_a_database_that_stays_silent_ends_the_watch(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "PATIENCE_SECONDS", 0.05)
    run = RunByHand(ledger, [("物理", "a")])
    hide_scorers(ledger)

    with pytest.raises(OperationalError):
        watched(run)
