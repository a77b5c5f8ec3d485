"""A run, entered with its scorers and a queued edit for each sample that it is about."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, and_, exists, insert, select, update

from db.configuration import Priority, RunConfiguration, digest_of_values
from db.engine import database_clock, transaction
from db.intake.chosen import asked_samples, queue_edits
from db.intake.held import one_at_a_time, require_benchmark
from db.intake.many_rows import COUNTED, count_anew
from db.prompts import OwnPrompt, prompts_as_json
from db.rubric import scale_in
from db.tables import JOB_TABLES, State, edits, run_scorers, runs
from db.to_do import in_order, with_run
from db.transitions import insert_all
from db.twins import take_over


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
            chosen = queue_edits(asked.run_id, repeat, now).where(asked_samples(benchmark_id, configuration.subset))
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


def _change_priority(connection: Connection, run_id: str, priority: Priority) -> None:
    """Change the priority; what waits is owed a message of the new one, and the old one finds nothing to do."""
    changed = update(runs).where(runs.c.id == run_id, runs.c.priority != priority.value).values(priority=priority.value)
    if not connection.execute(changed).rowcount:
        return
    for stage, jobs in JOB_TABLES.items():
        of_run = select(jobs.c.id).select_from(with_run(stage)).where(runs.c.id == run_id)
        waiting = in_order(jobs, and_(jobs.c.state == State.QUEUED, jobs.c.id.in_(of_run)))
        connection.execute(update(jobs).where(waiting).values(published_at=None))
