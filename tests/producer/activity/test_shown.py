"""What a watch shows of what its workers say, beside what the ledger knows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from db.activity import Activity
from db.ledger import Ledger
from tests.producer.activity.conftest import (
    STEP,
    WORKER,
    Broker,
    hear,
    row_shown,
)
from tests.producer.by_hand import RunByHand


@pytest.mark.integration
@pytest.mark.parametrize("terminal", [False, True], ids=["pipe", "terminal"])
def test_a_row_shows_gpu_step_and_rate_of_the_sample_under_way(broker: Broker, ledger: Ledger, terminal: bool) -> None:
    run = RunByHand(ledger)
    run.start_edit("a", worker=WORKER)

    row = row_shown(run, "[GPU 2]", lambda: broker.say(STEP), terminal=terminal)

    assert row.startswith("[GPU 2] edit simulated step 23/40 1.8 it/s a ")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        pytest.param(STEP, "[GPU 2] edit simulated step 23/40 1.8 it/s a", id="steps"),
        pytest.param(
            replace(STEP, what="loading", steps=0), "[GPU 2] edit simulated loading a", id="before the first step"
        ),
        pytest.param(replace(STEP, key="b"), "[GPU 2] edit simulated a", id="of the sample before"),
        pytest.param(replace(STEP, key=""), "[GPU 2] edit simulated a", id="of no sample"),
        pytest.param(replace(STEP, gpu="2,3"), "[GPU 2,3] edit simulated step 23/40 1.8 it/s a", id="on two GPUs"),
        pytest.param(replace(STEP, gpu=""), "edit-gpu2 edit simulated step 23/40 1.8 it/s a", id="on no GPU"),
        pytest.param(None, "edit-gpu2 edit simulated a", id="nothing"),
    ],
)
def test_a_row_shows_what_its_worker_said_of_the_sample_under_way(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, said: Activity | None, shown: str
) -> None:
    hear(said, monkeypatch)
    run = RunByHand(ledger)
    run.start_edit("a", worker=WORKER)

    assert row_shown(run, shown.partition(" ")[0]).startswith(f"{shown} ")


@pytest.mark.parametrize(("key", "doing"), [("a", "score 严 scoring"), ("b", "score 严 scoring"), ("c", "score 严")])
def test_a_row_of_a_batch_shows_what_was_said_of_any_of_its_samples(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, key: str, doing: str
) -> None:
    hear(Activity("2", "scoring", "judge", key), monkeypatch)
    run = RunByHand(ledger)
    run.edit("a", "b")
    run.start_score("a", "严", worker=WORKER)
    run.start_score("b", "严", worker=WORKER)

    assert row_shown(run, "[GPU 2]").startswith(f"[GPU 2] {doing} 2 samples ")


def test_a_row_is_not_shown_what_another_worker_said(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    hear(STEP, monkeypatch)
    run = RunByHand(ledger)
    run.start_edit("a", worker="edit-gpu3@host")

    assert row_shown(run, "edit-gpu3").startswith("edit-gpu3 edit simulated a ")
