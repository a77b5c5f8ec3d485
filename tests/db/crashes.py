"""A process that is gone in the middle of a transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, event


class Crash(Exception):
    """The process is gone in the middle of a transaction."""


@contextmanager
def crashing(engine: Engine, statement: int) -> Iterator[None]:
    """Crash before that statement of the next transaction, counted from 0, before its commit at the latest."""
    left = [statement]

    def execute(*_: object) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Crash

    def commit(_connection: object) -> None:
        raise Crash

    event.listen(engine, "before_cursor_execute", execute)
    event.listen(engine, "commit", commit)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", execute)
        event.remove(engine, "commit", commit)
