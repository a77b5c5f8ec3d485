"""A published reply is read as that of our own judge."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import select

from db.engine import reading
from db.errors import BenchmarkInvalid
from db.tables import edits, scores
from tests.producer.published_scores.importing import Importer, line


def reply_line(sample: str, reply: str, **given: Any) -> dict[str, Any]:
    return line(sample=sample, value=None, reply=reply, **given)


def test_a_judges_reply_is_read_as_our_own_judges_are(importer: Importer) -> None:
    said = json.dumps({"reasoning": "wet", "preservation": 9, "score": 6.5})

    imported = importer(reply_line("p-1", said), reply_line("p-2", "no number"), reply_line("p-3", "Score: 8/10"))

    run_id = imported.run_ids["model-x"]
    with reading(importer.ledger.engine) as connection:
        columns = (scores.c.value, scores.c.failure_kind, scores.c.failure_reason, scores.c.detail)
        of_run = select(*columns).join(edits, scores.c.edit_id == edits.c.id).where(edits.c.run_id == run_id)
        first, second, third = connection.execute(of_run.order_by(scores.c.id)).all()
    assert (first.value, first.detail) == (6.5, {"reasoning": "wet", "criteria": {"preservation": 9}})
    assert (second.value, second.failure_kind) == (None, "unparsed")
    assert (second.failure_reason, second.detail["reply"]) == ("the reply names no score", "no number")
    assert third.value == 8


@pytest.mark.parametrize(
    ("given", "scale", "said"),
    [
        ({"value": 7}, (0, 10), "expected either a reply or a value, found both"),
        ({"failure": "lost"}, (0, 10), "expected either a reply or a failure, found both"),
        ({"dimension": "SC"}, (0, 10), "expected either a reply or a dimension, found both"),
        ({}, (1, 5), "a reply is read on a scale of 0 to 10, and the file has another one (--scale)"),
    ],
)
def test_a_reply_stands_for_all_that_a_line_says(
    importer: Importer, given: Mapping[str, Any], scale: tuple[float, float], said: str
) -> None:
    with pytest.raises(BenchmarkInvalid) as caught:
        importer({**reply_line("p-1", "Score: 8"), **given}, scale=scale)

    assert caught.value.faults == (f"line 1: {said}",)
