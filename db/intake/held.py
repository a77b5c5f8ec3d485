"""What must stay as it is while something is entered."""

from __future__ import annotations

from sqlalchemy import Connection, select

from db.errors import UnknownRun, WrongCall
from db.tables import benchmarks, runs


def one_at_a_time(connection: Connection, benchmark_id: str) -> None:
    """Wait until no one else enters samples or runs of this benchmark, so that what is found missing stays missing."""
    connection.execute(select(benchmarks.c.id).where(benchmarks.c.id == benchmark_id).with_for_update())


def require_benchmark(connection: Connection, benchmark_id: str) -> None:
    """Raise WrongCall unless all samples of the benchmark are there: with its last run, somebody may remove it."""
    if not connection.scalar(select(benchmarks.c.complete).where(benchmarks.c.id == benchmark_id)):
        raise WrongCall("the benchmark was removed in this very moment, with the last run of it: do the same again")


def benchmark_of(connection: Connection, run_id: str) -> str:
    """Return the benchmark of a run that stays until the transaction ends, unless that removes it. Raises UnknownRun.

    It is waited for as `one_at_a_time` does.
    """
    found = select(runs.c.benchmark_id).where(runs.c.id == run_id)
    benchmark_id: str | None = connection.scalar(found)
    if benchmark_id is not None:
        one_at_a_time(connection, benchmark_id)
    if benchmark_id is None or connection.scalar(found) is None:
        raise UnknownRun(f"the ledger has no run {run_id!r}")
    return benchmark_id
