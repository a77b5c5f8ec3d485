"""What a watch shows on a terminal."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Sequence
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from db.activity import Activity
from db.ledger import Ledger
from db.presence import Present
from db.tables import Stage
from producer.standing.rows import Row
from producer.watch import watch
from producer.watch.bars import Bars
from tests.producer.by_hand import RunByHand
from tests.producer.watch.watched import found, moving

HOSTILE = ["[red]x[/red]", "[/]", ":smile:", "{task.total}", "物理与常识推理"]


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
