"""`submit` as a user meets it: what it prints, what it leaves, what it says where it cannot."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
import redis

from db.ledger import Ledger
from db.queries import find_run, progress_of
from db.tables import State
from tests.factories import original_file, pair
from tests.producer.shell import DEAD, SECRET, Finished, Shell, command

pytestmark = pytest.mark.integration


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


NO_IMAGE = "image is not decodable: none of PNG, JPEG, WEBP, BMP, TIFF, GIF"


# -- submit ------------------------------------------------------------------------------------------------------------


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


# -- mistakes ----------------------------------------------------------------------------------------------------------


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
