"""Whether a process makes progress: by its own beats, and by the bytes that move in it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from db.owner import Process, this_process
from tests.conftest import Clock
from workers.parent.vital_signs import LONGEST_LOOK_SECONDS, MOVED_BYTES, Stillness, moved_bytes
from workers.pulse import Pulse, pulse_of


class Moved:
    """How many bytes have moved in the process, as the test says."""

    def __init__(self) -> None:
        self.bytes: int | None = 0

    def __call__(self, _pid: int) -> int | None:
        return self.bytes


@pytest.fixture
def moved() -> Moved:
    return Moved()


@pytest.fixture
def pulse(monkeypatch: pytest.MonkeyPatch) -> Pulse:
    monkeypatch.delenv("EDITFARM_PULSE", raising=False)
    return pulse_of(this_process())


@pytest.fixture
def stillness(pulse: Pulse, moved: Moved, clock: Clock) -> Stillness:
    return Stillness(pulse, moved=moved, clock=lambda: clock.now)


def looked(stillness: Stillness, clock: Clock, seconds: int) -> float:
    """Look once a second for so long; return for how long nothing moved."""
    found = 0.0
    for _ in range(seconds):
        clock.now += 1
        found = stillness.seconds()
    return found


def test_who_does_not_move_stands_still(stillness: Stillness, clock: Clock) -> None:
    assert looked(stillness, clock, 30) == 30


def test_a_beat_is_progress(stillness: Stillness, pulse: Pulse, clock: Clock) -> None:
    looked(stillness, clock, 20)
    pulse.beat()

    assert looked(stillness, clock, 1) == 0
    assert looked(stillness, clock, 5) == 5


def test_a_model_that_is_being_loaded_makes_progress(stillness: Stillness, moved: Moved, clock: Clock) -> None:
    looked(stillness, clock, 20)
    assert moved.bytes is not None
    moved.bytes += MOVED_BYTES

    assert looked(stillness, clock, 1) == 0


def test_a_few_bytes_are_no_progress(stillness: Stillness, moved: Moved, clock: Clock) -> None:
    for _ in range(10):
        assert moved.bytes is not None
        moved.bytes += MOVED_BYTES // 100
        found = looked(stillness, clock, 1)

    assert found == 10


def test_many_small_moves_are_progress_in_the_end(stillness: Stillness, moved: Moved, clock: Clock) -> None:
    found = []
    for _ in range(10):
        assert moved.bytes is not None
        moved.bytes += MOVED_BYTES // 4
        found.append(looked(stillness, clock, 1))

    assert found == [1, 2, 3, 0, 1, 2, 3, 0, 1, 2]


def test_who_waits_for_a_database_does_not_stand_still(stillness: Stillness, pulse: Pulse, clock: Clock) -> None:
    with pulse.patient():
        assert looked(stillness, clock, 100) == 0
    assert looked(stillness, clock, 3) == 3


def test_time_in_which_we_stood_still_ourselves_is_not_held_against_the_child(
    stillness: Stillness, clock: Clock
) -> None:
    clock.now += 3600

    assert stillness.seconds() == LONGEST_LOOK_SECONDS


def test_where_nobody_can_tell_a_child_is_taken_to_move(stillness: Stillness, moved: Moved, clock: Clock) -> None:
    moved.bytes = None

    assert looked(stillness, clock, 100) == 0


# -- bytes of a real process -------------------------------------------------------------------------------------------

SLEEP = "import time; print(flush=True); time.sleep(60)"
READ = "import time; print(flush=True)\nwhile True: open('/dev/zero', 'rb').read(1 << 20); time.sleep(0.01)"
TOUCH = "import time; print(flush=True)\nwhile True: b'1' * (4 << 20); time.sleep(0.01)"
BELOW = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {TOUCH!r}]); time.sleep(60)"
SPIN = "print(flush=True)\nwhile True: pass"


@pytest.fixture
def process(request: pytest.FixtureRequest) -> Iterator[Process]:
    child = subprocess.Popen([sys.executable, "-c", request.param], stdout=subprocess.PIPE, start_new_session=True)
    assert child.stdout is not None
    child.stdout.readline()
    yield Process("here", child.pid, "")
    subprocess.run(["pkill", "-KILL", "-g", str(child.pid)], check=False)
    child.wait()
    child.stdout.close()


def moved_in(process: Process, seconds: float) -> int:
    before = moved_bytes(process.pid)
    time.sleep(seconds)
    after = moved_bytes(process.pid)
    assert before is not None
    assert after is not None
    return after - before


@pytest.mark.parametrize("process", [SLEEP, SPIN], ids=["sleeps", "spins"], indirect=True)
def test_a_process_that_waits_moves_nothing(process: Process) -> None:
    assert moved_in(process, 0.5) < MOVED_BYTES / 10


@pytest.mark.parametrize("process", [READ, TOUCH, BELOW], ids=["reads", "touches", "has a child"], indirect=True)
def test_a_process_that_reads_or_touches_moves_bytes(process: Process) -> None:
    assert moved_in(process, 1.0) > MOVED_BYTES


def test_of_a_process_that_is_gone_nothing_can_be_told() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()

    assert moved_bytes(gone.pid) is None
