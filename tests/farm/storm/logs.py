"""What the workers' logs tell: outcomes, refusals, errors. Lines that a kill tore are passed over."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """A worker said that it had written a job's result."""

    attempt: int
    worker: str
    timestamp: str


@dataclass(frozen=True)
class Told:
    """All logs together."""

    outcomes: Mapping[tuple[str, int], Sequence[Outcome]] = field(default_factory=dict)
    refused: int = 0
    """Results that came too late and were dropped."""
    errors: Mapping[str, int] = field(default_factory=dict)
    """How often what was logged as an error, and which messages were not let in."""


def read_logs(files: Iterable[Path]) -> Told:
    """Read the log of every worker."""
    outcomes: dict[tuple[str, int], list[Outcome]] = defaultdict(list)
    refused = 0
    errors: Counter[str] = Counter()
    for file in files:
        for line in _lines(file):
            event = str(line.get("event"))
            stage, _, what = event.partition(".")
            if stage in ("edit", "score") and what == "done":
                outcomes[stage, line["job"]].append(Outcome(line["attempt"], file.stem, line["timestamp"]))
            elif stage in ("edit", "score") and what == "refused":
                refused += 1
            if line.get("level") in ("error", "critical") or event == "message.refused":
                errors[_kind(event, line)] += 1
    return Told(outcomes, refused, errors)


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    with file.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict):
                yield entry


def _kind(event: str, line: Mapping[str, Any]) -> str:
    """Return the event's beginning, with its reason or the last line of its traceback where it has one."""
    why = str(line.get("exception") or line.get("reason") or "").strip()
    first = event.strip().splitlines()[0][:80] if event.strip() else ""
    return f"{first}: {why.splitlines()[-1][:120]}" if why else first
