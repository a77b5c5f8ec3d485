"""What a storm would find: its checks can fail."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, update

from db.jobs import Claimant
from db.ledger import Ledger
from db.owner import Owner, this_process
from db.tables import edits
from tests.factories import enter
from tests.farm.storm.checks import history_violations
from tests.farm.storm.history import Change, Struck, claimed_since, read_history, record_changes, struck_jobs
from tests.farm.storm.logs import Outcome, read_logs

JOB = ("edit", 1)


def changes(*states: tuple[str, int], worker: str = "storm-0@host") -> list[Change]:
    """A history that goes through these states and attempts from `queued, 0` on, one a second from 100 on."""
    befores = [("queued", 0), *states]
    return [
        Change(100 + second, before, after, attempt_before, attempt, worker)
        for second, ((before, attempt_before), (after, attempt)) in enumerate(zip(befores, states, strict=False))
    ]


def found(history: Sequence[Change], *attempts_told: int) -> list[str]:
    outcomes = [Outcome(attempt, "storm-0", "now") for attempt in attempts_told]
    return list(history_violations({JOB: history}, {JOB: outcomes}))


@pytest.mark.parametrize("told", [[2], []], ids=["told", "killed before it told"])
def test_a_job_that_is_handed_back_and_done_later_is_in_order(told: list[int]) -> None:
    assert not found(changes(("running", 1), ("queued", 1), ("running", 2), ("done", 2)), *told)


@pytest.mark.parametrize(
    ("history", "told"),
    [
        (changes(("running", 1), ("done", 1)), [1, 1]),
        (changes(("running", 1), ("running", 2), ("done", 2)), [1]),
        (changes(("running", 1), ("done", 1), ("queued", 1)), [1]),
        (changes(("running", 1), ("done", 1), ("running", 2), ("done", 2)), [2]),
        (changes(("running", 1), ("queued", 1), ("done", 1)), [1]),
        (changes(("running", 2), ("done", 2)), [2]),
        (changes(("running", 1)), [1]),
        (changes(("running", 1), ("done", 1))[1:] + changes(("running", 1)), [1]),
    ],
    ids=[
        "told twice",
        "told by the attempt that was fenced off",
        "done and queued again",
        "done twice",
        "done without a claim",
        "two attempts in one claim",
        "told and not in the ledger",
        "something is missing in between",
    ],
)
def test_what_must_never_be_is_found(history: Sequence[Change], told: list[int]) -> None:
    assert found(history, *told)


def test_a_job_is_taken_from_the_worker_that_was_at_it_and_from_no_other() -> None:
    history = {JOB: changes(("running", 1), ("queued", 1), ("running", 2), ("done", 2))}  # at 100, 101, 102, 103

    assert list(struck_jobs(history, "storm-0", 100.5)) == [Struck(JOB, 0.5, 1.5)]
    assert not list(struck_jobs(history, "storm-1", 100.5))
    assert not list(struck_jobs(history, "storm-0", 101.5))  # it waited
    assert not list(struck_jobs(history, "storm-0", 102.5))  # it was done all the same


def test_the_ledger_writes_down_every_change(engine: Engine) -> None:
    record_changes(engine)
    ledger = Ledger(engine)
    enter(ledger, samples=2)
    with engine.begin() as connection:
        first = connection.scalar(select(edits.c.id).order_by(edits.c.id).limit(1)) or 0
    assert ledger.claim_edits(edits.c.id == first, Claimant(Owner(this_process(), "delivery"), "storm-4@host"))
    with engine.begin() as connection:
        connection.execute(update(edits).where(edits.c.id == first).values(started_at=1.0))  # changes no state

    history = read_history(engine)

    ((change,),) = history.values()
    assert (change.before, change.after, change.attempt, change.claims) == ("queued", "running", 1, True)
    assert claimed_since(history, change.at - 1) == {"storm-4"}


def test_torn_and_foreign_lines_of_a_log_are_passed_over(tmp_path: Path) -> None:
    log = tmp_path / "storm-0.log"
    log.write_text(
        '{"event": "edit.done", "job": 1, "attempt": 2, "timestamp": "now"}\n'
        '{"event": "edit.done", "job": 1, "att\n'
        "worker: Warm shutdown (MainProcess)\n7\n"
        '{"event": "score.refused", "job": 5, "attempt": 1}\n'
        '{"event": "x", "level": "error", "exception": "Traceback\\nOSError: gone"}\n'
    )

    told = read_logs([log])

    assert told.outcomes == {("edit", 1): [Outcome(2, "storm-0", "now")]}
    assert told.refused == 1
    assert told.errors == {"x: OSError: gone": 1}
