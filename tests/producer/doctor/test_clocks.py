"""What two readings of our clock and one of another say, and from when on it matters."""

from __future__ import annotations

import pytest

from producer.doctor.clocks import clock_reading


def test_a_clock_that_is_read_half_way_has_no_offset() -> None:
    reading = clock_reading(before=100.0, theirs=100.5, after=101.0)

    assert (reading.ahead, reading.give_or_take, reading.surely) == (0.0, 0.5, 0.0)
    assert str(reading) == "agrees with this host's within 500 ms"


@pytest.mark.parametrize(("theirs", "words"), [(160.5, "60 s ahead of this host's"), (40.5, "60 s behind this host's")])
def test_a_clock_ahead_or_behind_is_told_by_how_much(theirs: float, words: str) -> None:
    reading = clock_reading(before=100.0, theirs=theirs, after=101.0)

    assert str(reading) == words
    assert reading.surely == 59.5  # half a second of the way there and back may explain the rest


def test_what_a_slow_answer_explains_is_no_difference() -> None:
    assert clock_reading(before=100.0, theirs=100.0, after=120.0).surely == 0.0
