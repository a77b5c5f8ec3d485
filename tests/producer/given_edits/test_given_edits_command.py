"""`submit --edits` as a user meets it."""

from __future__ import annotations

import json

import pytest

from db.queries import all_runs
from tests.factories import original_file, pair
from tests.producer.given_folders import pictures
from tests.producer.shell import Shell


@pytest.mark.integration
def test_the_command_prints_the_run_and_says_what_is_missing_and_what_belongs_to_nobody(shell: Shell) -> None:
    file = original_file(shell.folder, pairs=3)
    edits = pictures(shell.folder / "qwen-2.5", "p-0.png", "p-1.png", "grid.png")

    first = shell("submit", file, "--edits", edits, "--scorer", "simulated")
    second = shell("submit", file, "--edits", edits, "--scorer", "simulated", "--editor", "mine")

    assert (first.code, len(first.out.strip())) == (0, 12)
    said = f"1 of 3 edits have no image in {edits}: they count as failed\n1 image file belongs to no sample: grid.png\n"
    assert first.err == said
    with shell.ledger() as ledger:
        labels = [run.configuration["editor"]["label"] for run in all_runs(ledger.engine)]
    assert labels == ["mine", "qwen-2.5"]
    assert second.out != first.out
    assert [len(found) for name, found in shell.messages().items() if name.startswith("score")] == [4]
    assert not [name for name in shell.messages() if name.startswith("edit")]


@pytest.mark.integration
def test_what_is_about_making_edits_is_refused_in_a_line(shell: Shell) -> None:
    file = original_file(shell.folder)
    edits = pictures(shell.folder / "x", "p-0.png", "p-1.png")
    for flags, named in (
        (("--seed", "0"), "--seed is about making edits"),
        (("--fresh",), "--fresh is about making edits"),
        (("--repeats", "1"), "a table says by its `repeat` how many"),
        (("--set", "editor.steps=4"), "--set editor.steps=4 is about making edits"),
        (("--editor", "a\x1b"), "--editor: the label contains a control character"),
        (("--scorer", "nobody"), "no scorer is called 'nobody'"),
    ):
        refused = shell("submit", file, "--edits", edits, *flags)
        assert named in refused.complaint
        assert refused.code == 2
    assert "name them with --edits" in shell("submit", file, "--editor", "given").complaint
    assert not (shell.home / "images").exists()


@pytest.mark.integration
def test_of_a_file_only_what_is_not_about_making_edits_counts(shell: Shell) -> None:
    (shell.folder / "run.yaml").write_text(
        "editor: {name: diffusers, model: some/weights}\nscorers: [psnr]\nseed: 3\nrepeats: 4\nfresh: true\nlimit: 1\n"
    )
    edits = pictures(shell.folder / "x", "p-0.png", "p-1.png")

    done = shell("submit", original_file(shell.folder), "--edits", edits, "--config", "run.yaml")

    assert done.code == 0, done.err
    with shell.ledger() as ledger:
        (run,) = all_runs(ledger.engine)
    found = run.configuration
    assert (found["editor"]["name"], found["seed"], found["repeats"], found["limit"]) == ("given", 0, 1, 1)
    assert [scorer["name"] for scorer in found["scorers"]] == ["psnr"]


@pytest.mark.integration
def test_a_run_of_given_images_can_be_asked_about_and_done_again_as_far_as_it_can(shell: Shell) -> None:
    file = original_file(shell.folder, {"categories": {"物理": [pair("p-0"), pair("p-1")]}})
    edits = pictures(shell.folder / "x", "p-0.png")
    run_id = shell("submit", file, "--edits", edits, "--scorer", "simulated").out.strip()

    again = shell("rescore", run_id, "--scorer", "preservation")
    assert again.code == 0, again.err
    assert "1 edits are there already" in again.err
    assert "queued 0 failed jobs" in shell("retry", run_id).err
    refused = shell("retry", run_id, "--kind", "missing")
    assert (refused.code, "submit that again" in refused.complaint) == (2, True)
    shown = json.loads(shell("show", run_id, "p-1", "--json").out)["edits"][0]
    assert (shown["failure"]["kind"], shown["seed"]) == ("missing", None)
    status = json.loads(shell("status", run_id, "--json").out)
    assert (status["missing"], status["edits"]["failed"]) == (1, 1)
    assert "1 edit failed as missing: no image was given" in shell("status", run_id).out
    assert shell("fsck").code == shell("gc").code == 0
    replayed = shell("replay", run_id, "p-0")
    assert (replayed.code, "edit of p-0" in replayed.out, "score of p-0" in replayed.out) == (0, False, True)
    for flags in (("--stage", "edit"), ("--new-image",), ("-o", "x.png")):
        assert "were given: no editor can make one again" in shell("replay", run_id, "p-0", *flags).complaint
    overall = json.loads(shell("report", run_id, "--json").out)["scorers"][0]["dimensions"][0]["overall"]
    assert (overall["n"], overall["failed"]["missing"], overall["failed"]["edit_failed"]) == (2, 1, 0)
