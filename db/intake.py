"""What is asked, entered into the ledger: a benchmark's samples, and a run with its scorers and queued edits.

Edits and scores that went missing are entered here, too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Select,
    Table,
    and_,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    text,
    true,
    update,
)
from sqlalchemy.exc import IntegrityError

from db.configuration import Priority, RunConfiguration, digest_of_values
from db.engine import database_clock, reading, transaction
from db.errors import BenchmarkInvalid, UnknownRun, WrongCall
from db.prompts import OwnPrompt, prompts_as_json
from db.rubric import scale_in
from db.subset import Subset
from db.tables import (
    JOB_TABLES,
    SEVERAL_SOURCES,
    State,
    benchmarks,
    edits,
    run_scorers,
    runs,
    samples,
    scores,
)
from db.to_do import ids_in_order, in_order, with_run
from db.transitions import insert_all, queue_scores
from db.twins import take_over

AT_ONCE = 5000
"""So many rows are sent to the database together."""

MANY = 1000
"""So many new edits change what PostgreSQL should think of their table."""

COUNTED = {"preserve_rowcount": True}  # else SQLAlchemy forgets how many rows psycopg entered


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


def run_id_of(benchmark_id: str, configuration: RunConfiguration) -> str:
    """Return the id of the run that asks this of that benchmark: the same everywhere, so asking twice is one run."""
    return stored_run_id(benchmark_id, configuration.shaping())


def stored_run_id(benchmark_id: str, shaping: Mapping[str, Any]) -> str:
    """Return the same for a configuration as the ledger has it."""
    return hashlib.sha256(f"{benchmark_id}/{digest_of_values(shaping)}".encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Asked:
    """What a run is entered with: its benchmark, its configuration with every prompt written out, and how it shares.

    `editing`: with whom it shares edits; `prompts`: the benchmark's own ones, as JSON, null where nobody knows.
    """

    benchmark_id: str
    configuration: RunConfiguration
    editing: str | None
    prompts: Mapping[str, Any] | None

    @property
    def run_id(self) -> str:
        """The run's id."""
        return run_id_of(self.benchmark_id, self.configuration)


def enter_run(
    engine: Engine, benchmark_id: str, configuration: RunConfiguration, own: Mapping[str, OwnPrompt] | None = None
) -> tuple[str, bool]:
    """Enter a run with its scorers and one queued edit per sample and repeat, all or nothing.

    Edits that another run has already take its images over, unless this one is to be fresh. The benchmark's `own`
    prompts are kept for judges that are asked later; those of this run have theirs in the configuration.
    Return the run's id, and False when it was there already; then nothing is changed but its priority, where one is
    asked for.
    """
    editing = None if configuration.fresh else configuration.editing_digest()
    asked = Asked(benchmark_id, configuration, editing, None if own is None else prompts_as_json(own))
    with transaction(engine) as connection:
        if found_again(connection, asked):
            return asked.run_id, False
        now = database_clock(connection)
        enter_asked(connection, asked, now)
        queued = 0
        for repeat in range(configuration.repeats):
            chosen = _queue_edits(asked.run_id, repeat, now).where(asked_samples(benchmark_id, configuration.subset))
            queued += connection.execute(insert_all(edits, chosen), execution_options=COUNTED).rowcount
        count_anew(connection, queued)
        take_over(connection, asked.run_id, now)
    return asked.run_id, True


def found_again(connection: Connection, asked: Asked) -> bool:
    """Tell whether the run is there already, and give it the priority that is asked for now.

    Until the transaction ends nobody else enters a run of this benchmark.
    """
    one_at_a_time(connection, asked.benchmark_id)
    run = runs.c.id == asked.run_id
    if not connection.scalar(select(exists().where(run))):
        return False
    if asked.configuration.priority is not None:
        _change_priority(connection, asked.run_id, asked.configuration.priority)
    if asked.prompts is not None:  # a run of an older version has none yet
        connection.execute(update(runs).where(run, runs.c.prompts.is_(None)).values(prompts=asked.prompts))
    return True


def enter_asked(connection: Connection, asked: Asked, now: float) -> None:
    """Enter the run itself and its scorers, each as often as it judges; its edits are left to the caller.

    Raises as `require_benchmark` does.
    """
    require_benchmark(connection, asked.benchmark_id)
    configuration = asked.configuration
    connection.execute(
        insert(runs).values(
            id=asked.run_id,
            benchmark_id=asked.benchmark_id,
            configuration=configuration.shaping(),
            priority=(configuration.priority or Priority.NORMAL).value,
            editing=asked.editing,
            created_at=now,
            prompts=asked.prompts,
        )
    )
    connection.execute(insert(run_scorers), list(_judging(asked)))


