"""What a pool child tells of its work: when it speaks, what it says, and when it holds its tongue."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from db.activity import EVENT, Activity
from workers import progress as telling
from workers.machine import device_memory
from workers.progress import SECONDS_BETWEEN_EVENTS, Progress


class Clock:
    """The time that the module reads, under the test's control; in seconds that floats hold exactly."""

    def __init__(self) -> None:
        self.now = 1024.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(telling, "time", clock)
    return clock


class Task:
    """A job of which is told."""

    def __init__(self) -> None:
        self.said: list[Activity] = []

    def send_event(self, kind: str, /, **fields: Any) -> None:
        assert kind == EVENT
        activity = Activity.read(fields)
        assert activity is not None
        self.said.append(activity)


@pytest.fixture
def task() -> Task:
    return Task()


def begun(task: Any, *, model: str = "qwen", key: str = "p-1", gpu: str = "") -> Progress:
    progress = Progress(gpu=gpu)
    progress.begin(task, model=model, key=key)
    return progress


# -- what is said ------------------------------------------------------------------------------------------------------


def test_an_event_names_gpu_model_and_sample(clock: Clock, task: Task) -> None:
    begun(task, model="qwen", key="p-1", gpu="2").show("loading")

    assert task.said == [Activity(gpu="2", what="loading", model="qwen", key="p-1")]


def test_a_child_without_a_gpu_of_its_own_names_none(clock: Clock, task: Task) -> None:
    begun(task).show("loading")

    assert task.said[0].gpu == ""


def test_a_step_is_told_with_the_number_of_steps(clock: Clock, task: Task) -> None:
    begun(task).step(1, 40)

    (said,) = task.said
    assert (said.what, said.step, said.steps, said.steps_per_second) == ("editing", 1, 40, 0.0)


def test_nothing_is_told_before_the_first_job(clock: Clock) -> None:
    progress = Progress()

    progress.show("loading")
    progress.wait("memory")
    progress.step(1, 1)  # and nothing was raised


def test_the_next_job_is_told_as_its_own(clock: Clock, task: Task) -> None:
    progress, next_task = begun(task), Task()

    progress.begin(next_task, model="judge", key="p-2")
    progress.show("scoring")

    assert task.said == []
    assert [(said.model, said.key) for said in next_task.said] == [("judge", "p-2")]


# -- how often ---------------------------------------------------------------------------------------------------------


def stepped(clock: Clock, task: Task, steps: int, seconds_per_step: float) -> list[int]:
    """Take so many steps and return which were told."""
    progress = begun(task)
    for step in range(1, steps + 1):
        clock.now += seconds_per_step
        progress.step(step, steps)
    return [said.step for said in task.said]


def test_fast_steps_are_told_no_oftener_than_the_events_may_be(clock: Clock, task: Task) -> None:
    assert SECONDS_BETWEEN_EVENTS == 0.5
    assert stepped(clock, task, steps=17, seconds_per_step=0.125) == [1, 5, 9, 13, 17]


def test_slow_steps_are_all_told(clock: Clock, task: Task) -> None:
    assert stepped(clock, task, steps=4, seconds_per_step=0.5) == [1, 2, 3, 4]


@pytest.mark.parametrize("steps", [1, 2, 3, 40])
def test_the_last_step_is_always_told(clock: Clock, task: Task, steps: int) -> None:
    assert stepped(clock, task, steps=steps, seconds_per_step=0.0078125)[-1] == steps


def test_what_is_done_now_is_told_at_once(clock: Clock, task: Task) -> None:
    progress = begun(task)

    progress.wait("memory")
    progress.show("loading")
    clock.now += 0.125
    progress.show("scoring")

    assert [said.what for said in task.said] == ["memory", "loading", "scoring"]


def test_what_was_just_told_is_not_told_again(clock: Clock, task: Task) -> None:
    progress = begun(task)

    progress.show("scoring")
    progress.show("scoring")

    assert len(task.said) == 1


def test_what_is_waited_for_is_told_now_and_then(clock: Clock, task: Task) -> None:
    progress = begun(task)

    for _ in range(9):
        progress.wait("memory")
        clock.now += 0.125

    assert [said.what for said in task.said] == ["memory"] * 3


