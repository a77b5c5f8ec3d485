"""Which samples of a benchmark a run is about: some categories, of these every K-th sample, of these the first N."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Subset:
    """What of a benchmark is asked for; None of each: no such choice."""

    categories: Sequence[str] | None = None
    sample_every: int | None = None
    limit: int | None = None

    @classmethod
    def of(cls, configuration: Mapping[str, Any]) -> Self:
        """Return the subset of a run, by its configuration as the ledger has it."""
        return cls(**{name: configuration.get(name) for name in ("categories", "sample_every", "limit")})
