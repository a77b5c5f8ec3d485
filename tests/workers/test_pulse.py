"""What child and parent see of each other through shared memory; with real processes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from multiprocessing.connection import Connection
from typing import Any

import pytest

from db.owner import Owner, Process, process_of, this_process
from db.tables import Stage
from workers.models.errors import Withdrawn
from workers.pulse import SLOTS, Pulse, Pulses, pulse_of

Act = Callable[[Pulse], Any]


def _obey(orders: Connection) -> None:
    """Do to this process' own pulse what the test says, and answer what came of it."""
    pulse = pulse_of(this_process())
    orders.send("ready")
    with pulse.patient():
        pass
    entered: list[AbstractContextManager[Any]] = []
    while (order := orders.recv()) is not None:
        name, arguments = order
        try:
            if name == "leave":
                orders.send(entered.pop().__exit__(None, None, None))
            elif name in ("holding", "loading"):
                entered.append(getattr(pulse, name)())
                orders.send(entered[-1].__enter__())
            else:
                orders.send(getattr(pulse, name)(*arguments))
        except Withdrawn:
            orders.send("withdrawn")


class Child:
    """A process of its own that shows a pulse."""

    def __init__(self) -> None:
        spawning = multiprocessing.get_context("spawn")
        self._orders, theirs = spawning.Pipe()
        self._process = spawning.Process(target=_obey, args=(theirs,))
        self._process.start()
        assert self._orders.recv() == "ready"
        assert self._process.pid is not None
        self.process = process_of(self._process.pid)

    def does(self, name: str, *arguments: str) -> Any:
        self._orders.send((name, arguments))
        return self._orders.recv()

    def kill(self) -> None:
        self._process.kill()
        self._process.join()


@pytest.fixture
def pulses(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pulses]:
    monkeypatch.setenv("EDITFARM_PULSE", "")  # put back as it was when the test ends
    yield Pulses()


@pytest.fixture
def child(pulses: Pulses) -> Iterator[Child]:
    child = Child()
    yield child
    child.kill()


def only(pulses: Pulses) -> Pulse:
    (pulse,) = pulses.of_children()
    return pulse


def test_a_parent_sees_who_works_and_at_what(pulses: Pulses, child: Child) -> None:
    child.does("begin", "d-1", "edit 17")

    seen = only(pulses)
    assert seen.process == child.process
    assert (seen.delivery, seen.job, seen.is_patient) == ("d-1", "edit 17", False)
    assert seen.owner(this_process()) == Owner(child.process, "d-1", this_process())


def test_a_child_between_two_jobs_holds_nothing(pulses: Pulses, child: Child) -> None:
    child.does("begin", "d-1", "edit 17")
    child.does("end")

    assert only(pulses).owner(this_process()) is None
    assert only(pulses).finished == 1


def test_a_child_holds_between_two_jobs_of_a_stint_and_not_after_it(pulses: Pulses, child: Child) -> None:
    assert not only(pulses).is_holding
    child.does("holding")
    child.does("begin", "d-1", "edit 17")
    child.does("end")
    assert (only(pulses).is_holding, only(pulses).delivery) == (True, "")

    child.does("leave")
    assert not only(pulses).is_holding


def test_a_child_at_a_job_holds_it_whatever_else_it_says(pulses: Pulses, child: Child) -> None:
    child.does("begin", "d-1", "edit 17")

    assert only(pulses).is_holding


def test_two_threads_that_wait_are_patient_until_both_have_done(pulses: Pulses) -> None:
    pulse = pulse_of(this_process())
    with pulse.patient():
        with pulse.patient():
            pass
        assert only(pulses).is_patient
    assert not only(pulses).is_patient


def test_every_beat_is_seen(pulses: Pulses, child: Child) -> None:
    before = only(pulses).beats
    child.does("beat")
    child.does("beat")

    assert only(pulses).beats == before + 2


def test_a_withdrawn_job_ends_at_the_next_beat(pulses: Pulses, child: Child) -> None:
    child.does("begin", "d-1", "edit 17")
    assert child.does("beat") is None

    only(pulses).withdraw("d-1")

    assert child.does("beat") == "withdrawn"


def test_what_was_withdrawn_too_late_does_not_end_the_next_job(pulses: Pulses, child: Child) -> None:
    child.does("begin", "d-1", "edit 17")
    child.does("end")
    child.does("begin", "d-2", "edit 18")

    only(pulses).withdraw("d-1")

    assert child.does("beat") is None


