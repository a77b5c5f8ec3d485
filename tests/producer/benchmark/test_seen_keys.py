"""Keys that were used before: found, and in memory that does not grow."""

from __future__ import annotations

import subprocess
import sys

import pytest

from producer.benchmark.seen_keys import SeenKeys


def test_a_key_is_told_where_it_was_used_first_in_its_category() -> None:
    with SeenKeys() as keys:
        assert keys.first_place("a", "p", "line 1") is None
        assert keys.first_place("b", "p", "line 2") is None
        assert keys.first_place("a", "P", "line 3") is None
        assert keys.first_place("a", "p", "line 4") == "line 1"
        assert keys.first_place("a", "p", "line 5") == "line 1"
        assert keys.first_place("物", "é'\"", "line 6") is None
        assert keys.first_place("物", "é'\"", "line 7") == "line 6"


MEASURE = """
from producer.benchmark.seen_keys import SeenKeys

def peak():  # not `ru_maxrss`, which begins with that of the process that started this one
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

def enter(keys, numbers):
    return [keys.first_place("category", f"{number:032x}" * 3, f"line {number}") for number in numbers]

with SeenKeys() as keys:
    enter(keys, range(40_000))
    before = peak()
    for start in range(40_000, 200_000, 10_000):
        assert not any(enter(keys, range(start, start + 10_000)))
    assert enter(keys, [7, 199_999]) == ["line 7", "line 199999"]
    print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_200_000_keys_take_no_more_memory_than_some() -> None:
    measured = subprocess.run([sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True)

    assert int(measured.stdout) < 4000  # kilobytes; the keys and places are 25 MB
