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


def number(value: float | None, digits: int = 2) -> str:
    """Return a number on a scorer's scale; what rounds to zero has no sign."""
    return NOTHING if value is None else f"{value:z.{digits}f}"


def signed(value: float | None) -> str:
    """Return a difference; one that is written as nothing has no direction."""
    if value is None:
        return NOTHING
    shown = f"{value:+.2f}"
    return shown if float(shown) else f"±{shown[1:]}"


def chance(p: float | None) -> str:
    """Return a p-value."""
    if p is None:
        return NOTHING
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def percentage(share: float | None) -> str:
    """Return a share of what was asked."""
    return NOTHING if share is None else f"{share:.1%}"


def span(ci: Interval | None, digits: int = 2) -> str:
    """Return an interval."""
    if ci is None:
        return NOTHING
    low, high = number(ci.low, digits), number(ci.high, digits)
    return f"{low} to {high}" if low.startswith("-") else f"{low}–{high}"
