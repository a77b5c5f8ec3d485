"""Runs that are judged by a rubric with official tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from db.ledger import Ledger
from producer.report.gather import gather_report
from producer.report.schema import OfficialReport, OfficialRow
from tests.producer.by_hand import RunByHand

RUBRIC: Mapping[str, Any] = {
    "questions": [
        {
            "name": name,
            "prompt": {"user": name},
            "show": [{"what": "prompt"}],
            "answer": {"form": "json", "criteria": [{"name": name, "scale": (1, 5), "at": name}]},
            "when": when,
        }
        for name, when in (("a", {}), ("b", {"has": ["both"]}))
    ],
    "values": [{"name": "A", "of": "a * 20", "scale": (0, 100)}],
    "score": "a",
}


JUDGE: Mapping[str, Any] = {
    "name": "api",
    "label": "judge",
    "options": {"model": "m", "base_url": "http://127.0.0.1:1/v1", "batch_size": 1, "temperature": 1, "rubric": RUBRIC},
}


A, B, BOTH = ({"name": name, "of": of} for name, of in (("a", ["a"]), ("b", ["b"]), ("both", ["a", "b"])))


def run_of(
    ledger: Ledger,
    samples: Sequence[tuple[str, Mapping[str, Any]]],
    *tables: Mapping[str, Any],
    judge: Mapping[str, Any] = JUDGE,
    **given: Any,
) -> RunByHand:
    """Return a run of samples `k-0`, `k-1` and so on, each a category and fields, that follows these tables."""
    recipe = {
        **{"name": "mine", "digest": "0" * 64, "benchmark": "a benchmark", "judge": "m"},
        "tables": [{"title": f"T{number}", "columns": [A, B, BOTH], **table} for number, table in enumerate(tables)],
    }
    return RunByHand(
        ledger,
        [(category, f"k-{number}") for number, (category, _) in enumerate(samples)],
        sources=[str(fields.get("source", number)) for number, (_, fields) in enumerate(samples)],
        extras=[{"fields": dict(fields) or None, "reference_text": None} for _, fields in samples],
        **{"scorers": [judge], "recipe": recipe, **given},
    )


def scored(run: RunByHand, *numbers: float | Mapping[str, float]) -> OfficialReport:
    """Make every edit, give it these numbers (of `a`, where it is only one), and return the recipe's tables."""
    for place, given in enumerate(numbers):
        criteria = given if isinstance(given, Mapping) else {"a": given}
        run.edit(f"k-{place}")
        run.score(f"k-{place}", "judge", criteria["a"], **criteria)
    return official(run)


def official(run: RunByHand) -> OfficialReport:
    found = gather_report(run.ledger.engine, run.id).official
    assert found is not None
    return found


def means(row: OfficialRow) -> list[float | None]:
    return [cell.mean for cell in row.cells]
