"""`rescore`: new scores on edits that are there, from the command line; whole or not at all wherever it is killed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from db.engine import open_engine, reading, transaction
from db.images import FolderStore
from db.judge_prompts import built_in_prompts
from db.ledger import Ledger
from db.queries import all_runs, find_run, progress_of
from db.tables import Stage, State, run_scorers, runs
from db.upkeep.finding import Inspection
from db.upkeep.fsck import findings
from producer.benchmark import open_benchmark
from producer.choices import choose_scorers
from producer.rescore import rescore
from producer.submit import submit
from tests.conftest import Clock
from tests.db.steps import claim_edit, finish_edit, job_ids
from tests.factories import configuration, original_file, pair, png
from tests.producer.shell import Shell
from tests.producer.test_submit_crashes import Death, Killed

JUDGE = {"name": "api", "model": "judge", "base_url": "http://127.0.0.1:8000/v1"}
OWN = {"categories": [{"name": "物理", "user_prompt": "Is {edit_instruction} done?", "pairs": [pair("p-0")]}]}


def submitted(folder: Path, ledger: Ledger, images: FolderStore, content: Any = None, **given: Any) -> str:
    """Submit a benchmark and make its edits; return the run's id."""
    benchmark = open_benchmark(original_file(folder, content))
    asked = configuration(**given)
    run_id = submit(benchmark, asked, ledger=ledger, images=images, send=lambda _: None).run_id
    make_edits(ledger, images, run_id)
    return run_id


def make_edits(ledger: Ledger, images: FolderStore, run_id: str) -> None:
    for edit_id in job_ids(ledger, Stage.EDIT, run_id):
        claim = claim_edit(ledger, edit_id)
        if claim is not None:
            finish_edit(ledger, claim, images.put(png(colour="red")), seconds=1.0)


def scored_anew(ledger: Ledger, run_id: str, *scorers: Any, **others: Any) -> str:
    run = find_run(ledger.engine, run_id)
    asked = choose_scorers(
        {**run.configuration, "scorers": list(scorers) or run.configuration["scorers"]},
        file=None, scorers=(), settings=(), others=others,
    )  # fmt: skip
    return rescore(run, asked, ledger=ledger, send=lambda _: None).run_id


def prompts(ledger: Ledger, run_id: str) -> dict[str, Any]:
    with reading(ledger.engine) as connection:
        choice = connection.scalars(select(run_scorers.c.configuration).where(run_scorers.c.run_id == run_id)).one()
    found: dict[str, Any] = choice["options"]["prompts"]
    return found


def test_a_new_judge_is_given_the_benchmarks_own_prompts(tmp_path: Path, ledger: Ledger, images: FolderStore) -> None:
    run_id = submitted(tmp_path, ledger, images, OWN)

    new_id = scored_anew(ledger, run_id, JUDGE)
    asked_at_once = submitted(tmp_path, ledger, images, OWN, scorers=[JUDGE])

    assert prompts(ledger, new_id)["物理"]["user"] == "Is {{ edit_instruction }} done?"
    assert new_id == asked_at_once  # the very run that submit would have made


def test_of_a_run_without_kept_prompts_a_judge_has_those_built_in(
    tmp_path: Path, ledger: Ledger, images: FolderStore
) -> None:
    run_id = submitted(tmp_path, ledger, images, OWN)
    with transaction(ledger.engine) as connection:
        connection.execute(update(runs).values(prompts=None))
    run = find_run(ledger.engine, run_id)

    asked = configuration(scorers=[JUDGE])
    rescored = rescore(run, asked, ledger=ledger, send=lambda _: None)

    assert rescored.without_own_prompts
    assert prompts(ledger, rescored.run_id).keys() == built_in_prompts("generate").keys()


def test_submitting_again_teaches_an_older_run_its_prompts(tmp_path: Path, ledger: Ledger, images: FolderStore) -> None:
    run_id = submitted(tmp_path, ledger, images, OWN)
    with transaction(ledger.engine) as connection:
        connection.execute(update(runs).values(prompts=None))

    submitted(tmp_path, ledger, images, OWN)

    assert find_run(ledger.engine, run_id).prompts == {"物理": {"system": None, "user": "Is {edit_instruction} done?"}}