def test_the_same_delivery_may_begin_again_after_it_was_withdrawn(pulses: Pulses, child: Child) -> None:
    child.does("begin", "d-1", "edit 17")
    only(pulses).withdraw("d-1")
    child.does("end")
    child.does("begin", "d-1", "edit 17")

    assert child.does("beat") is None


def test_a_killed_child_leaves_what_it_was_at(pulses: Pulses, child: Child) -> None:
    child.does("begin", "d-1", "edit 17")
    child.kill()

    seen = only(pulses)
    assert seen.process.is_dead()
    assert (seen.delivery, seen.job) == ("d-1", "edit 17")


def test_a_cleared_child_is_forgotten(pulses: Pulses, child: Child) -> None:
    pulses.clear(only(pulses))

    assert pulses.of_children() == []


def test_two_children_are_told_apart(pulses: Pulses, child: Child) -> None:
    other = Child()
    try:
        child.does("begin", "d-1", "edit 17")
        other.does("begin", "d-2", "score 3")
        assert {pulse.delivery for pulse in pulses.of_children()} == {"d-1", "d-2"}
    finally:
        other.kill()


def test_a_child_takes_no_place_of_another_that_is_not_yet_buried(pulses: Pulses) -> None:
    for pid in (7, 7 + SLOTS, 7 + 2 * SLOTS):
        pulse_of(Process("host/1", pid, "100")).begin(f"d-{pid}", f"edit {pid}")

    assert {pulse.process.pid for pulse in pulses.of_children()} == {7, 7 + SLOTS, 7 + 2 * SLOTS}


def test_a_child_finds_a_place_where_all_are_taken(pulses: Pulses) -> None:
    for pid in range(1, SLOTS + 1):
        pulse_of(Process("host/1", pid, "100"))

    pulse_of(Process("host/1", SLOTS + 7, "100")).begin("d-1", "edit 17")

    assert [pulse.process.pid for pulse in pulses.of_children() if pulse.delivery] == [SLOTS + 7]


def test_a_child_without_a_parent_of_ours_beats_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EDITFARM_PULSE", raising=False)
    pulse = pulse_of(Process("host/1", 7, "100"))
    pulse.begin("d-1", "edit 17")

    with pulse.patient(), pulse.holding(), pulse.loading() as is_safe:
        assert (pulse.is_patient, pulse.is_holding, is_safe) == (True, True, True)
    pulse.beat()
    assert pulse.stages() is None

    assert (pulse.delivery, pulse.is_patient) == ("d-1", False)


# -- what a parent says ------------------------------------------------------------------------------------------------


def test_until_its_parent_has_spoken_a_child_does_not_know_what_to_serve(pulses: Pulses, child: Child) -> None:
    assert child.does("stages") is None


@pytest.mark.parametrize("stages", [[Stage.EDIT], [Stage.SCORE], list(Stage), []], ids=len)
def test_a_child_serves_what_its_parent_says_last(pulses: Pulses, child: Child, stages: list[Stage]) -> None:
    pulses.tell([Stage.EDIT, Stage.SCORE, Stage.EDIT])
    assert child.does("stages") == set(Stage)

    pulses.tell(stages)
    assert child.does("stages") == set(stages)


def test_a_successor_hears_what_was_said_before_it_came(pulses: Pulses, child: Child) -> None:
    pulses.tell([Stage.SCORE])
    child.kill()
    successor = Child()
    try:
        assert successor.does("stages") == {Stage.SCORE}
    finally:
        successor.kill()


# -- a load for no job -------------------------------------------------------------------------------------------------


def test_a_model_is_loaded_for_no_job_as_often_as_that_goes_well(child: Child) -> None:
    for _ in range(2):
        assert child.does("loading") is True
        child.does("leave")


def test_after_a_process_ended_in_a_load_its_successor_loads_for_jobs_only(pulses: Pulses, child: Child) -> None:
    assert child.does("loading") is True
    child.kill()
    assert only(pulses).job == "a load"
    pulses.clear(only(pulses))

    successor = Child()
    try:
        for _ in range(2):
            assert successor.does("loading") is False
            successor.does("leave")
    finally:
        successor.kill()