def _judging(asked: Asked) -> Iterator[dict[str, Any]]:
    """Yield a row of `run_scorers` for each time that a scorer judges an edit."""
    for scorer in asked.configuration.scorers:
        least, most = scale_in(scorer.options)
        for repeat in range(scorer.repeats):
            yield {
                "run_id": asked.run_id,
                "label": scorer.label,
                "repeat": repeat,
                "configuration": scorer.as_json(),
                "batch_size": scorer.options["batch_size"],
                "scale_min": least,
                "scale_max": most,
            }


def count_anew(connection: Connection, entered: int) -> None:
    """Have PostgreSQL count the edits where many were entered: what it knows of the table is of before."""
    if entered >= MANY and connection.dialect.name == "postgresql":
        connection.execute(text("ANALYZE edits"))


def asked_samples(benchmark_id: str, subset: Subset) -> ColumnElement[bool]:
    """Return the condition for the samples that a run of this benchmark with this subset has edits of."""
    every, limit = subset.sample_every or 1, subset.limit
    if subset.categories is None:
        chosen = and_(samples.c.position % every == 0, true() if limit is None else samples.c.position < every * limit)
        return and_(samples.c.benchmark_id == benchmark_id, chosen)
    place = func.row_number().over(order_by=samples.c.position) - 1
    of_categories = and_(samples.c.benchmark_id == benchmark_id, samples.c.category.in_(subset.categories))
    numbered = select(samples.c.id, place.label("place")).where(of_categories).subquery()
    within = true() if limit is None else numbered.c.place < every * limit
    return samples.c.id.in_(select(numbered.c.id).where(numbered.c.place % every == 0, within))


def enter_missing_edits(engine: Engine, run_id: str, repeat: int, sample_ids: Sequence[int]) -> None:
    """Queue one edit of each of these samples for which the run has none of this repeat: someone deleted it."""
    there = exists().where(edits.c.run_id == run_id, edits.c.sample_id == samples.c.id, edits.c.repeat == repeat)
    with transaction(engine) as connection:
        connection.execute(select(runs.c.id).where(runs.c.id == run_id).with_for_update())
        missing = _queue_edits(run_id, repeat, database_clock(connection)).where(samples.c.id.in_(sample_ids), ~there)
        connection.execute(insert_all(edits, missing))


def enter_missing_scores(engine: Engine, edit_ids: Sequence[int]) -> None:
    """Queue for those of these edits that are done the scores that are missing: one per scorer of their run."""
    done = and_(edits.c.id.in_(edit_ids), edits.c.state == State.DONE)
    with transaction(engine) as connection:
        connection.execute(ids_in_order(edits, done))
        connection.execute(queue_scores(lacking_scores(done), database_clock(connection)))


def lacking_scores(which: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition, for `queue_scores`, that one of these edits has no score by a scorer of its run."""
    there = exists().where(scores.c.edit_id == edits.c.id, scores.c.scorer_id == run_scorers.c.id)
    return and_(which, ~there)


def insert_in_parts(connection: Connection, table: Table, rows: Iterator[Mapping[str, Any]]) -> None:
    """Enter rows as they come, some thousands at a time."""
    while some := list(islice(rows, AT_ONCE)):
        connection.execute(insert(table), some)


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


def _change_priority(connection: Connection, run_id: str, priority: Priority) -> None:
    """Change the priority; what waits is owed a message of the new one, and the old one finds nothing to do."""
    changed = update(runs).where(runs.c.id == run_id, runs.c.priority != priority.value).values(priority=priority.value)
    if not connection.execute(changed).rowcount:
        return
    for stage, jobs in JOB_TABLES.items():
        of_run = select(jobs.c.id).select_from(with_run(stage)).where(runs.c.id == run_id)
        waiting = in_order(jobs, and_(jobs.c.state == State.QUEUED, jobs.c.id.in_(of_run)))
        connection.execute(update(jobs).where(waiting).values(published_at=None))


def _queue_edits(run_id: str, repeat: int, now: float) -> Select[Any]:
    """Select one queued edit for every sample; which ones, the caller adds."""
    return select(
        literal(run_id).label("run_id"),
        samples.c.id.label("sample_id"),
        literal(repeat).label("repeat"),
        literal(State.QUEUED.value).label("state"),
        literal(now).label("not_before"),
    ).order_by(*by_turns())


def by_turns() -> tuple[ColumnElement[Any], ...]:
    """Return by what to order samples so that categories take turns, each in proportion to its size.

    So what edits took so far tells what the others will take, and every category has its first scores early.
    """
    place = func.row_number().over(partition_by=samples.c.category, order_by=samples.c.position)
    size = func.count().over(partition_by=samples.c.category)
    return (place - 0.5) / size, samples.c.position
