"""What differs between what shaped two runs, field by field."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from db.queries import Run, environments_of
from db.tables import Stage

ABSENT = object()
"""Stands for a field that one of the two does not have; JSON's null is a value."""


@dataclass(frozen=True)
class Difference:
    """A field by its path, as in `editor.options.steps`, and its value in each; ABSENT where it has none."""

    path: str
    first: Any
    second: Any


def differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[Difference]:
    """Return every field that differs; a list of things with labels counts by label, not by place."""
    ours, theirs = dict(_fields(first)), dict(_fields(second))
    paths = [*ours, *(path for path in theirs if path not in ours)]
    values = [(path, ours.get(path, ABSENT), theirs.get(path, ABSENT)) for path in paths]
    return [Difference(*value) for value in values if not _same(value[1], value[2])]


def provenance_differences(engine: Engine, first: Run, second: Run) -> list[Difference]:
    """Return what differs between all that shaped two runs: benchmark, configuration, machines and software."""
    return differences(_provenance(engine, first), _provenance(engine, second))


def _provenance(engine: Engine, run: Run) -> dict[str, Any]:
    return {
        "benchmark": {"name": run.benchmark_name, "digest": run.benchmark_id, "samples": run.sample_count},
        **run.configuration,
        "environments": {f"{stage}s": _environments(engine, run, f"{stage}s") for stage in Stage},
    }


def _environments(engine: Engine, run: Run, stage: str) -> list[Any]:
    """Return where this stage's outcomes came about, in an order that does not depend on the run."""
    facts = [environment["facts"] for environment in environments_of(engine, run.id) if stage in environment]
    return sorted(facts, key=lambda one: json.dumps(one, sort_keys=True))


def _fields(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every leaf with its path; empty mappings and lists are leaves."""
    for name, inner in _members(value):
        yield from _fields(inner, f"{path}.{name}" if path else name)
    if path and not _members(value):
        yield path, value


def _members(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [(str(name), inner) for name, inner in value.items()]
    if isinstance(value, Sequence) and not isinstance(value, str):
        labelled = all(isinstance(one, Mapping) and "label" in one for one in value)
        return [(str(one["label"]) if labelled else str(place), one) for place, one in enumerate(value)]
    return []


def _same(first: Any, second: Any) -> bool:
    return type(first) is type(second) and bool(first == second)
