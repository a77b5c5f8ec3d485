"""What came of one score: a value, or why there is none, and what else was said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from db.imported import Failed
from producer.published_scores.lines import FAILURES, ScoreLine

NOT_IN_FILE = "the published scores do not have it"


@dataclass(frozen=True)
class Outcome:
    """Either a value or why there is none; `detail` is what is kept beside it."""

    value: float | None
    failed: Failed | None
    detail: Mapping[str, Any] | None


class Missing(Exception):
    """A score that is not in the file, or not whole; the message says what of it there is not.

    `detail` is what is kept of it all the same.
    """

    def __init__(self, what: str, detail: Mapping[str, Any] | None = None) -> None:
        super().__init__(what)
        self.detail = detail


def failed(line: ScoreLine) -> Failed:
    """Return why there is no result, of a line that says so."""
    assert line.failure is not None  # it is asked of no other
    return Failed(FAILURES[line.failure].value, line.reason or f"published as {line.failure}")


def detail_of(reasoning: str, criteria: Mapping[str, float], reply: str) -> dict[str, Any] | None:
    """Return what is kept beside a score; None where nothing was said."""
    beside = {"reply": reply} if reply else {}
    return {"reasoning": reasoning, "criteria": criteria, **beside} if reasoning or criteria or reply else None
