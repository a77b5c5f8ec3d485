"""How what a judge gave each criterion becomes one score: read once, checked when asked, safe to compute."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import fmean

from db.expression import NotAnExpression, read_expression

_OVER_ALL: Mapping[str, Callable[[Sequence[float]], float]] = {
    "mean": fmean,
    "min": min,
    "geometric-mean": lambda values: 10 * math.prod(value / 10 for value in values) ** (1 / len(values)),
}
"""Aggregates that take whatever criteria there are, by the word that stands for them."""

_ROUNDING = 1e-9
"""By so much weights that sum to 1 may miss the end of the scale."""


class CriterionMissing(Exception):
    """A criterion that the score is made of was not given; the message names it."""


@dataclass(frozen=True)
class Aggregate:
    """One way from criteria to a score; `names` are the criteria it is made of, None: whatever there are."""

    text: str
    names: frozenset[str] | None
    scale: tuple[float, float]
    _compute: Callable[[Mapping[str, float]], float]

    def of(self, criteria: Mapping[str, float]) -> float:
        """Return the score, on the scale of the criteria. Raises CriterionMissing."""
        missing = sorted((self.names or frozenset()) - criteria.keys())
        if missing:
            given = ", ".join(sorted(criteria)) or "none"
            raise CriterionMissing(f"no criterion {missing[0]!r}, of which the score is made ({given} given)")
        if not criteria:
            raise CriterionMissing("no criteria, of which the score is made")
        least, most = self.scale
        return min(most, max(least, self._compute(criteria)))


@lru_cache(maxsize=64)
def read_aggregate(text: str, least: float = 0, most: float = 10) -> Aggregate:
    """Return what the text stands for: `mean`, `min`, `geometric-mean` (over all criteria), or an expression.

    Raises ValueError where it is none, or where criteria within the scale could give a score outside of it.
    """
    text = text.strip()
    if text in _OVER_ALL:
        return Aggregate(text, None, (least, most), lambda criteria: _OVER_ALL[text](list(criteria.values())))
    try:
        expression = read_expression(text, lambda _name: (least, most))
    except NotAnExpression as error:
        raise ValueError(f"{text!r} is neither {', '.join(_OVER_ALL)} nor an expression of criteria") from error
    require_within(expression.reach, (least, most), text)
    if not expression.names:
        raise ValueError(f"{text!r} names no criterion")
    return Aggregate(text, expression.names, (least, most), expression.of)


def require_within(reach: tuple[float, float], scale: tuple[float, float], text: str) -> None:
    """Raise ValueError where what can come of an expression leaves the scale by more than rounding."""
    (low, high), (least, most) = reach, scale
    if low < least - _ROUNDING or high > most + _ROUNDING:
        raise ValueError(
            f"{text!r} can give {low:g} to {high:g}, which is not within {least:g} to {most:g}: "
            'weights may sum to 1 at most, and a name with a hyphen or a space is written in quotes, as "edit quality"'
        )
