"""When the lease keeper trusts the database's clock, and when it takes its worker for stuck, or for well."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from db.ledger import Ledger
from db.tables import Stage
from tests.conftest import Clock
from tests.db.steps import claim_edit, claimed, job_ids, owner
from tests.factories import enter
from workers import lease
from workers.lease import LeaseKeeper
from workers.parent.children import Children
from workers.parent.clock_watch import ClockWatch
from workers.parent.idleness import Idleness
from workers.parent.recovery import RECOVERERS, is_chosen
from workers.pulse import Pulses


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """A clock is a clock."""
    return sqlite_url


@pytest.fixture
def here() -> Clock:
    """This machine's own clock, which nobody sets."""
    return Clock()


@pytest.fixture
def watch(here: Clock) -> ClockWatch:
    return ClockWatch(lambda: here.now)


def passes(seconds: float, *clocks: Clock) -> None:
    for clock in clocks:
        clock.now += seconds


def test_at_the_first_look_nobody_can_tell(watch: ClockWatch, ledger: Ledger) -> None:
    assert not watch.is_steady(ledger)
    assert watch.is_steady(ledger)


def test_time_that_passes_for_both_is_no_jump(watch: ClockWatch, ledger: Ledger, clock: Clock, here: Clock) -> None:
    watch.is_steady(ledger)
    for seconds in (5, 40, 3600):
        passes(seconds, clock, here)
        assert watch.is_steady(ledger)


@pytest.mark.parametrize("hours", [1, -1])
def test_after_a_jump_leases_are_judged_when_all_had_time_to_renew(
    watch: ClockWatch, ledger: Ledger, clock: Clock, here: Clock, hours: int
) -> None:
    watch.is_steady(ledger)
    passes(hours * 3600, clock)
    assert not watch.is_steady(ledger)
    passes(5, clock, here)
    assert watch.is_steady(ledger)


def test_a_clock_that_drifts_is_steady(watch: ClockWatch, ledger: Ledger, clock: Clock, here: Clock) -> None:
    watch.is_steady(ledger)
    passes(5, here)
    passes(7, clock)
    assert watch.is_steady(ledger)


@pytest.mark.parametrize("seen", [True, False], ids=["while it looked", "before it came"])
def test_what_waits_can_start_at_once_though_the_clock_was_set_back(
    watch: ClockWatch, ledger: Ledger, clock: Clock, *, seen: bool
) -> None:
    waiting, held = job_ids(ledger, Stage.EDIT, enter(ledger, 2))
    claimed(ledger, held, owner(1))
    if seen:
        watch.is_steady(ledger)
    clock.now -= 3600
    assert claim_edit(ledger, waiting, owner(2)) is None

    watch.is_steady(ledger)

    assert claimed(ledger, waiting, owner(2)).attempt == 1
    clock.now += 30
    assert ledger.hand_back_lost() == 2


def test_an_hour_that_the_clock_was_put_forward_takes_no_job_from_who_lives(
    watch: ClockWatch, ledger: Ledger, clock: Clock, here: Clock
) -> None:
    (edit,) = job_ids(ledger, Stage.EDIT, enter(ledger))
    claimed(ledger, edit, owner(1))
    watch.is_steady(ledger)

    passes(3600, clock)
    assert ledger.hand_back_lost(judge_leases=watch.is_steady(ledger)) == 0
    passes(5, clock, here)
    assert ledger.renew(owner(1).process) == 1
    assert ledger.hand_back_lost(judge_leases=watch.is_steady(ledger)) == 0


# -- stuck -------------------------------------------------------------------------------------------------------------


def test_a_worker_that_does_nothing_though_it_could_is_idle_until_it_does_something(here: Clock) -> None:
    idleness = Idleness(10, lambda: here.now)
    found = []
    for idle in (True, True, True, False, True):
        passes(5, here)
        found.append(idleness.seconds(idle=idle))

    assert found == [5, 10, 15, 0, 5]


def test_time_in_which_nobody_looked_is_not_held_against_the_worker(here: Clock) -> None:
    idleness = Idleness(10, lambda: here.now)
    passes(3600, here)

    assert idleness.seconds(idle=True) == 10


@pytest.fixture
def keeper() -> LeaseKeeper:
    """The keeper of a worker that has no child yet."""
    return LeaseKeeper(SimpleNamespace(hostname="edit-gpu3@h", pulses=Pulses(), child_output=None))


def test_a_worker_is_well_while_its_children_are(keeper: LeaseKeeper, monkeypatch: pytest.MonkeyPatch) -> None:
    assert keeper._is_well()

    monkeypatch.setattr(Children, "are_well", False)

    assert not keeper._is_well()


def test_a_worker_is_not_well_when_nobody_looks_at_its_children(
    keeper: LeaseKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "STUCK_SECONDS", 0)

    assert not keeper._is_well()


def test_of_a_few_workers_each_looks_for_what_is_lost_and_of_many_only_some() -> None:
    def chosen(living: int) -> int:
        """How many of a thousand different draws choose one of so many workers."""
        draws = iter(number / 1000 for number in range(1000))
        return sum(is_chosen(living, draws.__next__) for _ in range(1000))

    assert (chosen(1), chosen(RECOVERERS)) == (1000, 1000)
    assert (chosen(64), chosen(1000)) == (125, 8)
