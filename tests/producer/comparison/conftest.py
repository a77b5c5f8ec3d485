"""Runs to be compared: of one benchmark of four samples, with the scores that they are given."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from db.ledger import Ledger
from producer.comparison.document import comparison_document
from producer.comparison.gather import compare_runs
from producer.comparison.schema import Comparison
from tests.producer.by_hand import RunByHand

KEYS = ["a", "b", "c", "d"]
ENTRIES = [("物理", "a"), ("物理", "b"), ("社会", "c"), ("社会", "d")]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is compared is read by the report's own statements, which are tested on both databases."""
    return sqlite_url


def scored_run(ledger: Ledger, editor: str, scores: dict[str, float], **given: Any) -> RunByHand:
    """Make a run of this editor whose scorer 严 gave these scores; the samples without one have failed."""
    settings = {"entries": ENTRIES, "sources": KEYS, "fresh": True, **given}
    run = RunByHand(ledger, settings.pop("entries"), editor={"name": "simulated", "label": editor}, **settings)
    for key, value in scores.items():
        run.edit(key)
        run.score(key, "严", value)
    return run


def compared(*runs: RunByHand, **given: Any) -> Comparison:
    return compare_runs(runs[0].ledger.engine, [run.id for run in runs], **given)


def printed(comparison: Comparison, width: int = 80) -> str:
    file = io.StringIO()
    comparison_document(comparison).print(Console(width=width, file=file))
    return file.getvalue()


@pytest.fixture
def pair(ledger: Ledger) -> tuple[RunByHand, RunByHand]:
    """Two runs that share three scored samples."""
    first = scored_run(ledger, "old", {"a": 4, "b": 6, "c": 5})
    return first, scored_run(ledger, "new", {"a": 7, "b": 6, "c": 3, "d": 10})
