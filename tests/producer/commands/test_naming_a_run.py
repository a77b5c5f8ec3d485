"""How a command is told which run is meant."""

from __future__ import annotations

import json

import pytest

from db.ledger import Ledger
from tests.producer.by_hand import RunByHand
from tests.producer.shell import Shell

pytestmark = pytest.mark.integration


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
