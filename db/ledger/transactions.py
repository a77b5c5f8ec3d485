"""The transactions of the ledger, each with the time that it happens at."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from typing import Self

from sqlalchemy import Connection, Engine

from db.engine import database_clock, reading, transaction
from db.jobs import HandedBack
from db.to_do import Claims


class Transactions:
    """What every part of the ledger stands on.

    `on_handed_back` is told of what was handed back here, once that is committed.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        lease_seconds: float = 30,
        clock: Callable[[Connection], float] = database_clock,
        spread: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.engine = engine
        self.lease_seconds = lease_seconds
        self.on_handed_back: Callable[[Sequence[HandedBack]], None] | None = None
        self._clock = clock
        self._spread = spread
        self._claims = Claims()
        self._within: tuple[Connection, float] | None = None

    @contextmanager
    def read(self) -> Iterator[tuple[Connection, float]]:
        """Open a transaction that only reads, with the time it happens at."""
        with reading(self.engine) as connection:
            yield connection, self._clock(connection)

    @contextmanager
    def write(self) -> Iterator[tuple[Connection, float]]:
        """Open a transaction that will write, with the time it happens at; within another one, that is it."""
        if self._within is not None:
            yield self._within
            return
        with transaction(self.engine) as connection:
            yield connection, self._clock(connection)

    @contextmanager
    def together(self) -> Iterator[Self]:
        """Yield a ledger whose methods are all one transaction, committed at the end of the block."""
        with self.write() as (connection, now):
            yield self.within(connection, now)

    def within(self, connection: Connection, now: float) -> Self:
        """Return a ledger whose methods all belong to this transaction that will write."""
        ledger = copy(self)
        ledger._within = (connection, now)
        return ledger
