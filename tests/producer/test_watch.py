"""The watch over a run: when it ends, and what it shows."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from db.activity import Activity
from db.jobs import Failure
from db.lately import Finished, Lately, finished_lately
from db.ledger import Ledger
from db.owner import Process
from db.presence import Present, enter_worker
from db.queries import Run, find_run, progress_of
from db.tables import FailureKind, Stage
from producer import watch as watching
from producer.standing.rows import Row
from producer.watch import Check, watch
from producer.watch import lines as writing
from producer.watch import pace as pacing
from producer.watch.bars import Bars
from producer.watch.lines import line_of
from producer.watch.look import Look
from producer.watch.pace import Pace
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
    monkeypatch.setattr(watching, "LOOK_SHARE", 1)


def found(run: RunByHand) -> Run:
    return find_run(run.ledger.engine, run.id)


def watched(run: RunByHand, check: Check = lambda _present: None, *, terminal: bool = False) -> str:
    """Watch the run to its end and return what was shown."""
    file = io.StringIO()
    console = Console(width=100, file=file, force_terminal=terminal)
    assert watch(run.ledger.engine, found(run), console, check=check).finished
    return file.getvalue()


def seen(run: RunByHand) -> Look:
    """Return what a look sees when nothing was finished lately."""
    return Look(progress_of(run.ledger.engine, run.id), Lately(now=0, finished=(), unparsed=0), rows=())


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
    assert "failed  scores 1" in shown
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


# -- how fast, and how it looks ----------------------------------------------------------------------------------------


def moving(run: RunByHand, **given: Any) -> Look:
    """Return what a look sees when 10 edits ended in the last 100 seconds."""
    finished = [Finished("edit-gpu2@host", Stage.EDIT, 10, began_at=0.0, ended_at=100.0)]
    look = Look(progress_of(run.ledger.engine, run.id), Lately(100.0, finished, unparsed=0), rows=())
    return replace(look, **given)


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


def test_how_fast_it_goes_is_asked_seldom_and_once_more_at_the_end(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def counted(engine: Engine, run_id: str) -> Lately:
        asked.append(run_id)
        return finished_lately(engine, run_id)

    monkeypatch.setattr(pacing, "finished_lately", counted)
    monkeypatch.setattr(pacing, "PACE_SECONDS", 60)
    run = RunByHand(ledger, [("物理", "a")])

    watched(run, Steps(*[idle] * 20, lambda: run.fail_edit("a")))

    assert len(asked) == 2


def test_asking_how_fast_it_goes_takes_a_hundredth_of_the_time(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    now, asked = [1000.0], []

    def slow(_engine: Engine, _run_id: str) -> Lately:
        asked.append(now[0])
        now[0] += 0.5
        return Lately(now[0], (), 0)

    monkeypatch.setattr(pacing, "finished_lately", slow)
    pace = Pace(ledger.engine, "run", clock=lambda: now[0])

    for at in (1000.0, 1010.0, 1049.0, 1051.0):
        now[0] = at
        pace.look()

    assert asked == [1000.0, 1051.0]


def test_looks_that_take_long_come_less_often_but_they_come(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LOOK_SHARE", 1e-9)
    monkeypatch.setattr(watching, "LONGEST_LOOK_SECONDS", 0.2)
    run = RunByHand(ledger, [("物理", "a")])
    began = time.monotonic()

    watched(run, Steps(idle, idle, lambda: run.fail_edit("a")))

    assert 0.6 <= time.monotonic() - began < 5


def farm_rows() -> list[Row]:
    """Return rows as a farm of four GPUs has them, with long names."""
    said = Activity("0", "editing", "", "物理-推理-0001", 23, 40, 1.83, 61 * 10**9, 80 * 10**9)
    model, key = "qwen-image-edit-2511-lightning", "物理-推理-0001"
    return [
        Row("w0@h", "0", Stage.EDIT, model, "step 23/40 1.8 it/s", [key], time.time() - 12, 0.05, said),
        Row("w1@h", "1", Stage.SCORE, "qwen3-vl-30b-a3b-instruct", "scoring", [key] * 8, time.time() - 3, 1.7, said),
        Row("w2@h", "2", Stage.EDIT, "", "waits"),
        Row("w3@h", "3", sick="CUDA error: an illegal memory access was encountered " * 3),
    ]


def drawn(run: RunByHand, width: int, rows: Sequence[Row]) -> list[str]:
    """Return the lines of the terminal's view."""
    file = io.StringIO()
    bars = Bars(found(run))
    bars.show(moving(run, rows=rows))
    Console(width=width, file=file, force_terminal=True, color_system=None).print(bars)
    return [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in file.getvalue().splitlines()]


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_every_worker_has_one_line_that_fits_the_terminal(ledger: Ledger, width: int) -> None:
    lines = drawn(RunByHand(ledger), width, farm_rows())

    assert max(map(cell_len, lines)) <= width
    assert [line[:7] for line in lines[3:]] == ["[GPU 0]", "[GPU 1]", "[GPU 2]", "[GPU 3]"]


def test_eighty_columns_hold_stage_model_step_rate_memory_and_jobs_an_hour(ledger: Ledger) -> None:
    lines = drawn(RunByHand(ledger), 80, farm_rows())

    assert re.fullmatch(
        r"\[GPU 0\]  edit   qwen-image-\S*…  step 23/40 1\.8 it/s  61/80 GB    180/h  12 s", lines[3].rstrip()
    )
    assert re.search(r"scoring +61/80 GB  6,120/h +3 s$", lines[4].rstrip())


def test_a_wide_terminal_holds_whole_names(ledger: Ledger) -> None:
    line = drawn(RunByHand(ledger), 200, farm_rows())[3]

    assert "qwen-image-edit-2511-lightning" in line
    assert "物理-推理-0001" in line


def test_a_gpu_is_shown_with_its_host_where_there_are_several(ledger: Ledger) -> None:
    rows = [Row("w@one", "0", Stage.EDIT), Row("w@two", "0", Stage.EDIT)]

    assert [line.split("  ")[0] for line in drawn(RunByHand(ledger), 80, rows)[3:]] == ["[GPU 0] one", "[GPU 0] two"]


def test_a_bar_says_how_fast_its_stage_goes_and_what_time_is_left(ledger: Ledger) -> None:
    run = RunByHand(ledger)
    run.edit("a")

    assert re.search(r"1/3 +6\.0/min +20 s left$", drawn(run, 100, [])[1].rstrip())


@pytest.mark.parametrize("field", ["worker", "model", "doing", "sick"])
def test_nothing_in_a_row_steers_the_terminal(ledger: Ledger, field: str) -> None:
    row = replace(Row("w@h", ""), **{field: "\x1b[2J\x07gone"})

    assert not set("\x1b\x07") & set("".join(drawn(RunByHand(ledger), 100, [row])))


# -- verbose -----------------------------------------------------------------------------------------------------------


def test_a_further_judgement_of_an_edit_says_which_it_is(ledger: Ledger) -> None:
    run = RunByHand(ledger, [("物理", "a")], scorers=[{"name": "simulated", "label": "严", "repeats": 2}])
    run.edit("a")
    run.score("a", "严", 3)
    run.score("a", "严", 9, judge_repeat=1)
    file = io.StringIO()

    watch(ledger.engine, found(run), Console(width=100, file=file), verbose=True)

    assert re.findall(r"a  严.*\d\.\d\d", file.getvalue()) == ["a  严  3.00", "a  严 #1  9.00"]
