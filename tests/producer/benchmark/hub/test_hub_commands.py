"""A data set on the Hub from the command line."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.factories import png
from tests.producer.benchmark.hub.data_sets import NOBODY, TEST, TOKEN, TRAIN, parquet
from tests.producer.benchmark.hub.hub_server import Hub, commit_of
from tests.producer.shell import Shell


def settings(hub: Hub, tmp_path: Path) -> dict[str, str]:
    home = str(tmp_path / "home")
    return {"HF_ENDPOINT": hub.url, "HF_HOME": home, "HF_HUB_OFFLINE": "0", "HF_TOKEN": TOKEN, "NO_PROXY": "127.0.0.1"}


@pytest.mark.integration
def test_a_data_set_of_the_hub_is_submitted_and_its_commit_is_in_the_ledger(
    hub: Hub, shell: Shell, tmp_path: Path
) -> None:
    hub.add("o/set", {TRAIN: parquet("a"), TEST: parquet("b")}, token=TOKEN)

    done = shell("submit", "hf://o/set", "--split", "train", **settings(hub, tmp_path))

    assert done.code == 0, done.err
    with sqlite3.connect(shell.home / "farm.db") as connection:
        names = connection.execute("SELECT name, sample_count FROM benchmarks").fetchall()
    connection.close()
    assert names == [(f"o/set@{commit_of('o/set')} train", 1)]
    assert [image.read_bytes() for image in shell.images()] == [png(colour="navy")]
    assert TOKEN in hub.tokens
    assert TOKEN not in done.out + done.err


@pytest.mark.integration
def test_a_command_ends_with_one_line_and_its_code(hub: Hub, tmp_path: Path) -> None:
    shell, how = Shell(tmp_path, "redis://127.0.0.1:1/0"), settings(hub, tmp_path)
    hub.add("o/set", {TRAIN: parquet("a"), TEST: parquet("b")}, token="hf_another")
    hub.add("o/open", {"README.md": b"---\n---\n", TRAIN: parquet("a"), TEST: parquet("b")})
    plan = ("plan", "hf://o/open", "--split", "dev", "--edit-seconds", "1", "--score-seconds", "1")

    gated = shell("validate", "hf://o/set", **how)
    split = shell(*plan, **how)
    nobody = shell("submit", "hf://o/open", **{**how, "HF_ENDPOINT": f"http://user:pass-wort@{NOBODY[7:]}"})

    assert (gated.code, split.code, nobody.code) == (4, 2, 3)
    assert gated.complaint.startswith("error: o/set is gated")
    assert split.complaint == "error: o/open: no split 'dev'; there are: test, train"
    assert "Connection refused" in nobody.complaint
    assert "wort" not in (gated.err + split.err + nobody.err).lower()


@pytest.mark.integration
def test_a_token_that_cannot_be_sent_is_not_repeated(hub: Hub, tmp_path: Path) -> None:
    shell, how = Shell(tmp_path, "redis://127.0.0.1:1/0"), settings(hub, tmp_path)

    done = shell("validate", "hf://o/set", **{**how, "HF_TOKEN": "hf_s3cr3t\x0bWort"})

    assert done.code == 2
    assert done.complaint.endswith("has characters that no token has")
    assert "s3cr3t" not in done.err
