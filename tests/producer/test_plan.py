"""How long a run takes, told beforehand: by arithmetic that can be checked by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from db.ledger import Ledger
from db.outlook import Lookout
from db.owner import this_process
from db.presence import enter_worker
from db.tables import Stage
from db.timings import remember
from producer.plan import forecast, plan_for, work_of
from producer.words import in_words
from tests.factories import enter, original_file
from tests.producer.shell import Shell


def work(samples: int = 90, **given: float):  # type: ignore[no-untyped-def]
    fields = {"edit_seconds": 10.0, "score_seconds": 1.0, "batch_size": 4, "swap_seconds": 30.0, **given}
    return work_of(samples, **fields)


def test_one_card_loads_edits_changes_and_scores() -> None:
    plan = plan_for(work(), [1.0])

    assert plan.seconds == 30 + 900 + 30 + 90
    assert (plan.editors, plan.scorers) == (1, 0)


def test_where_a_change_costs_nothing_the_cards_share_all_work() -> None:
    assert plan_for(work(swap_seconds=0), [1.0] * 5).seconds == pytest.approx((900 + 90) / 5, rel=0.02)


def test_where_a_change_costs_much_some_begin_as_scorers() -> None:
    plan = plan_for(work(samples=900, score_seconds=5, swap_seconds=600), [1.0] * 6)

    assert plan.scorers == 2  # a third of the work
    assert plan.editors == 4


def test_a_card_more_brings_less_than_its_share() -> None:
    plan = plan_for(work(), [1.0, 1.0])

    assert plan.seconds * 2 / 3 < plan.seconds_with_one_more < plan.seconds


def test_a_fast_card_counts_for_more() -> None:
    assert plan_for(work(), [2.0]).seconds == 30 + 450 + 30 + 45


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (119, "2 min"), (89, "89 s"), (7140, "119 min"), (7200, "2 h")]
)
def test_a_duration_is_told_in_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


def test_the_command_counts_the_samples_and_tells_the_plan(shell: Shell, tmp_path: Path) -> None:
    file = original_file(tmp_path, pairs=3)

    told = json.loads(shell("plan", file, "--edit-seconds", "10", "--score-seconds", "2", "--json").out)

    assert told == {
        "samples": 3,
        "gpus": 1,
        "seconds": 30 + 30 + 30 + 16,  # no less than one full batch of eight
        "editors": 1,
        "scorers": 0,
        "seconds_with_one_more": told["seconds_with_one_more"],
    }


def test_a_benchmark_with_faults_is_refused(shell: Shell, tmp_path: Path) -> None:
    broken = original_file(tmp_path, content={"categories": []})

    told = shell("plan", broken, "--edit-seconds", "10", "--score-seconds", "2")

    assert (told.code, told.out) == (4, "")


def test_the_farm_forecasts_by_what_its_models_took(ledger: Ledger) -> None:
    enter(ledger, 4, scorers=[{"name": "simulated", "batch_size": 1}])
    engine = ledger.engine
    assert forecast(engine) is None  # nobody there

    enter_worker(engine, "w@h", this_process(), "0", ["edit", "score"])
    assert forecast(engine) is None  # nothing known

    with ledger.write() as (connection, now):
        openings = {opening.stage: opening.key for opening in Lookout().look(connection, now).openings}
        remember(connection, now, openings[Stage.EDIT], [10.0], 5.0)
        remember(connection, now, openings[Stage.SCORE], [2.0], 7.0)

    assert forecast(engine) == pytest.approx(7 + 40 + 7 + 8)
