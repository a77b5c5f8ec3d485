"""A benchmark's samples, entered and held against the digest that names them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, Engine, delete, exists, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from db.engine import database_clock, reading, transaction
from db.errors import BenchmarkInvalid
from db.intake.held import one_at_a_time
from db.tables import SEVERAL_SOURCES, benchmarks, samples


class ContentDigest:
    """The running sha-256 over the content of samples, in their order: a benchmark's identity."""

    def __init__(self) -> None:
        self._sha = hashlib.sha256()

    def add(self, sample: Mapping[str, Any]) -> None:
        """Take in one row of `samples`; images count by their digests."""
        later = {column: sample[column] for column in _LATER_CONTENT if sample.get(column)}
        content = [*(sample[column] for column in _CONTENT), *([later] if later else [])]
        self._sha.update(json.dumps(content, sort_keys=True).encode() + b"\n")

    def hexdigest(self) -> str:
        """Return the digest of what was taken in so far."""
        return self._sha.hexdigest()


_CONTENT = ("key", "category", "instruction", "description", "source_image", "reference_image")


_LATER_CONTENT = ("reference_text", "more_sources", "fields")
"""What later versions came to know of a sample: where it has nothing of it, its benchmark is called as before."""


def has_benchmark(engine: Engine, benchmark_id: str) -> bool:
    """Tell whether every sample of the benchmark is in the ledger."""
    with reading(engine) as connection:
        return bool(connection.scalar(select(benchmarks.c.complete).where(benchmarks.c.id == benchmark_id)))


def enter_samples(
    engine: Engine, benchmark_id: str, name: str, sample_count: int, chunks: Iterable[Sequence[Mapping[str, Any]]]
) -> None:
    """Enter a benchmark, one transaction per chunk of sample rows (columns of `samples`, without ids).

    A benchmark is used only once it is complete, so an interrupted entry leaves nothing half done; entering it again
    goes on behind the last sample that is in. Raises BenchmarkInvalid, and forgets the samples, when in the end they
    are not what `benchmark_id` is the digest of: the file changed while it was read.
    """
    with suppress(IntegrityError), transaction(engine) as connection:  # another process may be entering it, too
        if not connection.scalar(select(exists().where(benchmarks.c.id == benchmark_id))):
            connection.execute(
                insert(benchmarks).values(
                    id=benchmark_id,
                    name=name,
                    sample_count=sample_count,
                    complete=False,
                    created_at=database_clock(connection),
                )
            )
    for chunk in chunks:
        with transaction(engine) as connection:
            one_at_a_time(connection, benchmark_id)
            last = select(func.max(samples.c.position)).where(samples.c.benchmark_id == benchmark_id)
            entered = connection.execute(select(func.coalesce(last.scalar_subquery(), -1))).scalar_one()
            new = [{"benchmark_id": benchmark_id, **row} for row in chunk if row["position"] > entered]
            if new:
                connection.execute(insert(samples), new)
    with transaction(engine) as connection:
        one_at_a_time(connection, benchmark_id)
        intact = _stored_digest(connection, benchmark_id) == benchmark_id
        if intact:
            connection.execute(update(benchmarks).where(benchmarks.c.id == benchmark_id).values(complete=True))
        else:
            connection.execute(delete(samples).where(samples.c.benchmark_id == benchmark_id))
    if not intact:
        raise BenchmarkInvalid(f"benchmark {name!r} changed while it was read; submit it again")


def _stored_digest(connection: Connection, benchmark_id: str) -> str:
    digest = ContentDigest()
    stored = select(samples).where(samples.c.benchmark_id == benchmark_id).order_by(samples.c.position)
    for row in connection.execute(stored.execution_options(yield_per=1000)).mappings():
        digest.add(dict(row))
    return digest.hexdigest()


def image_digests(engine: Engine, benchmark_id: str) -> Iterator[str]:
    """Yield the digest of every image of the benchmark, source or reference, once."""
    sources, references = (
        select(column).where(samples.c.benchmark_id == benchmark_id, column.is_not(None))
        for column in (samples.c.source_image, samples.c.reference_image)
    )
    more = select(samples.c.more_sources).where(samples.c.benchmark_id == benchmark_id, SEVERAL_SOURCES)
    with reading(engine) as connection:
        yield from connection.scalars(sources.union(references))
        yield from {digest for digests in connection.scalars(more) for digest in digests.split()}
