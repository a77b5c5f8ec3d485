"""The statistics of scores: a failure never enters them as a number, and no mean stands without its n."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Summary:
    """Scores of one group. `n` counts what was asked; `scored` and `failed` are those that have ended so.

    The mean and what follows are over what was scored, on the scorer's scale; None where they are not defined (nothing
    scored; for the standard deviation, fewer than two scores).
    """

    n: int
    scored: int
    failed: int
    mean: float | None
    sd: float | None
    min: float | None
    max: float | None

    @property
    def coverage(self) -> float | None:
        """The share of what was asked that has a score, 0 to 1; None when nothing was asked."""
        return self.scored / self.n if self.n else None


def summarise(values: Sequence[float], *, asked: int, failed: int) -> Summary:
    """Summarise finite scores. `sd` is the sample standard deviation (n - 1), two-pass, sums by `math.fsum`."""
    scored = len(values)
    mean = math.fsum(values) / scored if scored else None
    sd = None
    if mean is not None and scored > 1:
        sd = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (scored - 1))
    return Summary(
        n=asked,
        scored=scored,
        failed=failed,
        mean=mean,
        sd=sd,
        min=min(values, default=None),
        max=max(values, default=None),
    )
