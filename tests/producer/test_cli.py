"""The command line as a user meets it: real processes, their output, their exit codes."""

from __future__ import annotations

import base64
import json
import os
import pty
import re
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
import redis
from sqlalchemy import update

from db.doorbells import take_owed
from db.ledger import Ledger
from db.owner import this_process
from db.presence import enter_worker, worker_is_sick
from db.queries import find_run, progress_of
from db.tables import FailureKind, Stage, State, workers
from tests.factories import original_file, pair
from tests.producer.by_hand import RunByHand
from tests.producer.shell import Finished, Shell, command

pytestmark = pytest.mark.integration

DEAD = "127.0.0.1:1"  # nobody listens there
FAR = "192.0.2.1"  # which documents use, and no host has
SECRET = "s3cr3t-Wort"
NO_IMAGE = "image is not decodable: none of PNG, JPEG, WEBP, BMP, TIFF, GIF"


@pytest.fixture
def ledger(shell: Shell) -> Iterator[Ledger]:
    """The ledger that the commands see."""
    with shell.ledger() as ledger:
        yield ledger


@pytest.fixture
def run(ledger: Ledger) -> RunByHand:
    """A run with a failed edit and two scores of four."""
    run = RunByHand(ledger)
    run.edit("a", "b")
    run.fail_edit("c", "未知指令")
    run.score("a", "严", 6)
    run.score("a", "宽", 3)
    return run


# -- submit ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SubmittedTwice:
    """What the first and the second of two equal submissions left."""

    first: Finished
    second: Finished
    messages: Mapping[str, list[bytes]]
    messages_after: Mapping[str, list[bytes]]
    rows: Mapping[str, int]
    images: int


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory, redis_server: str) -> SubmittedTwice:
    """A benchmark of two samples with the same image, submitted twice."""
    shell = Shell(tmp_path_factory.mktemp("twice"), redis_server.removesuffix("0") + "1")
    with redis.Redis.from_url(shell.broker) as client:
        client.flushdb()
    path = original_file(shell.folder)
    first = shell("submit", path)
    messages = shell.messages()
    second = shell("submit", path)
    return SubmittedTwice(first, second, messages, shell.messages(), shell.rows(), len(shell.images()))


def test_submit_prints_the_run_id_and_nothing_else_on_stdout(twice: SubmittedTwice) -> None:
    assert twice.first.code == 0
    assert re.fullmatch(r"[0-9a-f]{12}\n", twice.first.out)


def test_submitting_again_prints_the_same_id_and_says_so(twice: SubmittedTwice) -> None:
    assert (twice.second.code, twice.second.out) == (0, twice.first.out)
    assert "was asked for before" in twice.second.err
    assert "was asked for before" not in twice.first.err


def test_submitting_again_asks_for_nothing_twice(twice: SubmittedTwice) -> None:
    assert twice.rows == {"benchmarks": 1, "samples": 2, "runs": 1, "edits": 2, "scores": 0}
    assert twice.images == 1
    assert twice.messages_after == twice.messages


def test_submit_warns_of_samples_that_the_scorer_cannot_score(twice: SubmittedTwice) -> None:
    assert "2 of 2 samples have no reference image" in twice.first.err


def test_there_is_one_small_message_without_an_image_for_each_edit(twice: SubmittedTwice) -> None:
    (queued,) = twice.messages.values()
    messages = [json.loads(message) for message in queued]

    assert [message["headers"]["task"] for message in messages] == ["edit", "edit"]
    assert sorted(json.loads(base64.b64decode(message["body"]))[0] for message in messages) == [[1], [2]]
    assert {message["content-type"] for message in messages} == {"application/json"}
    assert max(map(len, queued)) < 2000
    assert pair("x")["original_image_b64"][:40].encode() not in b"".join(queued)


def test_messages_of_a_run_of_high_priority_wait_in_a_list_that_is_served_earlier(shell: Shell) -> None:
    lists = []
    for seed, priority in enumerate(("high", "normal", "low")):
        shell("submit", original_file(shell.folder), "--seed", str(seed), "--priority", priority)
        lists += sorted(set(shell.messages()) - set(lists))

    assert lists == ["edit\x06\x163", "edit\x06\x166", "edit\x06\x169"]


