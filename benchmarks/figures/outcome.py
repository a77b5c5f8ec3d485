"""What came of one measured run of one system."""

from __future__ import annotations

from dataclasses import dataclass


class Fell(Exception):
    """A system did not do the work: it is missing, it broke, or it took too long. The text says which."""


@dataclass(frozen=True)
class Outcome:
    """The makespan in seconds; `most_swaps`: how often the worker that did so most changed its model, where counted."""

    seconds: float
    most_swaps: int | None = None
    library: str | None = None
