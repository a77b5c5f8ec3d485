"""How often a watch asks the ledger."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import Engine

from db.lately import Lately, finished_lately
from db.ledger import Ledger
from producer import watch as watching
from producer.watch import pace as pacing
from producer.watch.pace import Pace
from tests.producer.by_hand import RunByHand
from tests.producer.watch.watched import Steps, idle, watched


def test_how_fast_it_goes_is_asked_seldom_and_once_more_at_the_end(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def counted(engine: Engine, run_id: str) -> Lately:
        asked.append(run_id)
        return finished_lately(engine, run_id)

    monkeypatch.setattr(pacing, "finished_lately", counted)
    monkeypatch.setattr(pacing, "PACE_SECONDS", 60)
    run = RunByHand(ledger, [("物理", "a")])

    watched(run, Steps(*[idle] * 20, lambda: run.fail_edit("a")))

    assert len(asked) == 2


def test_asking_how_fast_it_goes_takes_a_hundredth_of_the_time(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    now, asked = [1000.0], []

    def slow(_engine: Engine, _run_id: str) -> Lately:
        asked.append(now[0])
        now[0] += 0.5
        return Lately(now[0], (), 0)

    monkeypatch.setattr(pacing, "finished_lately", slow)
    pace = Pace(ledger.engine, "run", clock=lambda: now[0])

    for at in (1000.0, 1010.0, 1049.0, 1051.0):
        now[0] = at
        pace.look()

    assert asked == [1000.0, 1051.0]


def test_looks_that_take_long_come_less_often_but_they_come(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LOOK_SHARE", 1e-9)
    monkeypatch.setattr(watching, "LONGEST_LOOK_SECONDS", 0.2)
    run = RunByHand(ledger, [("物理", "a")])
    began = time.monotonic()

    watched(run, Steps(idle, idle, lambda: run.fail_edit("a")))

    assert 0.6 <= time.monotonic() - began < 5
