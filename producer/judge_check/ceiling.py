"""How far people agree among themselves."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from db.categories import ENGLISH_ALIASES
from producer.judge_check.edits import Edits
from producer.judge_check.schema import Ceiling
from producer.statistics.agreement import Rated, krippendorff_alpha, leave_one_out


def ceilings(edits: Edits, dimension: str, rated: Rated) -> Iterator[Ceiling]:
    """Yield what the ratings of a dimension say: all of them, and where there are several raters, each category's."""
    yield _ceiling(dimension, None, rated)
    if np.unique(rated.rater).size > 1:
        for number, category in enumerate(edits.categories):
            here = edits.category[rated.unit] == number
            yield _ceiling(dimension, category, Rated(rated.unit[here], rated.rater[here], rated.value[here]))


def _ceiling(dimension: str, category: str | None, rated: Rated) -> Ceiling:
    counts = np.unique(rated.unit, return_counts=True)[1]
    correlation, compared = leave_one_out(rated)
    return Ceiling(
        dimension=dimension,
        category=category,
        alias=ENGLISH_ALIASES.get(category or ""),
        ratings=rated.value.size,
        rated=counts.size,
        shared=int((counts > 1).sum()),
        levels=np.unique(rated.value).size,
        raters=np.unique(rated.rater).size,
        leave_one_out=correlation,
        compared_raters=compared,
        alpha=krippendorff_alpha(rated.stacked()),
    )
