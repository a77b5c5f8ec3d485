"""Writes down how long each transaction of a pool child took, where BENCHMARK_TRANSACTIONS names a folder for it.

What SQLAlchemy tells of is taken: a connection leaves the pool, executes statements, and comes back when all is
committed. A timed model starts it (`benchmarks.measured_farm.timed`), for a benchmark has no other place in a worker.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.pool import Pool

FOLDER = "BENCHMARK_TRANSACTIONS"
CLAIM, COMMIT, OTHER = "claim", "commit", "other"

_BEGAN, _KIND, _STATEMENTS = "clocked_began", "clocked_kind", "clocked_statements"


@cache
def clock_transactions() -> None:
    """Begin, once in this process; nothing where no folder is named."""
    folder = os.environ.get(FOLDER)
    if folder is None:
        return
    file = (Path(folder) / f"{os.getpid()}.txt").open("a", encoding="ascii", buffering=1)

    def leaves(_connection: Any, record: Any, _proxy: Any) -> None:
        record.info.update({_BEGAN: time.perf_counter(), _KIND: OTHER, _STATEMENTS: 0})

    def executes(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        connection.info[_STATEMENTS] = connection.info.get(_STATEMENTS, 0) + 1
        if (kind := _kind(statement)) is not None:
            connection.info[_KIND] = kind

    def returns(_connection: Any, record: Any) -> None:
        if (began := record.info.pop(_BEGAN, None)) is not None:
            kind, statements = record.info[_KIND], record.info[_STATEMENTS]
            file.write(f"{kind} {time.perf_counter() - began:.6f} {statements}\n")

    event.listen(Pool, "checkout", leaves)
    event.listen(Engine, "before_cursor_execute", executes)
    event.listen(Pool, "checkin", returns)


def _kind(statement: str) -> str | None:
    """Return what a transaction with this statement is for; the state is the first value that an update sets."""
    if not statement.startswith(("UPDATE edits", "UPDATE scores")):
        return None
    return CLAIM if "attempt=(" in statement else COMMIT if "seconds=" in statement else None


def read_clocked(folder: Path) -> Mapping[str, Sequence[tuple[float, int]]]:
    """Return seconds and statements of every transaction written down, by what it was for."""
    found: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for file in folder.glob("*.txt"):
        for line in file.read_text(encoding="ascii").splitlines():
            kind, seconds, statements = line.split()
            found[kind].append((float(seconds), int(statements)))
    return found
