"""The watch over a run: when it ends, and what it shows."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable, Sequence

import pytest
from rich.console import Console
from sqlalchemy.exc import OperationalError

from db.ledger import Ledger
from db.owner import Process
from db.presence import Present, enter_worker
from db.queries import Run, find_run, progress_of
from producer import watch as watching
from producer.watch import Check, line_of, watch
from tests.db.steps import finish_edit
from tests.producer.by_hand import RunByHand

HOSTILE = ["[red]x[/red]", "[/]", ":smile:", "{task.total}", "物理与常识推理"]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is shown does not depend on the database."""
    return sqlite_url


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.01)


def found(run: RunByHand) -> Run:
    return find_run(run.ledger.engine, run.id)


def watched(run: RunByHand, check: Check = lambda _present: None, *, terminal: bool = False) -> str:
    """Watch the run to its end and return what was shown."""
    file = io.StringIO()
    console = Console(width=100, file=file, force_terminal=terminal)
    assert watch(run.ledger.engine, found(run), console, check=check).finished
    return file.getvalue()


class Steps:
    """A check that does one step at each look."""

    def __init__(self, *steps: Callable[[], None]) -> None:
        self._steps = iter(steps)
        self.looks = 0

    def __call__(self, present: Sequence[Present]) -> None:
        self.present = present
        self.looks += 1
        next(self._steps)()


def idle() -> None:
    pass


def shown_on_a_terminal(run: RunByHand, awaited: str) -> str:
    """Watch the run on a terminal until this text is there, or 5 seconds; then end it and return what was shown."""
    file = io.StringIO()

    def check(_present: Sequence[Present]) -> None:
        deadline = time.monotonic() + 5
        while awaited not in file.getvalue() and time.monotonic() < deadline:
            time.sleep(0.01)
        run.ledger.cancel(run.id)

    watch(run.ledger.engine, found(run), Console(width=100, file=file, force_terminal=True), check=check)
    return file.getvalue()


def worked_off(ledger: Ledger) -> RunByHand:
    """Return a finished run with one failed edit and one failed score."""
    run = RunByHand(ledger)
    run.edit("a", "b")
    run.fail_edit("c")
    run.score("a", "严", 6)
    run.score("a", "宽", 6)
    run.score("b", "严", 6)
    run.fail_score("b", "宽")
    return run


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


def test_in_a_pipe_there_is_one_line_at_first_and_one_at_the_end(ledger: Ledger) -> None:
    run = RunByHand(ledger, [("物理", "a")])

    shown = watched(run, Steps(idle, idle, idle, lambda: run.fail_edit("a")))

    assert shown == (
        f"run {run.id}: edits 0/1, scores 0/2, failed 0\n"
        f"run {run.id}: edits 1/1, scores 0/0, failed 1\n"
    )  # fmt: skip


def test_in_a_pipe_a_line_comes_whenever_the_time_is_up(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LINE_SECONDS", 0)
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

    line = line_of(found(run), progress_of(ledger.engine, run.id))

    assert line == f"run {run.id}: edits 2/3, scores 2/6, failed 1"


def test_the_line_never_asks_for_scores_of_a_failed_edit(ledger: Ledger) -> None:
    run = worked_off(ledger)

    line = line_of(found(run), progress_of(ledger.engine, run.id))

    assert line == f"run {run.id}: edits 3/3, scores 4/4, failed 2"


@pytest.mark.parametrize("terminal", [False, True])
def test_what_the_check_raises_ends_the_watch(ledger: Ledger, terminal: bool) -> None:
    class FarmIsGone(Exception):
        pass

    def gone() -> None:
        raise FarmIsGone

    with pytest.raises(FarmIsGone):
        watched(RunByHand(ledger), Steps(idle, gone), terminal=terminal)


def test_a_terminal_shows_bars_counts_and_who_works_at_what(ledger: Ledger) -> None:
    run = RunByHand(ledger)
    run.edit("a")
    run.fail_score("a", "严")
    run.start_edit("b", worker="edit@gpu-0")
    run.start_score("a", "宽", worker="score@gpu-1")

    shown = shown_on_a_terminal(run, "score@gpu-1")

    assert f"run {run.id}  评测" in shown
    assert "1/3" in shown
    assert "1/6" in shown
    assert "1 failed" in shown
    assert [name for name in ("edit@gpu-0", "score@gpu-1") if name not in shown] == []


@pytest.mark.parametrize("text", HOSTILE)
def test_a_terminal_shows_text_from_outside_as_it_is(ledger: Ledger, text: str) -> None:
    run = RunByHand(ledger, [("物理", text)], name=f"name {text}")
    run.start_edit(text, worker=f"worker {text}")

    shown = shown_on_a_terminal(run, f"worker {text}")

    assert f"name {text}" in shown
    assert f"worker {text}" in shown
    assert shown.count(text) > shown.count(f"name {text}") + shown.count(f"worker {text}")


def test_many_workers_do_not_fill_the_terminal(ledger: Ledger) -> None:
    keys = [f"p-{number}" for number in range(20)]
    run = RunByHand(ledger, [("物理", key) for key in keys])
    for key in keys:
        run.start_edit(key, worker=f"worker-of-{key}")

    shown = shown_on_a_terminal(run, "and 4 more")

    assert "and 4 more" in shown
    assert len(set(re.findall(r"worker-of-p-\d+", shown))) == 16


# -- verbose -----------------------------------------------------------------------------------------------------------


def test_a_further_judgement_of_an_edit_says_which_it_is(ledger: Ledger) -> None:
    run = RunByHand(ledger, [("物理", "a")], scorers=[{"name": "simulated", "label": "严", "repeats": 2}])
    run.edit("a")
    run.score("a", "严", 3)
    run.score("a", "严", 9, judge_repeat=1)
    file = io.StringIO()

    watch(ledger.engine, found(run), Console(width=100, file=file), verbose=True)

    assert re.findall(r"a  严.*\d\.\d\d", file.getvalue()) == ["a  严  3.00", "a  严 #1  9.00"]
