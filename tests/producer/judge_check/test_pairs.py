"""What judges said of pairs is read from both kinds of file; a line that does not hold is named."""

from __future__ import annotations

from typing import Any

import pytest

from db.errors import BenchmarkInvalid
from producer.judge_check.edits import Roster
from producer.judge_check.pairs import Preferred, Verdict, read_pairs
from tests.producer.judge_check.conftest import Write

PAIR = {"sample": "b", "first": "old", "second": "new", "preferred": "first"}


def test_pairs_are_read_from_both_kinds_of_file(roster: Roster, file: Write) -> None:
    lines = [
        PAIR,
        {**PAIR, "first": "new", "second": "old", "judge": "vlm", "preferred": "tie", "repeat": 1, "judge_repeat": 2},
    ]
    rows = [
        "sample,first,second,preferred,judge,repeat,judge_repeat",
        "b,old,new,first,,,",
        "b,new,old,tie,vlm,1,2",
    ]

    found, of_csv = read_pairs(file(lines, "p.ndjson"), roster), read_pairs(file(rows, "p.csv"), roster)

    assert list(found) == [Verdict(None, 1, 2, 8, 0, Preferred.FIRST), Verdict("vlm", 1, 9, 3, 2, Preferred.TIE)]
    assert of_csv == found


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ("5", "expected an object, found a number"),
        ({**PAIR, "preferred": "old"}, "preferred: expected one of first, second, tie, found 'old'"),
        ({**PAIR, "preferred": None}, "preferred is missing"),
        ({**PAIR, "second": None}, "second is missing"),
        ({**PAIR, "second": "old"}, "first and second are the same, 'old'"),
        ({**PAIR, "first": "odd"}, "first 'odd' is none of the runs': 'old', 'new'"),
        ({**PAIR, "sample": "z"}, "sample 'z' is none of the benchmark's: 'a', 'b'"),
        ({**PAIR, "judge_repeat": 100}, "judge_repeat: expected a whole number from 0 to 99, found 100"),
        ({**PAIR, "repeat": 5}, "repeat 5 of sample 'b' is none: its repeats are '0', '1'"),
        (
            {**PAIR, "preferred": "second"},
            "the judge has seen this pair in this order on line 1 already (judge_repeat)",
        ),
    ],
    ids=str,
)
def test_a_pair_that_does_not_hold_is_named(roster: Roster, file: Write, wrong: Any, fault: str) -> None:
    with pytest.raises(BenchmarkInvalid) as refused:
        read_pairs(file([PAIR, wrong]), roster)

    assert refused.value.faults == (f"line 2: {fault}",)


def test_a_file_without_pairs_says_so(roster: Roster, file: Write) -> None:
    with pytest.raises(BenchmarkInvalid) as refused:
        read_pairs(file([""]), roster)

    assert refused.value.faults == ("it has no pairs",)
