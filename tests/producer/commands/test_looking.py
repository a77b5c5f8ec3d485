"""Commands that only look at runs: on a terminal, in a pipe, as JSON."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess

import pytest
from sqlalchemy import update

from db.ledger import Ledger
from db.owner import this_process
from db.presence import enter_worker, worker_is_sick
from db.tables import workers
from tests.producer.by_hand import RunByHand
from tests.producer.shell import Shell, command

pytestmark = pytest.mark.integration


def test_status_shows_every_run(shell: Shell, run: RunByHand) -> None:
    other = RunByHand(run.ledger, [("物理", "a")], name="另一个 [/]", editor={"name": "simulated", "label": "[/]"})

    done = shell("status")

    assert (done.code, done.err) == (0, "")
    (first,) = [line.split() for line in done.out.splitlines() if run.id in line]
    (second,) = [line.split() for line in done.out.splitlines() if other.id in line]
    assert first[-5:] == ["simulated", "running", "2/3", "2/4", "1"]
    assert second[-6:] == ["[/]", "[/]", "running", "0/1", "0/2", "0"]


def test_status_of_a_run_as_json_has_all_counts_and_who_works(shell: Shell, run: RunByHand) -> None:
    run.start_score("b", "严", worker="score@gpu-0")

    data = json.loads(shell("status", run.id, "--json").out)

    assert (data["run"], data["benchmark"], data["editor"], data["state"]) == (run.id, "评测", "simulated", "running")
    assert data["scorers"] == ["严", "宽"]
    assert data["edits"] == {"queued": 0, "running": 0, "done": 2, "failed": 1, "cancelled": 0, "total": 3}
    assert data["scores"] == {
        "queued": 1,
        "running": 1,
        "done": 2,
        "failed": 0,
        "cancelled": 0,
        "total": 4,
        "asked": 4,
    }
    assert [(worker["worker"], worker["stage"], worker["samples"]) for worker in data["workers"]] == [
        ("score@gpu-0", "score", ["b"])
    ]


def test_status_without_any_run_or_worker_is_empty(shell: Shell) -> None:
    assert json.loads(shell("status", "--json").out) == {"runs": [], "farm": []}


def test_status_shows_which_workers_serve_which_are_sick_and_which_are_silent(shell: Shell, ledger: Ledger) -> None:
    for gpu, name in enumerate(("edit-gpu0@h", "edit-gpu1@h", "edit-gpu2@h")):
        enter_worker(ledger.engine, name, this_process(), str(gpu))
    worker_is_sick(ledger.engine, "edit-gpu1@h", this_process(), "CUDA error: [/] misaligned address")
    with ledger.write() as (connection, _):
        connection.execute(update(workers).where(workers.c.gpu == "2").values(seen_at=workers.c.seen_at - 100))

    table, data = shell("status").out, json.loads(shell("status", "--json").out)

    said = [(worker["gpu"], worker["health"], worker["reason"]) for worker in data["farm"]]
    assert said == [
        ("0", "serving", None),
        ("1", "sick", "CUDA error: [/] misaligned address"),
        ("2", "silent", None),
    ]
    assert "sick: CUDA error: [/] misaligned address" in " ".join(table.split())


def test_report_before_anything_ran_is_partial_with_nothing_scored(shell: Shell, ledger: Ledger) -> None:
    run = RunByHand(ledger)

    table, data = shell("report", run.id), json.loads(shell("report", run.id, "--json").out)

    assert "PARTIAL: 3 edits and 6 scores are still to come" in table.out
    assert (table.code, table.err) == (0, "")
    assert data["partial"] is True
    assert [scorer["dimensions"][0]["overall"]["mean"] for scorer in data["scorers"]] == [None, None]


def test_a_pipe_gets_no_escape_codes(shell: Shell, run: RunByHand) -> None:
    run.ledger.cancel(run.id)

    shown = [shell("report", run.id), shell("watch", run.id), shell("report", "nope")]

    assert [done for done in shown if "\x1b" in done.out + done.err] == []
    assert all(done.out or done.err for done in shown)


@pytest.mark.parametrize(("settings", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_terminal_gets_colours_unless_they_are_unwanted(
    shell: Shell, run: RunByHand, settings: dict[str, str], coloured: bool
) -> None:
    run.fail_score("b", "严")

    shown = on_a_terminal(shell, "report", run.id, TERM="xterm-256color", **settings)

    assert "PARTIAL" in shown
    assert bool(re.search(r"\x1b\[[0-9;]*\b[349][0-7]m", shown)) is coloured


def on_a_terminal(shell: Shell, *arguments: str, **settings: str) -> str:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command(*arguments), cwd=shell.folder, env=shell.environment | settings, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 65536):
            shown += chunk
    except OSError:  # Linux says so when the other side has ended
        pass
    os.close(ours)
    assert process.wait(10) == 0
    return shown.decode()


def test_a_reader_who_has_seen_enough_is_no_crash(shell: Shell, ledger: Ledger) -> None:
    run = RunByHand(ledger, [("物理", f"p-{number}") for number in range(300)])
    for number in range(300):
        run.fail_edit(f"p-{number}", "x" * 1000)

    report = subprocess.Popen(
        command("report", run.id, "--json"),
        env=shell.environment,
        cwd=shell.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert report.stdout is not None and report.stderr is not None
    report.stdout.read(10)
    report.stdout.close()

    assert report.stderr.read() == b""
    report.stderr.close()
    report.wait(10)


@pytest.mark.parametrize(("end", "code"), [("done", 0), ("failed", 1)])
def test_watch_ends_with_the_code_of_the_outcome(shell: Shell, ledger: Ledger, end: str, code: int) -> None:
    run = RunByHand(ledger, [("物理", "a")], scorers=["simulated"])
    if end == "done":
        run.edit("a")
        run.score("a", "simulated", 5)
    if end == "failed":
        run.fail_edit("a")

    done = shell("watch", run.id)

    assert (done.code, done.out) == (code, "")
    assert f"run {run.id}: edits 1/1" in done.err
