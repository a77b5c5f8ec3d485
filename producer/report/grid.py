"""A table of text, and how numbers are written in one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from producer.report.schema import Interval

NOTHING = "–"


@dataclass(frozen=True)
class Grid:
    """A table: the first `texts` columns hold text, the others numbers; `footers` stand apart, `notes` below it."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    footers: Sequence[Sequence[str]] = ()
    notes: Sequence[str] = field(default_factory=list)
    texts: int = 1


def number(value: float | None) -> str:
    """Return a number on a scorer's scale."""
    return NOTHING if value is None else f"{value:.2f}"


def percentage(share: float | None) -> str:
    """Return a share of what was asked."""
    return NOTHING if share is None else f"{share:.1%}"


def span(ci: Interval | None) -> str:
    """Return an interval."""
    if ci is None:
        return NOTHING
    between = " to " if ci.low < 0 else "–"
    return f"{ci.low:.2f}{between}{ci.high:.2f}"