def test_repeats_limit_file_and_flags_reach_the_run(shell: Shell, ledger: Ledger) -> None:
    (shell.folder / "run.yaml").write_text("editor: simulated\nscorers: [simulated]\nrepeats: 2\n")

    done = shell(
        "submit", original_file(shell.folder, pairs=3), "--config", "run.yaml", "--limit=2", "--set", "editor.width=32"
    )
    run = find_run(ledger.engine, done.out.strip())

    assert done.err == ""
    assert progress_of(ledger.engine, run.id).edits[State.QUEUED] == 4
    assert run.configuration["editor"]["options"]["width"] == 32


def test_a_bad_benchmark_names_every_fault_and_leaves_nothing_behind(shell: Shell) -> None:
    pairs = [pair("good"), pair("a", edit_instruction=""), pair("[/]", original_image_b64="AAAA"), 5]
    path = original_file(shell.folder, {"categories": {"物理": pairs}})

    done = shell("submit", path, "--editor", "simulated")

    raw = path.read_bytes()
    first, second = raw.index(b'{"pair_id": "a"'), raw.index(b'{"pair_id": "[/]"')
    assert (done.code, done.out) == (4, "")
    assert done.err.splitlines() == [
        f"error: {path}: 3 faults, nothing was submitted",
        f"  categories['物理'].pairs[1] at byte {first} (a): edit_instruction is empty",
        f"  categories['物理'].pairs[2] at byte {second} ([/]): source image: {NO_IMAGE}",
        f"  categories['物理'].pairs[3] after byte {second}: expected an object, found a number",
    ]
    assert shell.messages() == {}
    assert set(shell.rows().values()) == {0}
    assert shell.images() == []


def test_without_a_broker_one_line_names_both_ways_to_have_one(shell: Shell) -> None:
    done = shell("submit", original_file(shell.folder), FARM_BROKER_URL=f"redis://{DEAD}/0")

    assert done.code == 3
    assert "set FARM_BROKER_URL" in done.complaint
    assert "`python -m producer broker`" in done.complaint
    assert not shell.home.exists()


