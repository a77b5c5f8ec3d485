"""A database that is locked, restarted, killed or frozen is waited for, with the results in hand.

The numbers in the names are those of the fault table in docs/promises.md.
"""

from __future__ import annotations

import sqlite3
import time

import pytest

from tests.factories import original_file
from tests.farm.conftest import LEASE_SECONDS, FarmAt, FarmUnderTest, eventually, ready_workers
from tests.farm.postgres import Postgres
from tests.farm.steps import SIMULATED, attempts, done, finish, running, submit

pytestmark = [pytest.mark.integration, pytest.mark.timeout(200)]


@pytest.mark.chaos
def test_20_a_locked_sqlite_is_waited_for(farm: FarmUnderTest) -> None:
    farm.worker("edit,score")
    run = submit(farm, "editor.seconds=1", pairs=3)
    eventually(lambda: running(farm), farm=farm)

    holder = sqlite3.connect(farm.home / "farm.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    time.sleep(12)
    holder.execute("ROLLBACK")
    holder.close()

    finish(farm, run, edits_done=3)
    assert max(attempts(farm)) <= 2


@pytest.mark.parametrize(
    "how", ["killed", *(pytest.param(how, marks=pytest.mark.chaos) for how in ("restarted", "frozen"))]
)
def test_20_a_postgresql_that_goes_away_is_waited_for(farm_at: FarmAt, broker_url: str, how: str) -> None:
    with Postgres() as postgres:
        farm = farm_at(broker_url, postgres.create("farm"))
        for gpu in range(2):
            farm.worker("edit,score", CUDA_VISIBLE_DEVICES=str(gpu))
        run = submit(farm, "editor.seconds=1", pairs=8)
        eventually(lambda: len(done(farm)) >= 2, farm=farm)

        {"restarted": postgres.stop, "killed": postgres.kill, "frozen": postgres.freeze}[how]()
        time.sleep(LEASE_SECONDS + 1)
        postgres.thaw() if how == "frozen" else postgres.start()

        finish(farm, run, edits_done=8)
        assert max(attempts(farm)) <= 2
        eventually(lambda: len(ready_workers(farm, 2)) == 2, farm=farm)


@pytest.mark.chaos
def test_20_the_run_command_waits_for_a_postgresql_that_goes_away(farm_at: FarmAt, broker_url: str) -> None:
    with Postgres() as postgres:
        farm = farm_at(broker_url, postgres.create("farm"))
        flags = ("--set", "editor.seconds=1", "--workers", "2")
        file = str(original_file(farm.folder, pairs=8))
        run = farm.start("-m", "producer", "run", file, *SIMULATED, *flags, log="run")
        eventually(lambda: len(done(farm)) >= 2, farm=farm)

        postgres.kill()
        time.sleep(8)
        postgres.start()

        assert run.wait(110) == 0, farm.logs()
        assert len(done(farm)) == 8
        assert (farm.folder / "run.log").read_text().count("the database does not answer") == 1
