"""What models took lately: remembered across runs, and expected where nothing is known."""

from __future__ import annotations

import threading

import pytest

from db.choice import ModelChoice
from db.ledger import Ledger
from db.tables import Stage
from db.timings import EDIT_SECONDS, LOAD_SECONDS, SCORE_SECONDS, Timing, expected, known_timings, remember, timing_key
from tests.db.test_ledger_threads import at_once

GUESS = Timing(10.0, 30.0)


def known(ledger: Ledger, key: str = "a") -> Timing:
    with ledger.read() as (connection, _):
        return known_timings(connection, {key: GUESS})[key]


def remembered(
    ledger: Ledger, *seconds: float, load: float | None = None, partly: float | None = None, key: str = "a"
) -> None:
    with ledger.write() as (connection, now):
        remember(connection, now, key, seconds, load, partly)


def model(name: str, **options: object) -> ModelChoice:
    return ModelChoice(name=name, label="any", options=options)


def test_what_nothing_is_known_of_stays_as_it_is_expected(ledger: Ledger) -> None:
    remembered(ledger, 2.0, key="b")
    assert known(ledger) == GUESS
    assert not GUESS.measured


def test_the_first_measurement_is_what_is_known(ledger: Ledger) -> None:
    remembered(ledger, 2.0)
    assert known(ledger) == Timing(2.0, 30.0, measured=True)


def test_the_first_ones_count_alike(ledger: Ledger) -> None:
    remembered(ledger, 2.0)
    remembered(ledger, 12.0, 4.0)
    assert known(ledger).seconds == pytest.approx(6.0)


def test_of_many_the_newest_counts_a_fiftieth(ledger: Ledger) -> None:
    remembered(ledger, *[2.0] * 50)
    remembered(ledger, 52.0)
    assert known(ledger).seconds == pytest.approx(3.0)


def test_part_of_a_batch_counts_until_a_full_one_is_measured(ledger: Ledger) -> None:
    remembered(ledger, partly=9.0)
    assert known(ledger) == Timing(9.0, 30.0, measured=True)
    remembered(ledger, 2.0, partly=9.0)
    remembered(ledger, partly=9.0)
    assert known(ledger).seconds == 2.0


def test_of_loading_the_last_time_is_known(ledger: Ledger) -> None:
    remembered(ledger, load=50.0)
    assert known(ledger) == Timing(10.0, 50.0, measured=False)
    remembered(ledger, load=5.0)
    remembered(ledger, 2.0)
    assert known(ledger) == Timing(2.0, 5.0, measured=True)


def test_many_who_measure_at_once_lose_nothing_and_fail_nobody(ledger: Ledger) -> None:
    at_once(8, lambda _number: remembered(ledger, 4.0, load=9.0))
    assert known(ledger).seconds == pytest.approx(4.0)
    assert known(ledger).load_seconds == 9.0


def test_who_enters_a_model_that_another_is_just_entering_adds_to_it(ledger: Ledger) -> None:
    with ledger.write() as (connection, now):
        remember(connection, now, "a", [2.0])
        other = threading.Thread(target=remembered, args=(ledger, 12.0))
        other.start()
        other.join(0.3)  # it waits for this transaction
    other.join(60)
    assert known(ledger).seconds == pytest.approx(7.0)


# -- names and guesses -------------------------------------------------------------------------------------------------


def test_a_model_is_known_by_stage_name_and_options_in_any_order_and_not_by_its_label() -> None:
    key = timing_key(Stage.SCORE, model("simulated", seed=1, steps=2))
    assert key == timing_key(Stage.SCORE, ModelChoice(name="simulated", label="x", options={"steps": 2, "seed": 1}))
    others = [
        timing_key(Stage.EDIT, model("simulated", seed=1, steps=2)),
        timing_key(Stage.SCORE, model("reference", seed=1, steps=2)),
        timing_key(Stage.SCORE, model("simulated", seed=1, steps=3)),
    ]
    assert len({key, *others}) == 4
    assert len(key) == 64


def test_what_fills_no_gpu_is_expected_to_take_no_time_to_load() -> None:
    assert expected(Stage.EDIT, model("simulated")) == Timing(EDIT_SECONDS, LOAD_SECONDS)
    assert expected(Stage.SCORE, model("simulated")) == Timing(SCORE_SECONDS, LOAD_SECONDS)
    assert expected(Stage.EDIT, model("pillow")) == Timing(EDIT_SECONDS, 0.0)
    assert expected(Stage.SCORE, model("psnr")) == Timing(SCORE_SECONDS, 0.0)
