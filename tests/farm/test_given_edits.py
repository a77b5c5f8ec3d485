"""Images that were given, judged by real workers: nothing of them is edited, and what is missing stays missing."""

from __future__ import annotations

import json
import signal

import pytest

from db.images import digest_of
from db.tables import Stage
from tests.factories import original_file, png
from tests.farm.conftest import FarmUnderTest, eventually, ready_workers
from tests.farm.steps import done, finish, images_of, rows, sqlite_and_in_chaos_postgresql
from tests.producer.given_folders import pictures

pytestmark = pytest.mark.integration


@sqlite_and_in_chaos_postgresql
def test_real_workers_score_what_is_given_and_edit_nothing(farm_on_each_database: FarmUnderTest) -> None:
    farm = farm_on_each_database
    edits = pictures(farm.folder / "theirs", *(f"物理/p-{number}.png" for number in range(10)))
    file = original_file(farm.folder, pairs=12)
    farm.worker("edit,score")
    eventually(lambda: ready_workers(farm), farm=farm)

    run = farm.producer("submit", file, "--edits", edits, "--scorer", "simulated", "--scorer", "preservation").strip()
    farm.producer("watch", run, code=1)

    report = farm.report(run)
    simulated = report["scorers"][0]["dimensions"][0]["overall"]
    assert (simulated["n"], simulated["scored"], simulated["failed"]["missing"]) == (12, 10, 2)
    assert report["editor"] == "theirs"
    assert set(images_of(farm)) == {digest_of(png(width=number + 1)) for number in range(10)}
    assert {(row.worker, row.started_at) for row in rows(farm)} == {(None, None)}
    assert sorted(row.attempt for row in rows(farm)) == [0, 0] + [1] * 10
    assert len(done(farm, Stage.SCORE)) >= 10
    farm.producer("fsck", run)


@pytest.mark.chaos
def test_a_worker_that_is_killed_among_them_costs_no_score(farm: FarmUnderTest) -> None:
    edits = pictures(farm.folder / "theirs", *(f"p-{number}.png" for number in range(12)))
    flags = ("--scorer", "simulated", "--set", "scorer.seconds=0.2", "--set", "scorer.batch_size=2")
    run = farm.producer("submit", original_file(farm.folder, pairs=12), "--edits", edits, *flags).strip()
    first = farm.worker("score")
    eventually(lambda: done(farm, Stage.SCORE), farm=farm)
    first.send_signal(signal.SIGKILL)
    first.wait(10)
    farm.worker("edit,score", "-n", "second@%h")

    report = finish(farm, run, edits_done=12)

    assert report["scorers"][0]["dimensions"][0]["overall"]["scored"] == 12
    assert {row.worker for row in rows(farm)} == {None}


def test_one_command_does_it_all_and_says_what_is_missing(bare_farm: FarmUnderTest) -> None:
    edits = pictures(bare_farm.folder / "theirs", "p-0.png")
    command = ("run", original_file(bare_farm.folder, pairs=2), "--edits", edits, "--scorer", "simulated", "--json")

    report = json.loads(bare_farm.producer(*command, "--workers", 1, code=1))

    overall = report["scorers"][0]["dimensions"][0]["overall"]
    assert (overall["scored"], overall["failed"]["missing"], overall["coverage"]) == (1, 1, 0.5)
    page = next(bare_farm.home.glob("reports/*/index.html")).read_text()
    assert '"missing"' in page
    score = bare_farm.producer("replay", report["run"], "p-0")
    assert "score of p-0" in score
    assert "the stored score is" in score
