"""The scale of a number: its least and its best value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Scale = tuple[float, float]
"""The least and the best number."""

JUDGED_ON: Scale = (0.0, 10.0)
"""The scale of scorers that have no rubric."""


def scale_in(options: Mapping[str, Any]) -> Scale:
    """Return the scale of a scorer's scores, by its options as the ledger has them."""
    rubric = options.get("rubric")
    if not rubric:
        return JUDGED_ON
    criteria = [criterion for question in rubric["questions"] for criterion in question["answer"]["criteria"]]
    least, most = next(one["scale"] for one in (*rubric["values"], *criteria) if one["name"] == rubric["score"])
    return float(least), float(most)


def within(scale: Scale, number: float) -> float:
    """Return the number, or the end of the scale beyond which it lies."""
    least, most = scale
    return min(most, max(least, number))


def require_scale(name: str, scale: Scale) -> None:
    """Raise ValueError unless it goes from 0 or more to 100 or less."""
    least, most = scale
    if not 0 <= least < most <= 100:
        raise ValueError(f"the scale of {name!r} is {least:g} to {most:g}; expected two numbers from 0 to 100")
