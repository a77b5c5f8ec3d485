"""Scores of files that follow no recipe: as they are given or, of scorers that give dimensions only, aggregated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from db.aggregate import Aggregate, CriterionMissing
from db.imported import Failed
from producer.published_scores.lines import OVERALL, ScoreLine
from producer.published_scores.outcome import NOT_IN_FILE, Missing, Outcome, detail_of, failed


@dataclass(frozen=True)
class ByDimensions:
    """Makes scores of lines: `aggregated` are scorers that give dimensions only, `dimensions` those of each scorer."""

    aggregate: Aggregate
    aggregated: set[str]
    dimensions: Mapping[str, Mapping[str, None]]

    def outcome(self, scorer: str, answer: Mapping[str, ScoreLine]) -> Outcome:
        """Return what the lines of one score come to, by what they are about. Raises Missing."""
        detail = _detail(answer)
        try:
            return Outcome(*self._result(scorer, answer), detail)
        except Missing as missing:
            raise Missing(str(missing), detail) from missing

    def _result(self, scorer: str, answer: Mapping[str, ScoreLine]) -> tuple[float | None, Failed | None]:
        """Return the value or why there is none: of a score with dimensions, one that failed fails it."""
        if not answer:
            raise Missing(NOT_IN_FILE)
        overall = answer.get(OVERALL)
        if overall is not None and overall.value is not None:
            return overall.value, None
        if failing := [line for line in answer.values() if line.failure is not None]:
            return None, failed(overall or failing[0])
        if scorer not in self.aggregated:
            raise Missing("it has dimensions, but not the score itself, which this scorer gives elsewhere")
        if lacking := [name for name in self.dimensions[scorer] if name not in answer]:
            raise Missing(f"it has no dimension {lacking[0]!r}, which this scorer gives elsewhere")
        try:
            return self.aggregate.of(_criteria(answer)), None
        except CriterionMissing as missing:
            raise Missing(f"it has {missing}") from missing


def _criteria(answer: Mapping[str, ScoreLine]) -> dict[str, float]:
    return {name: line.value for name, line in answer.items() if name != OVERALL and line.value is not None}


def _detail(answer: Mapping[str, ScoreLine]) -> dict[str, Any] | None:
    reasoning = next((line.reasoning for line in answer.values() if line.reasoning), "")
    reply = next((line.reply for line in answer.values() if line.reply), "")
    return detail_of(reasoning, _criteria(answer), reply)
