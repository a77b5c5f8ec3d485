"""`import-scores` as a user meets it."""

from __future__ import annotations

import re

import pytest

from tests.factories import original_file
from tests.producer.published_scores.importing import line, scores_file
from tests.producer.shell import Shell


@pytest.mark.integration
def test_import_scores_prints_the_ids_and_needs_no_broker(shell: Shell) -> None:
    path = scores_file(shell.folder, [line(dimension="SC"), line(editor="model-y", dimension="SC", value=3)])

    first = shell("import-scores", path, FARM_BROKER_URL="redis://127.0.0.1:1/0")
    second = shell("import-scores", path)

    assert first.code == second.code == 0
    assert re.fullmatch(r"([0-9a-f]{12}\n){2}", first.out)
    assert second.out == first.out
    assert "scores by gpt-4o are made of their dimensions: mean (--aggregate)" in first.err
    assert second.err.count("imported before") == 2
    report = shell("report", first.out.split()[1])
    assert (report.code, "3.00" in report.out) == (0, True)
    assert shell("fsck").code == 0


@pytest.mark.integration
def test_faults_are_listed_with_exit_code_4(shell: Shell) -> None:
    refused = shell("import-scores", scores_file(shell.folder, [line(value=11), "5"]))

    assert (refused.code, refused.out) == (4, "")
    assert [part.strip() for part in refused.err.splitlines()[1:]] == [
        "line 1: value is 11, which is not from 0 to 10 (--scale)",
        "line 2: expected an object, found a number",
    ]
    assert shell("import-scores", "nowhere.jsonl").code == 4


@pytest.mark.integration
def test_nothing_can_be_run_with_what_was_imported(shell: Shell) -> None:
    run_id = shell("import-scores", scores_file(shell.folder, [line()])).out.strip()

    for refused in (shell("retry", run_id), shell("rescore", run_id, "--scorer", "psnr")):
        assert refused.code == 2
        assert refused.complaint == (
            f"error: run {run_id} was imported: its edits and scores were made elsewhere, nothing of it can be run"
        )
    for flag in ("--editor", "--scorer"):
        refused = shell("submit", original_file(shell.folder), flag, "imported")
        assert refused.code == 2
        assert "'imported' stands for what others have published; nothing can be run with it" in refused.complaint
