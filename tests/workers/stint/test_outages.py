"""What is waited for, how, and what is not."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import structlog
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError

from db.errors import ServiceUnreachable
from workers.models.errors import ModelFault
from workers.stint import outages as module
from workers.stint.outages import Outages, at_once, may_pass

LOCKED = OperationalError("UPDATE edits", {}, sqlite3.OperationalError("database is locked"))
FULL = OSError(errno.ENOSPC, "No space left on device", "/farm/images")


class Failing:
    """Fails so often, then answers."""

    def __init__(self, error: Exception, times: int) -> None:
        self.error, self.times, self.calls = error, times, 0

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self.times:
            raise self.error
        return "done"


@pytest.fixture
def log() -> Iterator[structlog.testing.CapturingLogger]:
    with structlog.testing.capture_logs() as entries:
        yield entries  # type: ignore[misc]


@pytest.mark.parametrize(
    "error",
    [
        LOCKED,
        FULL,
        InterfaceError("SELECT 1", {}, Exception("connection is closed")),
        DBAPIError("SELECT 1", {}, Exception("gone"), connection_invalidated=True),
        ServiceUnreachable("no database answers"),
        ConnectionResetError("reset by peer"),
    ],
)
def test_what_may_pass_is_tried_until_it_has_passed(error: Exception) -> None:
    slept: list[float] = []
    call = Failing(error, times=4)

    assert Outages(sleep=slept.append).outlast("the ledger", call) == "done"
    assert (call.calls, len(slept)) == (5, 4)


@pytest.mark.parametrize(
    "error", [IntegrityError("INSERT", {}, Exception("unique")), ModelFault("no image"), ValueError("a bug")]
)
def test_what_cannot_pass_is_raised_at_once(error: Exception) -> None:
    call = Failing(error, times=1)

    with pytest.raises(type(error)):
        Outages(sleep=pytest.fail).outlast("the ledger", call)
    assert not may_pass(error)
    assert call.calls == 1


def test_waits_grow_differ_and_are_bounded() -> None:
    waits: list[list[float]] = []
    for _ in range(5):
        slept: list[float] = []
        Outages(sleep=slept.append).outlast("the ledger", Failing(LOCKED, times=12))
        waits.append(slept)

    assert all(0 <= wait <= module.LONGEST_WAIT_SECONDS for slept in waits for wait in slept)
    assert sum(slept[-1] for slept in waits) > sum(slept[0] for slept in waits)
    assert len({round(slept[-1], 6) for slept in waits}) > 1


def test_an_outage_that_does_not_end_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_SECONDS", 0.0)

    with pytest.raises(OSError, match="No space left"):
        Outages(sleep=lambda _seconds: None).outlast("the image store", Failing(FULL, times=10))


def test_one_line_says_that_work_waits_and_one_that_it_goes_on(log: list[dict[str, object]]) -> None:
    Outages(sleep=lambda _seconds: None).outlast("the image store", Failing(FULL, times=3))

    assert [(entry["event"], entry["on"]) for entry in log] == [
        ("work.waits", "the image store"),
        ("work.goes_on", "the image store"),
    ]
    assert "No space left on device: '/farm/images'" in str(log[0]["reason"])


def test_a_call_that_succeeds_says_nothing(log: list[dict[str, object]]) -> None:
    assert Outages().outlast("the ledger", lambda: 7) == 7
    assert log == []


def test_whoever_watches_sees_what_is_waited_for_and_for_how_long() -> None:
    seen: list[str] = []

    @contextmanager
    def shown() -> Iterator[None]:
        seen.append("in")
        yield
        seen.append("out")

    Outages(shown=shown, wait=seen.append, sleep=lambda _seconds: seen.append("slept")).outlast(
        "the ledger", Failing(LOCKED, times=1)
    )

    assert seen == ["in", "waiting for the ledger", "slept", "out"]


def test_who_is_told_to_stop_while_it_waits_stops() -> None:
    class Stop(BaseException):
        pass

    def told(_what: str) -> None:
        raise Stop

    with pytest.raises(Stop):
        Outages(wait=told).outlast("the ledger", Failing(LOCKED, times=1))


def test_those_who_wait_for_nothing_call_once() -> None:
    call: Callable[[], str] = Failing(LOCKED, times=1)

    with pytest.raises(OperationalError):
        at_once("the ledger", call)
