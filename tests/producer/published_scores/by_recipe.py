"""Lines of scores by a recipe, and the report that comes of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from db.engine import reading
from db.tables import scores
from producer.report.gather import gather_report
from producer.report.schema import OfficialCell, Report
from tests.producer.published_scores.importing import Importer, line, only

SC, PQ = "semantic consistency", "perceptual quality"


def number(category: str, key: str, value: float, dimension: str | None = None, **given: Any) -> dict[str, Any]:
    return line(category=category, sample=key, value=value, dimension=dimension, **given)


def reply(category: str, key: str, text: str, question: str | None = None, **given: Any) -> dict[str, Any]:
    return line(category=category, sample=key, value=None, reply=text, question=question, **given)


def said(*numbers: float) -> str:
    return json.dumps({"score": numbers, "reasoning": f"as {numbers[0]}"})


def gedit(key: str, category: str, language: str, numbers: Sequence[float], *, shared: bool = False) -> list[Any]:
    """Return both questions' replies for one edit."""
    fields = {"instruction_language": language, "Intersection_exist": shared}
    first, second = said(*numbers[:2]), said(*numbers[2:])
    return [reply(category, key, first, SC, fields=fields), reply(category, key, second, PQ, fields=fields)]


def reported(importer: Importer, recipe: str, *lines: Any, **given: Any) -> Report:
    run_id = only(importer(*lines, recipe=recipe, **given))
    return gather_report(importer.ledger.engine, run_id)


def rows(importer: Importer) -> list[Any]:
    """Return value, why it failed, and the detail of every score, in the order in which they were entered."""
    columns = (scores.c.value, scores.c.failure_kind, scores.c.failure_reason, scores.c.detail)
    with reading(importer.ledger.engine) as connection:
        return list(connection.execute(select(*columns).order_by(scores.c.id)).all())


def first_cells(report: Report) -> list[OfficialCell]:
    assert report.official is not None
    return list(report.official.tables[0].rows[0].cells)


def rise(key: str, kind: str, numbers: Mapping[str, float], **given: Any) -> list[Any]:
    """Return a line for each number; what else is known of the sample stands on the last."""
    lines = [number(f"{kind}_reasoning", key, value, name) for name, value in numbers.items()]
    return [*lines[:-1], {**lines[-1], **given}]
