"""Computes from measured costs what more GPUs and samples ask of broker, database and store: `benchmarks.scaling`.

Nothing is measured here: the costs of a job are read from what `benchmarks.many_workers` wrote, and figures of other
tables of RESULTS.md stand below. `--write` puts the tables into docs/scaling.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from benchmarks.figures.tables import markdown_table, with_tables

CONSTANTS = Path(__file__).with_name("many_workers.json")
PAGE = Path(__file__).parents[1] / "docs" / "scaling.md"

GPUS = (1, 6, 64, 256, 1000)
EDIT_SECONDS, SCORE_SECONDS = 33.0, (0.3, 3.0)
SAMPLES = (10_000, 100_000, 1_000_000, 10_000_000)

CONNECTIONS_A_WORKER = 2
READS, WRITES = 3, 1
"""Images of a sample with one scorer: its source for the edit, the edit, both for the score."""

INGESTED_A_SECOND = 1080.0
"""RESULTS.md, ingestion: samples by path, each with its own image, PostgreSQL."""

REPORT_SCORES, REPORT_SECONDS, REPORT_MB = 100_000, 3.35, 179.0
REPORT_BASE_MB = 98.0
"""RESULTS.md, reports: a run of so many scores, PostgreSQL; and the memory of one that has only a thousand."""


@dataclass(frozen=True)
class Costs:
    """What was measured: of a job, and of a second of a worker at work."""

    job_commands: float
    second_commands: float
    job_transactions: float
    second_transactions: float
    job_log_bytes: float
    second_log_bytes: float
    job_broker_bytes: float
    second_broker_bytes: float
    job_broker_ms: float
    second_broker_ms: float
    job_database_ms: float
    second_database_ms: float
    waiting_database_ms: float
    ledger_bytes: float
    image_bytes: float

    @classmethod
    def read(cls, path: Path = CONSTANTS) -> Costs:
        """Read what was measured."""
        kept: Mapping[str, float] = json.loads(path.read_text(encoding="utf-8"))
        job, second = "a job", "a second of a worker at work"
        return cls(
            job_commands=kept[f"broker, {job}"],
            second_commands=kept[f"broker, {second}"],
            job_transactions=kept[f"PostgreSQL, {job}"],
            second_transactions=kept[f"PostgreSQL, {second}"],
            job_log_bytes=kept[f"PostgreSQL log bytes, {job}"],
            second_log_bytes=kept[f"PostgreSQL log bytes, {second}"],
            job_broker_bytes=kept[f"broker bytes, {job}"],
            second_broker_bytes=kept[f"broker bytes, {second}"],
            job_broker_ms=kept[f"broker computes, {job}"],
            second_broker_ms=kept[f"broker computes, {second}"],
            job_database_ms=kept[f"PostgreSQL computes, {job}"],
            second_database_ms=kept[f"PostgreSQL computes, {second}"],
            waiting_database_ms=kept["PostgreSQL computes, a second of a worker that waits for a run's end"],
            ledger_bytes=kept["ledger bytes a sample, as it grew"],
            image_bytes=kept["bytes of an edited image"],
        )


@dataclass(frozen=True)
class Demand:
    """What so many GPUs ask for, each second, all of them at work; one scorer."""

    costs: Costs
    gpus: int
    score_seconds: float

    @property
    def samples(self) -> float:
        """Samples finished a second."""
        return self.gpus / (EDIT_SECONDS + self.score_seconds)

    @property
    def commands(self) -> float:
        """Commands of the broker."""
        return self._sum(self.costs.job_commands, self.costs.second_commands)

    @property
    def broker_bytes(self) -> float:
        """Bytes in and out of the broker, of one listener to events at most."""
        return self._sum(self.costs.job_broker_bytes, self.costs.second_broker_bytes)

    @property
    def transactions(self) -> float:
        """Transactions of the database."""
        return self._sum(self.costs.job_transactions, self.costs.second_transactions)

    @property
    def broker_cores(self) -> float:
        """Cores that the broker keeps busy."""
        return self._sum(self.costs.job_broker_ms, self.costs.second_broker_ms) / 1000

    @property
    def database_cores(self) -> float:
        """Cores that the database keeps busy."""
        return self._sum(self.costs.job_database_ms, self.costs.second_database_ms) / 1000

    @property
    def log_bytes(self) -> float:
        """Bytes of the database's write-ahead log."""
        return self._sum(self.costs.job_log_bytes, self.costs.second_log_bytes)

    @property
    def requests(self) -> float:
        """Images that are read or written."""
        return self.samples * (READS + WRITES)

    @property
    def image_bytes(self) -> float:
        """Bytes of images that are read or written."""
        return self.requests * self.costs.image_bytes

    def _sum(self, job: float, second: float) -> float:
        """A sample is two jobs."""
        return 2 * self.samples * job + self.gpus * second


