"""The commands that read, as a user meets them: `status`, `runs`, `show`, and a watch that is interrupted."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from typing import Any

import pytest
from sqlalchemy import Engine, update

from db.engine import transaction
from db.environments import enter_environment
from db.images import FolderStore
from db.jobs import Failure
from db.ledger import Ledger
from db.owner import this_process
from db.presence import enter_worker
from db.queries import find_run, progress_of
from db.seeds import edit_seed
from db.tables import FailureKind, State, edits
from producer.one_sample.data import sample_data
from producer.one_sample.text import sample_lines
from producer.standing.rows import nothing_heard
from producer.standing.status import status_data
from producer.standing.tables import pace_lines
from tests.db.steps import finish_edit, finish_score
from tests.factories import png
from tests.producer.by_hand import RunByHand
from tests.producer.shell import Shell, command

pytestmark = pytest.mark.integration


@pytest.fixture
def run(ledger: Ledger) -> RunByHand:
    return RunByHand(ledger)


def started(engine: Engine, seconds_ago: float) -> None:
    """Let every edit that has ended have been begun so long ago, and have ended now."""
    with transaction(engine) as connection:
        done = edits.c.finished_at.is_not(None)
        now = time.time()
        connection.execute(update(edits).where(done).values(started_at=now - seconds_ago, finished_at=now))


# -- status ------------------------------------------------------------------------------------------------------------


def test_status_says_when_a_run_waits_and_no_worker_is_ready(shell: Shell, run: RunByHand, ledger: Ledger) -> None:
    alone = shell("status", run.id).out
    enter_worker(ledger.engine, "edit-cpu0@h", this_process(), "")
    served = shell("status", run.id).out

    assert "no worker is ready: `python -m workers`" in alone
    assert "no worker is ready" not in served


def status_of(run: RunByHand) -> dict[str, Any]:
    return status_data(run.ledger.engine, find_run(run.ledger.engine, run.id), nothing_heard)


def test_status_says_how_fast_each_stage_goes_and_how_long_that_takes(run: RunByHand) -> None:
    run.edit("a", "b")
    started(run.ledger.engine, 100)

    status = status_of(run)

    assert status["pace"]["edit"]["jobs_per_hour"] == pytest.approx(72, abs=3)
    assert status["pace"]["edit"]["seconds_left"] == pytest.approx(50, abs=3)
    assert status["pace"]["score"] == {"jobs_per_hour": 0.0, "seconds_left": None}
    assert [line.split(",")[0] for line in pace_lines(status)] == ["edits: 1.2/min"]


def test_status_counts_what_is_unparsed_of_what_failed(run: RunByHand) -> None:
    run.edit("a")
    run.fail_score("a", "严")
    run.ledger.fail(run.start_score("a", "宽"), Failure(FailureKind.UNPARSED, "no score"))

    assert (status_of(run)["scores"]["failed"], status_of(run)["unparsed"]) == (2, 1)
    assert [*pace_lines(status_of(run))][-1].startswith("1 score failed as unparsed: ")


def test_status_names_the_model_and_gpu_of_a_worker_that_says_nothing(shell: Shell, run: RunByHand) -> None:
    enter_worker(run.ledger.engine, "edit-gpu3@h", this_process(), "3")
    run.start_edit("b", worker="edit-gpu3@h")

    (worker,) = json.loads(shell("status", run.id, "--json", FARM_BROKER_URL="redis://127.0.0.1:1/0").out)["workers"]

    assert (worker["gpu"], worker["stage"], worker["model"], worker["samples"]) == ("3", "edit", "simulated", ["b"])
    assert (worker["doing"], worker["step"], worker["memory_bytes"], worker["jobs_per_hour"]) == ("", 0, 0, 0.0)


# -- runs --------------------------------------------------------------------------------------------------------------


def test_runs_lists_every_run_the_newest_first(shell: Shell, run: RunByHand) -> None:
    run.edit("a")
    run.score("a", "严", 5)
    run.fail_edit("b")
    other = RunByHand(run.ledger, [("物理", "a")], name="另一个 \x1b[2J", editor={"name": "simulated", "label": "[/]"})

    lines, listed = shell("runs").out.splitlines(), json.loads(shell("runs", "--json").out)

    assert [one["run"] for one in listed] == [other.id, run.id]
    (mine,) = (one for one in listed if one["run"] == run.id)
    assert (mine["benchmark"], mine["editor"], mine["scorers"], mine["state"]) == (
        "评测",
        "simulated",
        ["严", "宽"],
        "running",
    )
    assert (mine["edits"]["done"], mine["edits"]["failed"], mine["scores"]["done"]) == (1, 1, 1)
    assert mine["created"].endswith("+00:00")
    assert lines[0].split()[0] == other.id
    assert lines[1].strip().partition("  ")[2] == "另一个 \\x1b[2J  [/]  scored by 严, 宽"
    assert lines[2].split()[1:] == ["running", "edits", "1/3", "scores", "1/4", "failed", "1"]


def test_without_any_run_nothing_is_listed(shell: Shell) -> None:
    assert (shell("runs").out, json.loads(shell("runs", "--json").out)) == ("", [])


# -- show --------------------------------------------------------------------------------------------------------------


def shown(run: RunByHand, images: FolderStore, sample: str = "a") -> dict[str, Any]:
    return sample_data(run.ledger.engine, images, find_run(run.ledger.engine, run.id), sample)


def test_show_tells_of_every_edit_and_score_of_a_sample(run: RunByHand, images: FolderStore) -> None:
    engine = run.ledger.engine
    images.put(png())
    edited = images.put(png(colour="red"))
    facts = enter_environment(engine, {"device": "H200"})
    finish_edit(run.ledger, run.start_edit("a"), edited, seconds=2.5, detail={"steps": 4}, environment=facts)
    said = {"reasoning": "It rains.", "criteria": {"wet": 8.0}}
    finish_score(run.ledger, run.start_score("a", "严"), 7.5, seconds=0.5, detail=said)
    unread = Failure(FailureKind.UNPARSED, "no score", detail={"reply": "I like it."})
    run.ledger.fail(run.start_score("a", "宽"), unread)

    data = shown(run, images)

    assert (data["sample"]["category"], data["sample"]["instruction"]) == ("社会", "变亮")
    assert data["sample"]["source_image"]["fault"] is None
    (edit,) = data["edits"]
    assert (edit["state"], edit["attempt"], edit["worker"], edit["seconds"]) == ("done", 1, "edit-0", 2.5)
    assert (edit["seed"], edit["detail"], edit["environment"]) == (
        edit_seed(0, "a", 0),
        {"steps": 4},
        {"device": "H200"},
    )
    assert edit["image"] == {"digest": edited, "path": str(images.path(edited)), "fault": None}
    strict, kind = edit["scores"]
    assert (strict["scorer"], strict["value"], strict["reasoning"], strict["criteria"]) == (
        "严",
        7.5,
        "It rains.",
        {"wet": 8.0},
    )
    assert (kind["failure"], kind["reply"]) == ({"kind": "unparsed", "reason": "no score"}, "I like it.")
    text = "\n".join(sample_lines(data))
    assert [
        part
        for part in ("7.50", "It rains.", "wet 8.0", "unparsed: no score", "I like it.", "H200")
        if part not in text
    ] == []


def test_show_tells_no_seed_of_an_edit_that_was_made_elsewhere(shell: Shell) -> None:
    published = shell.folder / "published.jsonl"
    published.write_text(json.dumps({"sample": "a", "category": "c", "editor": "e", "scorer": "s", "value": 5}))
    run_id = shell("import-scores", published).out.strip()

    assert [edit["seed"] for edit in json.loads(shell("show", run_id, "a", "--json").out)["edits"]] == [None]


def test_show_says_what_is_wrong_with_an_image(run: RunByHand, images: FolderStore) -> None:
    digest = images.put(png())

    images.path(digest).write_bytes(b"other")
    assert shown(run, images)["sample"]["source_image"]["fault"] == "damaged"
    images.path(digest).unlink()
    assert shown(run, images)["sample"]["source_image"]["fault"] == "missing"
    assert "missing in the image store" in "\n".join(sample_lines(shown(run, images)))


def test_what_others_wrote_cannot_steer_the_terminal(ledger: Ledger, images: FolderStore) -> None:
    run = RunByHand(ledger, [("物理", "a\x1b[2J")], name="x\x07")
    run.ledger.fail(run.start_edit("a\x1b[2J"), Failure(FailureKind.MODEL, "first\nsecond \x1b]0;title\x07"))

    lines = list(sample_lines(shown(run, images, "a\x1b[2J")))

    assert all(line.isprintable() for line in lines)


def test_a_reasoning_of_several_lines_stays_several_lines(run: RunByHand, images: FolderStore) -> None:
    run.edit("a")
    finish_score(run.ledger, run.start_score("a", "严"), 7, seconds=1, detail={"reasoning": "one\ntwo"})

    lines = [line.strip() for line in sample_lines(shown(run, images))]

    assert "two" in lines[lines.index("reasoning     one") + 1]


def test_show_as_a_command_prints_text_or_json(shell: Shell, run: RunByHand) -> None:
    text, data = shell("show", run.id, "社会/a"), json.loads(shell("show", "latest", "a", "--json").out)

    assert text.out.startswith("sample a of 社会 (social)\n")
    assert (text.code, text.err) == (0, "")
    assert data["sample"]["key"] == "a"


def test_a_sample_that_cannot_be_shown_is_told_in_one_line(shell: Shell, ledger: Ledger) -> None:
    run = RunByHand(ledger, [("物理", "a"), ("社会", "a")])

    several, unknown = shell("show", run.id, "a"), shell("show", run.id, "nope")

    assert (several.code, unknown.code) == (2, 2)
    assert several.complaint.endswith("say which of '物理/a', '社会/a'")
    assert "has no sample 'nope'" in unknown.complaint


# -- a watch that is interrupted ---------------------------------------------------------------------------------------


def test_ctrl_c_leaves_the_run_going_and_says_how_to_come_back(shell: Shell, run: RunByHand) -> None:
    watching = subprocess.Popen(
        command("watch", run.id), cwd=shell.folder, env=shell.environment, stderr=subprocess.PIPE, text=True
    )
    assert watching.stderr is not None
    first = watching.stderr.readline()
    watching.send_signal(signal.SIGINT)
    rest = watching.communicate(timeout=20)[1]

    assert first.startswith(f"run {run.id}: edits 0/3")
    assert rest.strip().splitlines()[-1] == f"the run goes on; come back with `python -m producer watch {run.id}`"
    assert watching.returncode == 130
    assert progress_of(run.ledger.engine, run.id).edits.by_state == {State.QUEUED: 3}