# -- the rate ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds_per_step", "rate"), [(0.5, 2.0), (2.0, 0.5), (0.125, 8.0)])
def test_the_rate_is_that_of_the_steps_behind_the_first(
    clock: Clock, task: Task, seconds_per_step: float, rate: float
) -> None:
    progress = begun(task)
    clock.now += 30  # the first step brings compilation and warm-up
    progress.step(1, 10)

    for step in range(2, 11):
        clock.now += seconds_per_step
        progress.step(step, 10)

    assert task.said[0].steps_per_second == 0
    assert {said.steps_per_second for said in task.said[1:]} == {rate}


def test_the_rate_of_an_edit_forgets_the_one_before(clock: Clock, task: Task) -> None:
    stepped(clock, task, steps=4, seconds_per_step=1)
    clock.now += 3600
    following = Task()

    stepped(clock, following, steps=4, seconds_per_step=0.5)

    assert [said.steps_per_second for said in following.said] == [0, 2, 2, 2]


def test_steps_that_take_no_time_have_no_rate(clock: Clock, task: Task) -> None:
    stepped(clock, task, steps=2, seconds_per_step=0)

    assert task.said[-1].steps_per_second == 0


# -- memory ------------------------------------------------------------------------------------------------------------

GIGABYTE = 10**9


class Driver:
    """A GPU of 80 GB whose driver counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self) -> tuple[int, int]:
        self.asked += 1
        return self.asked * GIGABYTE, 80 * GIGABYTE


def test_an_event_says_how_much_of_the_memory_is_taken(clock: Clock, task: Task) -> None:
    progress = Progress(memory=Driver())
    progress.begin(task, model="qwen", key="p-1")

    progress.step(1, 4)

    (said,) = task.said
    assert (said.memory_used_bytes, said.memory_bytes) == (GIGABYTE, 80 * GIGABYTE)


def test_the_driver_is_asked_once_a_second_at_most(clock: Clock, task: Task) -> None:
    driver = Driver()
    progress = Progress(memory=driver)

    for _ in range(16):  # short jobs, each with an event of its own
        progress.begin(task, model="qwen", key="p-1")
        progress.show("scoring")
        clock.now += 0.125

    assert len(task.said) == 16
    assert driver.asked == 2
    assert task.said[-1].memory_used_bytes == 2 * GIGABYTE


def test_where_nothing_is_told_no_driver_is_asked(clock: Clock) -> None:
    driver = Driver()

    Progress(memory=driver).step(1, 4)

    assert driver.asked == 0


class Cuda:
    """So much of `torch.cuda` as is asked: two GPUs of 80 GB, of one of which 50 GB are free."""

    def __init__(self, *, initialized: bool = True, fails: bool = False) -> None:
        self._initialized, self._fails = initialized, fails

    def is_initialized(self) -> bool:
        return self._initialized

    def device_count(self) -> int:
        return 2

    def mem_get_info(self, device: int) -> tuple[int, int]:
        if self._fails:
            raise RuntimeError("CUDA error: unspecified launch failure")
        return (50 if device else 80) * GIGABYTE, 80 * GIGABYTE


@pytest.mark.parametrize(
    ("torch", "memory"),
    [
        pytest.param(SimpleNamespace(cuda=Cuda()), (30 * GIGABYTE, 160 * GIGABYTE), id="all its GPUs"),
        pytest.param(SimpleNamespace(cuda=Cuda(initialized=False)), (0, 0), id="not yet on a GPU"),
        pytest.param(SimpleNamespace(cuda=Cuda(fails=True)), (0, 0), id="a GPU that fails"),
        pytest.param(SimpleNamespace(), (0, 0), id="half imported"),
        pytest.param(None, (0, 0), id="no torch"),
    ],
)
def test_the_memory_is_asked_only_where_torch_is_on_a_gpu(
    monkeypatch: pytest.MonkeyPatch, torch: Any, memory: tuple[int, int]
) -> None:
    monkeypatch.setitem(sys.modules, "torch", torch)

    assert device_memory() == memory