@click.command()
@click.option("--write", is_flag=True, help="Put the tables into docs/scaling.md.")
def main(write: bool) -> None:
    """Print the tables of docs/scaling.md."""
    tables = all_tables(Costs.read())
    click.echo("\n\n".join(tables.values()))
    if write:
        PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), tables), encoding="utf-8")


def all_tables(costs: Costs) -> dict[str, str]:
    """Return every table by its name on the page."""
    return {"costs": costs_table(costs), **load_tables(costs), "limits": limits_table(costs), "size": size_table(costs)}


def costs_table(costs: Costs) -> str:
    """Return what is measured."""
    rows = [
        ("commands of the broker", costs.job_commands, costs.second_commands),
        ("bytes in and out of the broker", costs.job_broker_bytes, costs.second_broker_bytes),
        ("transactions of the database", costs.job_transactions, costs.second_transactions),
        ("bytes of the database's log", costs.job_log_bytes, costs.second_log_bytes),
        ("ms that the broker computes", costs.job_broker_ms, costs.second_broker_ms),
        ("ms that the database computes", costs.job_database_ms, costs.second_database_ms),
    ]
    return markdown_table(("", "a job, j", "a second at work, w"), [(name, shown(a), shown(b)) for name, a, b in rows])


def load_tables(costs: Costs) -> dict[str, str]:
    """Return what the GPUs ask for, by what a score takes."""
    header = (
        *("GPUs", "samples/h", "broker commands/s", "cores", "MB/s", "database transactions/s", "cores", "log MB/s"),
        *("connections", "images/s", "MB/s"),
    )
    tables = {}
    for seconds in SCORE_SECONDS:
        demands = [Demand(costs, gpus, seconds) for gpus in GPUS]
        tables[f"load-{seconds:g}"] = markdown_table(
            header,
            [
                (
                    f"{one.gpus:,}",
                    shown(3600 * one.samples),
                    shown(one.commands),
                    shown(one.broker_cores),
                    shown(one.broker_bytes / 1e6),
                    shown(one.transactions),
                    shown(one.database_cores),
                    shown(one.log_bytes / 1e6),
                    f"{CONNECTIONS_A_WORKER * one.gpus:,}",
                    shown(one.requests),
                    shown(one.image_bytes / 1e6),
                )
                for one in demands
            ],
        )
    return tables


def limits_table(costs: Costs) -> str:
    """Return how many GPUs it takes until each thing is at its limit."""
    one = Demand(costs, 1, min(SCORE_SECONDS))
    ten_gigabits = 10e9 / 8
    limits = [
        ("100 connections, PostgreSQL's default, two for each worker", 97 / CONNECTIONS_A_WORKER),
        ("500 connections, likewise", 497 / CONNECTIONS_A_WORKER),
        ("two cores of the database", 2 / one.database_cores),
        ("two cores of the database, while all workers wait for a run's end", 2000 / costs.waiting_database_ms),
        ("the one core that a Redis uses", 1 / one.broker_cores),
        ("images over 10 Gbit/s", ten_gigabits / one.image_bytes),
    ]
    return markdown_table(
        ("limit", "GPUs"), [(name, shown(gpus)) for name, gpus in sorted(limits, key=lambda limit: limit[1])]
    )


def size_table(costs: Costs) -> str:
    """Return what so many samples take: space, and the time of what is done once."""
    days = [f"days on {gpus:,} GPUs" for gpus in GPUS if gpus > 1]
    header = ("samples", "ledger GB", "images TB", "taken in, h", "report, min", "report, GB", *days)
    rows = []
    for samples in SAMPLES:
        scale = samples / REPORT_SCORES
        rows.append(
            (
                f"{samples:,}",
                shown(samples * costs.ledger_bytes / 1e9),
                shown(2 * samples * costs.image_bytes / 1e12),
                shown(samples / INGESTED_A_SECOND / 3600),
                shown(scale * REPORT_SECONDS / 60),
                shown((REPORT_BASE_MB + scale * (REPORT_MB - REPORT_BASE_MB)) / 1000),
                *(shown(samples * (EDIT_SECONDS + SCORE_SECONDS[0]) / gpus / 86400) for gpus in GPUS if gpus > 1),
            )
        )
    return markdown_table(header, rows)


def shown(value: float) -> str:
    """Return the value with two significant digits: these are computed, and no more of them is known."""
    if value == 0:
        return "0"
    digits = 1 - int(f"{value:e}".partition("e")[2])
    return f"{round(value, digits):,.{max(0, digits)}f}"


if __name__ == "__main__":
    main()
