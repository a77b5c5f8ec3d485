"""A thread that does with things what need not hold up the one that makes them, in their order, several at a time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")


class Background(Generic[T]):
    """Calls `do` with whatever was put since it was last done, for the length of a `with` block; leaving it waits.

    `room` bounds the sum of what things weigh that are not done yet; one that is heavier comes in alone. An exception
    of `do` ends it: it is raised by the next `put` or `wait`, and nothing is done any more.
    """

    def __init__(self, do: Callable[[Sequence[T]], None], *, room: int, weight: Callable[[T], int]) -> None:
        self._do = do
        self._room = room
        self._weight = weight
        self._waiting: deque[T] = deque()
        self._weighs = 0
        self._at_it = False
        self._error: BaseException | None = None
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="background", daemon=True)

    def put(self, thing: T) -> None:
        """Hand over; waits while there is no room."""
        weight = self._weight(thing)
        with self._changed:
            self._changed.wait_for(lambda: self._error or not self._weighs or self._weighs + weight <= self._room)
            self._raise()
            self._waiting.append(thing)
            self._weighs += weight
            self._changed.notify_all()

    def wait(self) -> None:
        """Wait until everything is done."""
        with self._changed:
            self._changed.wait_for(lambda: self._error or not (self._waiting or self._at_it))
            self._raise()

    def __enter__(self) -> Background[T]:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()
        if error is None:
            self._raise()

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        while things := self._next():
            try:
                self._do(things)
            except BaseException as error:  # noqa: BLE001 - raised where somebody can do something about it
                self._error = error
            with self._changed:
                self._at_it = False
                self._weighs -= sum(map(self._weight, things))
                self._changed.notify_all()

    def _next(self) -> list[T]:
        """Return what is to be done now; nothing when there never will be more."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            things = [] if self._error else list(self._waiting)
            self._waiting.clear()
            self._at_it = bool(things)
            return things