def test_submit_finds_the_embedded_broker_of_its_home(shell: Shell) -> None:
    broker = subprocess.Popen(
        command("broker"),
        cwd=shell.folder,
        env=shell.environment | {"FARM_BROKER_URL": ""},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert broker.stderr is not None
        broker.stderr.readline()
        done = shell("submit", original_file(shell.folder), "--scorer", "simulated", FARM_BROKER_URL="")
    finally:
        broker.terminate()
        broker.communicate(timeout=15)

    assert (done.code, done.err) == (0, "")
    assert shell.rows()["edits"] == 2


def test_the_commands_work_on_postgresql_and_show_no_password(shell: Shell, postgres_url: str) -> None:
    settings = {
        "FARM_BROKER_URL": shell.broker.replace("redis://", f"redis://default:{SECRET}@"),
        "FARM_DATABASE_URL": postgres_url.replace("postgres:", f"postgres:{SECRET}"),
    }
    path = original_file(shell.folder)

    first, second, status = (shell(*call, **settings) for call in (("submit", path), ("submit", path), ("status",)))

    assert [first.code, second.code, status.code] == [0, 0, 0]
    assert first.out == second.out
    assert first.out.strip() in status.out
    assert sum(map(len, shell.messages().values())) == 2
    assert not [done for done in (first, second, status) if SECRET in done.out + done.err]


# -- reading -----------------------------------------------------------------------------------------------------------


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


# -- naming a run ------------------------------------------------------------------------------------------------------


def test_a_run_is_found_by_the_beginning_of_its_id(shell: Shell, ledger: Ledger) -> None:
    run = RunByHand(ledger)
    RunByHand(ledger, seed=1)

    assert json.loads(shell("status", run.id[:5], "--json").out)["run"] == run.id


def test_the_latest_run_is_found_as_latest(shell: Shell, ledger: Ledger) -> None:
    RunByHand(ledger)
    run = RunByHand(ledger, seed=1)

    assert json.loads(shell("report", "latest", "--json").out)["run"] == run.id


def test_a_beginning_that_fits_two_runs_is_a_wrong_call(shell: Shell, ledger: Ledger) -> None:
    ids = [RunByHand(ledger, seed=seed).id for seed in range(17)]  # two of them begin alike
    initials = [run_id[0] for run_id in ids]
    twice = next(initial for initial in initials if initials.count(initial) > 1)

    done = shell("report", twice)

    assert done.code == 2
    assert f"more than one run begins with '{twice}'" in done.complaint


# -- changing ----------------------------------------------------------------------------------------------------------


def test_cancel_ends_what_is_open_and_resume_asks_for_it_again(shell: Shell, run: RunByHand) -> None:
    cancelled = shell("cancel", run.id)
    scores = progress_of(run.ledger.engine, run.id).scores
    resumed = shell("resume", run.id)
    scores_after = progress_of(run.ledger.engine, run.id).scores

    assert (cancelled.code, cancelled.complaint) == (0, f"run {run.id}: cancelled 2 jobs")
    assert scores.by_state == {State.DONE: 2, State.CANCELLED: 2}
    assert (resumed.code, resumed.complaint) == (0, f"run {run.id}: queued 2 cancelled jobs again")
    assert scores_after.by_state == {State.DONE: 2, State.QUEUED: 2}
    assert [(name[:5], len(messages)) for name, messages in shell.messages().items()] == [("score", 2)]


def test_retry_asks_again_for_what_failed_and_for_nothing_else(shell: Shell, run: RunByHand) -> None:
    run.ledger.cancel(run.id)

    done = shell("retry", run.id)
    progress = progress_of(run.ledger.engine, run.id)

    assert (done.code, done.complaint) == (0, f"run {run.id}: queued 1 failed job again")
    assert progress.edits.by_state == {State.DONE: 2, State.QUEUED: 1}
    assert progress.scores.by_state == {State.DONE: 2, State.CANCELLED: 2}
    assert [(name[:4], len(messages)) for name, messages in shell.messages().items()] == [("edit", 1)]


def test_retry_takes_only_what_is_named(shell: Shell, run: RunByHand) -> None:
    run.fail_score("b", "严", kind=FailureKind.UNPARSED)

    nothing = shell("retry", run.id, "--unparsed", "--category", "social")
    unparsed = shell("retry", run.id, "--unparsed", "--category", "物理")
    unknown = shell("retry", run.id, "--category", "Physik")

    assert (nothing.code, nothing.complaint) == (0, f"run {run.id}: queued 0 failed jobs again")
    assert (unparsed.code, unparsed.complaint) == (0, f"run {run.id}: queued 1 failed job again")
    assert progress_of(run.ledger.engine, run.id).edits[State.FAILED] == 1
    assert unknown.code == 2
    assert unknown.complaint == "error: there is no category 'Physik'; there are 社会 (social), 物理 (physical)"
    assert shell("retry", run.id, "--failed", "--kind", "input").code == 2


def test_what_is_asked_again_without_a_broker_is_owed_its_messages(shell: Shell, run: RunByHand) -> None:
    done = shell("retry", run.id, FARM_BROKER_URL=f"redis://{DEAD}/0")

    assert done.code == 0
    assert done.err.splitlines()[-1] == "no broker answers now; the first worker that runs sends their messages"
    assert progress_of(run.ledger.engine, run.id).edits[State.FAILED] == 0
    assert len(take_owed(run.ledger, Stage.EDIT)) == 1


def test_nothing_is_asked_again_of_a_ledger_that_the_brokers_host_has_not(shell: Shell, run: RunByHand) -> None:
    done = shell("retry", run.id, FARM_BROKER_URL=f"redis://{FAR}/0")

    assert done.code == 2
    assert done.complaint.endswith("a database that every host reaches")
    assert progress_of(run.ledger.engine, run.id).edits[State.FAILED] == 1


# -- mistakes ----------------------------------------------------------------------------------------------------------

GOOD = "benchmark.json"
FILES: dict[str, bytes] = {
    "binary.json": b"\x00\x01\xff\xfe",
    "benchmark.parquet": b"PAR1",
    "benchmark.xlsx": b"PK\x03\x04\0",
    "broken.yaml": b"editor: [",
    "file": b"",
    "no-database.db": b"this is no database",
}


@dataclass(frozen=True)
class Mistake:
    """A call that a user can mend: how it ends and what its line names."""

    arguments: list[str]
    codes: set[int]
    named: str
    settings: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return " ".join([*(f"{name}={value}" for name, value in self.settings.items()), *self.arguments])


def mistake(line: str, code: int | set[int], named: str, **settings: str) -> Mistake:
    return Mistake(line.split(), {code} if isinstance(code, int) else code, named, settings)


MISTAKES = [
    mistake("submit folder.json", 4, "folder.json: is a folder of no known layout; expected metadata.jsonl or"),
    mistake("submit benchmark.parquet", 4, "benchmark.parquet: 1 fault, nothing was submitted"),
    mistake("submit benchmark.xlsx", 4, "no reader for this kind of file; expected a folder, .json"),
    mistake("submit binary.json", 4, "is not valid JSON"),
    mistake(f"submit {GOOD} --editor nope", 2, "no editor is called 'nope'; known: diffusers"),
    mistake(f"submit {GOOD} --config broken.yaml", 2, "broken.yaml: is not YAML"),
    mistake(f"submit {GOOD}", 2, "FARM_LEASE_SECONDS", FARM_LEASE_SECONDS="two"),
    mistake(f"submit {GOOD}", {2, 3}, "/file", FARM_HOME="file"),
    mistake(f"submit {GOOD}", {2, 3}, "/file", FARM_HOME="file", FARM_BROKER_URL=""),
    mistake("status", {2, 3}, "/proc/farm", FARM_HOME="/proc/farm"),
    mistake(f"submit {GOOD}", {2, 3}, "/file", FARM_IMAGES="file", FARM_HOME="elsewhere"),
    mistake("status", 2, "FARM_DATABASE_URL is not a database URL", FARM_DATABASE_URL="foo"),
    mistake("status", 3, "FARM_DATABASE_URL: no data", FARM_DATABASE_URL=f"postgresql://u:{SECRET}@{DEAD}/d"),
    mistake("status", 3, "FARM_DATABASE_URL: no data", FARM_DATABASE_URL="sqlite:///no-database.db"),
    mistake(f"submit {GOOD}", 2, "FARM_BROKER_URL is not a Redis URL", FARM_BROKER_URL="foo"),
    mistake(f"submit {GOOD}", 3, f"no broker answers at redis://{DEAD}", FARM_BROKER_URL=f"redis://u:{SECRET}@{DEAD}"),
    mistake(f"submit {GOOD}", 2, "set FARM_DATABASE_URL=postgresql://", FARM_BROKER_URL=f"redis://u:{SECRET}@{FAR}"),
    mistake("broker", 2, "FARM_BROKER_URL names another broker"),
    mistake("report latest", 2, "the ledger has no run yet"),
    mistake("status nope", 2, "the ledger has no run 'nope'"),
    mistake("cancel nope", 2, "the ledger has no run 'nope'"),
]

UNPARSABLE = [
    mistake("nope", 2, "nope"),
    mistake(f"submit {GOOD} --nope", 2, "--nope"),
    mistake(f"run {GOOD} --workers 0", 2, "--workers"),
]


@pytest.fixture(scope="module")
def littered(tmp_path_factory: pytest.TempPathFactory, redis_server: str) -> Shell:
    """A folder with a good benchmark and several bad files."""
    shell = Shell(tmp_path_factory.mktemp("littered"), redis_server.removesuffix("0") + "2")
    with redis.Redis.from_url(shell.broker) as client:
        client.flushdb()
    original_file(shell.folder)
    (shell.folder / "folder.json").mkdir()
    for name, content in FILES.items():
        (shell.folder / name).write_bytes(content)
    return shell


@pytest.fixture(scope="module")
def outcomes(littered: Shell) -> Mapping[str, Finished]:
    """How every mistake ended; made side by side, because each is a process of its own that takes half a second."""
    mistakes = MISTAKES + UNPARSABLE
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        ended = pool.map(lambda mistake: littered(*mistake.arguments, **mistake.settings), mistakes)
        return dict(zip(map(str, mistakes), ended, strict=True))


@pytest.mark.parametrize("mistake", MISTAKES, ids=str)
def test_a_mistake_is_told_in_a_line_without_traceback_or_password(
    outcomes: Mapping[str, Finished], mistake: Mistake
) -> None:
    done = outcomes[str(mistake)]

    assert "Traceback" not in done.err
    assert done.code in mistake.codes
    assert done.out == ""
    assert mistake.named in done.err
    assert SECRET not in done.err
    lines = done.err.splitlines()
    assert lines[0].startswith("error: ")
    assert len(lines) == (2 if "nothing was submitted" in lines[0] else 1)


@pytest.mark.parametrize("mistake", UNPARSABLE, ids=str)
def test_a_call_that_cannot_be_parsed_is_told_with_the_usage(
    outcomes: Mapping[str, Finished], mistake: Mistake
) -> None:
    done = outcomes[str(mistake)]

    assert (done.code, done.out) == (2, "")
    assert "Usage: python -m producer" in done.err
    assert mistake.named in done.err.splitlines()[-1]
    assert "Traceback" not in done.err


def test_no_mistake_left_a_trace(littered: Shell, outcomes: Mapping[str, Finished]) -> None:
    assert set(littered.rows().values()) == {0}
    assert littered.images() == []
    assert littered.messages() == {}


def test_help_is_on_stdout(littered: Shell) -> None:
    done = littered("submit", "--help")

    assert (done.code, done.err) == (0, "")
    assert "Usage: python -m producer submit" in done.out


def test_some_categories_and_every_kth_sample_are_asked_for_and_recorded(shell: Shell, ledger: Ledger) -> None:
    pairs = {name: [pair(f"{name}-{number}") for number in range(4)] for name in ("物理", "社会", "因果")}
    file = original_file(shell.folder, {"categories": {name: {"pairs": some} for name, some in pairs.items()}})

    done = shell("submit", file, "--category", "causal", "--category", "物理", "--sample-every", "3")
    unknown = shell("submit", file, "--category", "physics")
    run = find_run(ledger.engine, done.out.strip())

    assert (run.configuration["categories"], run.configuration["sample_every"]) == (["物理", "因果"], 3)
    assert progress_of(ledger.engine, run.id).edits[State.QUEUED] == 3
    assert (unknown.code, unknown.complaint) == (
        2,
        "error: there is no category 'physics'; there are 物理 (physical), 社会 (social), 因果 (causal)",
    )


def test_validate_tells_what_is_in_a_benchmark_and_enters_nothing(shell: Shell) -> None:
    done = shell("validate", original_file(shell.folder, pairs=3))
    told = json.loads(shell("validate", original_file(shell.folder, pairs=3), "--json").out)

    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "benchmark: 3 samples, format original",
        "  images: 1 distinct",
        "  with a reference image: 0; with several sources: 0",
        f"  digest: {told['benchmark']}",
        "  物理 (physical): 3",
    ]
    assert (told["samples"], told["categories"]) == (3, {"物理": 3})
    assert not shell.home.exists()


def test_validate_names_every_fault_and_says_so_by_its_exit_code(shell: Shell) -> None:
    pairs = [pair("a", edit_instruction=" "), pair("b"), pair("b")]

    done = shell("validate", original_file(shell.folder, {"categories": {"物理": {"pairs": pairs}}}))

    assert (done.code, done.out) == (4, "")
    assert len(done.err.splitlines()) == 3
    assert not shell.home.exists()
