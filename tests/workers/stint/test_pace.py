"""How fast a worker takes itself to be, and what it writes down for others."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from db.ledger import Ledger
from db.outlook import Opening
from db.seats import FASTEST, SLOWEST
from db.tables import Stage, timings
from db.timings import Timing
from tests.factories import configuration
from workers.stint.pace import SECONDS_BETWEEN_WRITES, Pace

MODEL = configuration().editor


class Clock:
    """This process' time, under the test's control."""

    def __init__(self) -> None:
        self.now = 1024.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def here() -> Clock:
    return Clock()


@pytest.fixture
def pace(here: Clock) -> Pace:
    return Pace(here)


def opening(seconds: float = 10.0, *, measured: bool = True, **given: Any) -> Opening:
    """Return edits that take all workers so long on average."""
    fields = {
        "stage": Stage.EDIT,
        "run_id": "run",
        "scorer_id": None,
        "model": MODEL,
        "batch_size": 1,
        "rank": 1,
        "created_at": 0.0,
        "timing": Timing(seconds, 30.0, measured),
        "waiting": 1,
        "running": 0,
        "to_come": 0,
    }
    return Opening(**{**fields, **given})


def written(ledger: Ledger) -> dict[str, tuple[float | None, float | None]]:
    with ledger.read() as (connection, _):
        return {row.model: (row.seconds, row.load_seconds) for row in connection.execute(select(timings))}


# -- how fast ----------------------------------------------------------------------------------------------------------


def test_a_worker_is_as_fast_as_others_until_it_is_measured_against_them(pace: Pace) -> None:
    assert pace.pace == 1.0
    pace.did(opening(10.0, measured=False), 1.0, full=True)
    assert pace.pace == 1.0


@pytest.mark.parametrize(("seconds", "expected"), [(10.0, 1.0), (5.0, 2.0), (40.0, 0.25)])
def test_a_worker_is_faster_the_less_it_needs_for_what_takes_others_ten_seconds(
    pace: Pace, seconds: float, expected: float
) -> None:
    did(pace, *[seconds] * 3)
    assert pace.pace == pytest.approx(expected)


def test_a_worker_is_as_fast_as_others_until_it_is_surely_not(pace: Pace) -> None:
    did(pace, 20.0, 20.0)
    assert pace.pace == 1.0  # two jobs prove little
    did(pace, 20.0)
    assert pace.pace == 0.5


def test_jobs_that_differ_much_prove_little(pace: Pace) -> None:
    did(pace, 8.0, 16.0, 8.0, 16.0)
    assert pace.pace == 1.0
    did(pace, *[8.0, 16.0] * 40)
    assert pace.pace == pytest.approx(10 / 12, rel=0.02)


def test_of_many_jobs_the_newest_counts_a_fiftieth(pace: Pace) -> None:
    did(pace, *[20.0] * 50, 70.0)
    assert pace.pace == pytest.approx(10 / 21)


def test_a_batch_that_is_not_full_tells_nothing_of_the_pace(pace: Pace) -> None:
    did(pace, *[40.0] * 9, full=False)
    assert pace.pace == 1.0


def test_each_model_is_measured_by_itself(pace: Pace) -> None:
    other = opening(1.0, model=configuration(editor={"name": "simulated", "steps": 3}).editor)
    did(pace, *[20.0] * 9)
    pace.did(other, 1.0, full=True)
    assert pace.pace == 1.0


def test_what_cannot_be_true_is_an_error_of_measurement(pace: Pace) -> None:
    did(pace, *[0.001] * 3)
    assert pace.pace == FASTEST == 10.0
    slow = Pace()
    did(slow, *[9999.0] * 3)
    assert slow.pace == SLOWEST == 0.1


def test_jobs_that_take_no_time_are_no_reason_to_break(pace: Pace) -> None:
    did(pace, 0.0, 0.0, 0.0)
    assert pace.pace == 1.0


def did(pace: Pace, *seconds: float, full: bool = True) -> None:
    """Jobs took so long that take all workers ten seconds on average."""
    for one in seconds:
        pace.did(opening(10.0), one, full=full)


# -- until when --------------------------------------------------------------------------------------------------------


def test_what_is_left_of_a_job_grows_less_and_never_below_nothing(pace: Pace, here: Clock) -> None:
    assert pace.seconds_left() == 0
    pace.begins(8.0)
    assert pace.seconds_left() == 8
    here.now += 5
    assert pace.seconds_left() == 3
    here.now += 5
    assert pace.seconds_left() == 0


# -- written down ------------------------------------------------------------------------------------------------------


def test_what_full_batches_took_is_written_and_what_others_took_is_not(pace: Pace, ledger: Ledger) -> None:
    pace.did(opening(), 4.0, full=True)
    pace.did(opening(), 99.0, full=False)
    pace.write(ledger)
    assert written(ledger) == {opening().key: (4.0, None)}


def test_what_part_of_a_batch_took_is_written_where_nothing_better_is_known(pace: Pace, ledger: Ledger) -> None:
    pace.did(opening(measured=False), 99.0, full=False)
    pace.write(ledger)
    assert written(ledger) == {opening().key: (99.0, None)}


def test_where_nothing_was_learned_nothing_is_written(pace: Pace, ledger: Ledger) -> None:
    pace.did(opening(), 99.0, full=False)
    pace.write(ledger)
    assert written(ledger) == {}


def test_it_is_written_now_and_then_and_nothing_is_forgotten_meanwhile(pace: Pace, here: Clock, ledger: Ledger) -> None:
    pace.did(opening(), 10.0, full=True)
    pace.write(ledger)
    pace.did(opening(), 20.0, full=True)
    here.now += SECONDS_BETWEEN_WRITES - 0.5
    pace.write(ledger)
    assert written(ledger) == {opening().key: (10.0, None)}

    pace.did(opening(), 30.0, full=True)
    here.now += 0.5
    pace.write(ledger)
    assert written(ledger) == {opening().key: (pytest.approx((10 + 20 + 30) / 3), None)}


def test_what_a_model_took_to_load_is_written_at_once(pace: Pace, ledger: Ledger) -> None:
    pace.did(opening(), 10.0, full=True)
    pace.write(ledger)
    pace.loaded(opening().key, 42.0)
    pace.write(ledger)
    assert written(ledger) == {opening().key: (10.0, 42.0)}
    assert pace.resident == opening().key


def test_what_was_written_is_not_written_again(pace: Pace, here: Clock, ledger: Ledger) -> None:
    pace.did(opening(), 10.0, full=True)
    pace.write(ledger)
    here.now += 3600
    with ledger.write() as (connection, _):
        connection.exec_driver_sql("UPDATE timings SET seconds = 7.0")
    pace.write(ledger)
    assert written(ledger) == {opening().key: (7.0, None)}


def test_what_a_ledger_did_not_take_is_written_when_it_does(
    pace: Pace, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        pace.did(opening(), 20.0, full=True)  # the GPU goes on meanwhile
        raise OSError("gone")

    pace.did(opening(), 10.0, full=True)
    pace.loaded(opening().key, 42.0)
    with monkeypatch.context() as patched:
        patched.setattr("workers.stint.pace.remember", gone)
        with pytest.raises(OSError, match="gone"):
            pace.write(ledger)

    pace.write(ledger)  # at once: whoever waits for the ledger asks again
    assert written(ledger) == {opening().key: (pytest.approx((10 + 20) / 2), 42.0)}
