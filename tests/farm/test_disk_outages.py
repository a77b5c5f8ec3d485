"""A disk that is full, read-only or slow stops the work for as long, and what was finished is kept.

The numbers in the names are those of the fault table in docs/promises.md.
"""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from tests.farm.conftest import LEASE_SECONDS, FarmUnderTest, eventually
from tests.farm.steps import attempts, done, fill, finish, images_of, planted, pool_child, rows, running, submit

pytestmark = [pytest.mark.integration, pytest.mark.timeout(200)]


def test_21_a_full_disk_stops_the_work_with_one_line_and_it_goes_on_when_there_is_room(
    farm: FarmUnderTest, small_disk: Path
) -> None:
    farm.environment["FARM_IMAGES"] = str(small_disk / "images")
    worker = farm.worker("edit,score")
    run = submit(farm, "editor.seconds=0.2", pairs=6)
    eventually(lambda: done(farm), farm=farm)

    filler = fill(small_disk)
    time.sleep(LEASE_SECONDS + 3)
    stored = set(images_of(farm))
    assert running(farm), "the worker waits with the finished image in hand"
    assert not [row for row in rows(farm) if row.state == "failed"]
    waiting = [
        line for line in (farm.folder / "worker-edit,score.log").read_text().splitlines() if "work.waits" in line
    ]
    assert len(waiting) == 1
    assert "No space left on device" in waiting[0]
    assert pool_child(worker).is_running()
    filler.unlink()

    finish(farm, run, edits_done=6)
    assert attempts(farm) == [1] * 6
    assert stored <= set(images_of(farm))
    leftovers = [path for path in small_disk.rglob(".*") if path.is_file()]
    assert leftovers == []


@pytest.mark.chaos
def test_a_store_that_becomes_read_only_is_waited_for(farm: FarmUnderTest, small_disk: Path) -> None:
    farm.environment["FARM_IMAGES"] = str(small_disk / "images")
    farm.worker("edit,score")
    run = submit(farm, "editor.seconds=0.5", pairs=4)
    eventually(lambda: done(farm), farm=farm)

    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    time.sleep(8)
    assert not [row for row in rows(farm) if row.state == "failed"]
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)

    finish(farm, run, edits_done=4)
    assert attempts(farm) == [1] * 4


@pytest.mark.chaos
def test_a_disk_that_is_slower_than_a_lease_slows_the_work_and_nothing_else(farm: FarmUnderTest) -> None:
    slow = "whole = os.fsync\nos.fsync = lambda descriptor: (time.sleep(4), whole(descriptor))"
    farm.worker("edit,score", **planted(farm.folder, slow))
    run = submit(farm, "editor.seconds=0.2", pairs=1)

    finish(farm, run, edits_done=1)
    assert attempts(farm) == [1]


@pytest.mark.chaos
def test_a_ledger_on_a_full_disk_is_waited_for(farm: FarmUnderTest, small_disk: Path) -> None:
    farm.environment["FARM_DATABASE_URL"] = farm.database_url = f"sqlite:///{small_disk / 'farm.db'}"
    farm.worker("edit,score")
    run = submit(farm, "editor.seconds=0.5", pairs=4)
    eventually(lambda: done(farm), farm=farm)

    filler = fill(small_disk)
    time.sleep(8)
    filler.unlink()

    finish(farm, run, edits_done=4)
    assert max(attempts(farm)) <= 2
