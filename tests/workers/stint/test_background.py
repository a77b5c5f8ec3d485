"""A thread that does things behind the back of the one that makes them: nothing lost, nothing out of order."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import pytest

from workers.stint.background import Background

DEADLINE_SECONDS = 10.0


class Slow:
    """Does things when the test lets it, and notes which it was given together."""

    def __init__(self) -> None:
        self.done: list[list[int]] = []
        self.began = threading.Semaphore(0)
        self.may_go_on = threading.Semaphore(0)

    def __call__(self, things: Sequence[int]) -> None:
        self.began.release()
        assert self.may_go_on.acquire(timeout=DEADLINE_SECONDS)
        self.done.append(list(things))


class Refused(Exception):
    """What cannot be done."""


def refuse(_things: Sequence[int]) -> None:
    raise Refused


def in_a_thread(act: object) -> threading.Thread:
    thread = threading.Thread(target=act, daemon=True)  # type: ignore[arg-type]
    thread.start()
    return thread


def stays_alive(thread: threading.Thread) -> bool:
    thread.join(0.1)
    return thread.is_alive()


def ends(thread: threading.Thread) -> bool:
    thread.join(DEADLINE_SECONDS)
    return not thread.is_alive()


def test_everything_is_done_in_the_order_in_which_it_was_put() -> None:
    done: list[int] = []
    with Background(done.extend, room=10, weight=lambda _: 1) as background:
        for number in range(1000):
            background.put(number)

    assert done == list(range(1000))


def test_what_piles_up_is_done_together() -> None:
    slow = Slow()
    with Background(slow, room=100, weight=lambda _: 1) as background:
        background.put(1)
        assert slow.began.acquire(timeout=DEADLINE_SECONDS)
        for number in (2, 3, 4):
            background.put(number)
        slow.may_go_on.release(2)

    assert slow.done == [[1], [2, 3, 4]]


def test_who_puts_waits_for_nothing_while_there_is_room() -> None:
    slow = Slow()
    with Background(slow, room=6, weight=lambda thing: thing) as background:
        for thing in (1, 2, 3):
            background.put(thing)
        assert slow.done == []
        slow.may_go_on.release(3)


def test_who_puts_waits_for_room_until_what_takes_it_is_done() -> None:
    slow = Slow()
    with Background(slow, room=6, weight=lambda thing: thing) as background:
        background.put(4)
        assert slow.began.acquire(timeout=DEADLINE_SECONDS)
        putting = in_a_thread(lambda: background.put(3))
        assert stays_alive(putting)

        slow.may_go_on.release(2)
        assert ends(putting)

    assert slow.done == [[4], [3]]


def test_what_is_heavier_than_all_the_room_comes_in_alone() -> None:
    slow = Slow()
    with Background(slow, room=6, weight=lambda thing: thing) as background:
        background.put(1)
        putting = in_a_thread(lambda: background.put(99))
        assert stays_alive(putting)
        slow.may_go_on.release(1)
        assert ends(putting)

        another = in_a_thread(lambda: background.put(1))
        assert stays_alive(another)
        slow.may_go_on.release(2)
        assert ends(another)

    assert slow.done == [[1], [99], [1]]


def test_who_waits_waits_until_everything_is_done() -> None:
    slow = Slow()
    with Background(slow, room=100, weight=lambda _: 1) as background:
        background.wait()  # for nothing
        background.put(1)
        assert slow.began.acquire(timeout=DEADLINE_SECONDS)
        background.put(2)
        waiting = in_a_thread(background.wait)
        slow.may_go_on.release()
        assert slow.began.acquire(timeout=DEADLINE_SECONDS)
        assert stays_alive(waiting)
        slow.may_go_on.release()
        assert ends(waiting)

    assert slow.done == [[1], [2]]


def test_leaving_waits_until_everything_is_done() -> None:
    slow = Slow()

    def leave() -> None:
        with Background(slow, room=100, weight=lambda _: 1) as background:
            background.put(1)
            background.put(2)

    leaving = in_a_thread(leave)
    assert stays_alive(leaving)
    slow.may_go_on.release(2)
    assert ends(leaving)

    assert [thing for things in slow.done for thing in things] == [1, 2]


def test_leaving_by_an_exception_waits_too_and_the_exception_goes_on() -> None:
    done: list[int] = []

    def dawdle(things: Sequence[int]) -> None:
        time.sleep(0.1)
        done.extend(things)

    with pytest.raises(KeyboardInterrupt), Background(dawdle, room=100, weight=lambda _: 1) as background:
        background.put(1)
        raise KeyboardInterrupt

    assert done == [1]


def test_its_thread_ends_with_it() -> None:
    before = threading.active_count()
    with Background(refuse, room=100, weight=lambda _: 1):
        assert threading.active_count() == before + 1
    assert threading.active_count() == before


# -- what cannot be done -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["wait", "leave"])
def test_what_could_not_be_done_is_told_to_who_waits_or_leaves(how: str) -> None:
    with pytest.raises(Refused), Background(refuse, room=100, weight=lambda _: 1) as background:
        background.put(1)
        if how == "wait":
            background.wait()
            pytest.fail("nothing was raised")


def test_what_could_not_be_done_is_told_to_who_puts_next() -> None:
    with pytest.raises(Refused), Background(refuse, room=100, weight=lambda _: 1) as background:
        until = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < until:
            background.put(1)
            time.sleep(0.01)
        pytest.fail("nothing was raised")


def test_who_waits_for_room_hears_of_it_too() -> None:
    began, may_fail = threading.Event(), threading.Event()

    def fail_later(_things: Sequence[int]) -> None:
        began.set()
        assert may_fail.wait(DEADLINE_SECONDS)
        raise Refused

    with pytest.raises(Refused), Background(fail_later, room=2, weight=lambda thing: thing) as background:
        background.put(1)
        assert began.wait(DEADLINE_SECONDS)
        background.put(1)
        threading.Timer(0.1, may_fail.set).start()
        background.put(2)
        pytest.fail("nothing was raised")


def test_after_what_could_not_be_done_nothing_more_is_done() -> None:
    slow = Slow()
    did: list[list[int]] = []

    def fail_at_first(things: Sequence[int]) -> None:
        slow(things)
        did.append(list(things))
        raise Refused

    with pytest.raises(Refused), Background(fail_at_first, room=100, weight=lambda _: 1) as background:
        background.put(1)
        assert slow.began.acquire(timeout=DEADLINE_SECONDS)
        background.put(2)
        slow.may_go_on.release(2)
        background.wait()

    assert did == [[1]]


def test_an_exception_of_who_makes_things_is_not_hidden_by_one_of_doing_them() -> None:
    with pytest.raises(ZeroDivisionError), Background(refuse, room=100, weight=lambda _: 1) as background:
        background.put(1)
        raise ZeroDivisionError