def test_what_is_not_given_is_as_the_run_has_it(tmp_path: Path, ledger: Ledger, images: FolderStore) -> None:
    run_id = submitted(tmp_path, ledger, images, seed=3, repeats=2, limit=1, aggregate="mean")

    first = find_run(ledger.engine, scored_anew(ledger, run_id, "psnr")).configuration
    second = find_run(ledger.engine, scored_anew(ledger, run_id, aggregate="none")).configuration

    stored = find_run(ledger.engine, run_id).configuration
    for name in ("editor", "seed", "repeats", "limit"):
        assert first[name] == second[name] == stored[name]
    assert (first["scorers"][0]["name"], first["aggregate"]) == ("psnr", "mean")
    assert second["scorers"] == stored["scorers"]
    assert "aggregate" not in second


# -- killed ------------------------------------------------------------------------------------------------------------


def attempt(folder: Path, death: Death, clock: Clock) -> tuple[Ledger, FolderStore]:
    """Submit, make the edits, and rescore until death strikes; return what is left of it."""
    folder.mkdir(exist_ok=True)
    engine = open_engine(f"sqlite:///{folder / 'ledger.db'}")
    ledger, images = Ledger(engine, clock=clock), FolderStore(folder / "images")
    if not all_runs(engine):
        submitted(folder, ledger, images)
    first = min(all_runs(engine), key=lambda run: run.created_at)
    with death.over(engine):
        rescore(first, configuration(scorers=["psnr"]), ledger=ledger, send=death.send)
    return ledger, images


def test_a_rescore_that_is_killed_at_any_step_is_in_whole_or_not_at_all(tmp_path: Path, clock: Clock) -> None:
    whole = Death(1_000_000)
    attempt(tmp_path / "whole", whole, clock)[0].engine.dispose()
    steps = 1_000_000 - whole.left
    assert steps > 10
    seen = set()
    for step in range(steps):
        folder = tmp_path / str(step)
        with pytest.raises(Killed):
            attempt(folder, Death(step), clock)
        engine = open_engine(f"sqlite:///{folder / 'ledger.db'}")
        left = [progress_of(engine, run.id) for run in all_runs(engine)]
        engine.dispose()
        seen.add(len(left))
        assert {(one.edits[State.DONE], one.scores.total) for one in left} == {(2, 2)}, step

        ledger, images = attempt(folder, Death(1_000_000), clock)
        assert len(all_runs(ledger.engine)) == 2, step
        assert list(findings(Inspection(ledger, images, None, repair=False))) == [], step
        ledger.engine.dispose()
    assert seen == {1, 2}


# -- the command -------------------------------------------------------------------------------------------------------


@pytest.mark.integration
def test_rescore_prints_the_new_id_alone_and_rings_for_the_scores(shell: Shell) -> None:
    run_id = shell("submit", original_file(shell.folder)).out.strip()
    with shell.ledger() as ledger:
        make_edits(ledger, FolderStore(shell.home / "images"), run_id)

    first = shell("rescore", run_id, "--scorer", "psnr", "--set", "scorer.repeats=2", "--priority", "high")
    second = shell("rescore", run_id[:6], "--scorer", "psnr", "--set", "scorer.repeats=2")

    assert (first.code, len(first.out.strip()), first.out) == (0, 12, second.out)
    assert f"2 edits are there already: run {run_id} asked for the same" in first.err
    assert "says the same each of the 2 times" in first.err
    assert f"run {first.out.strip()} was asked for before" in second.err
    with shell.ledger() as ledger:
        assert progress_of(ledger.engine, first.out.strip()).scores.by_state == {State.QUEUED: 4}
    assert [len(found) for name, found in shell.messages().items() if name.startswith("score")] == [4]


@pytest.mark.integration
def test_what_cannot_be_rescored_is_refused_in_a_line(shell: Shell) -> None:
    run_id = shell("submit", original_file(shell.folder), "--fresh").out.strip()

    assert "2 of them are still to come" in shell("rescore", run_id, "--scorer", "psnr").complaint
    assert "no scorer is called 'nobody'" in shell("rescore", run_id, "--scorer", "nobody").complaint
    editor = shell("rescore", run_id, "--set", "editor.steps=4")
    assert editor.complaint == (
        "error: --set editor.steps=4: expected scorer.OPTION=VALUE or scorer.LABEL.OPTION=VALUE"
    )
    dead = shell("rescore", run_id, FARM_BROKER_URL="redis://127.0.0.1:1/0")
    assert dead.code == 3
    assert shell.rows()["runs"] == 1
