"""Comparisons as documents, to be written in every format that is text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import RootModel

from producer.comparison.csv_rows import comparison_as_csv
from producer.comparison.differences import ABSENT, Difference
from producer.comparison.grids import closing, difference_grid, grids, heading
from producer.comparison.schema import Comparison
from producer.report.csv_file import as_csv
from producer.report.document import Document
from producer.words import counted

_COLUMNS = ("field", "first", "second")


def comparison_document(comparison: Comparison) -> Document:
    """Return a comparison of runs as a document."""
    return Document(
        title=f"{len(comparison.runs)} runs compared",
        beginning=heading(comparison),
        grids=lambda wide: grids(comparison, wide=wide),
        closing=closing(comparison),
        data=comparison,
        csv=lambda: comparison_as_csv(comparison),
    )


def difference_document(found: Sequence[Difference], first: str, second: str) -> Document:
    """Return what differs between two runs' configurations and environments as a document."""
    grid = difference_grid(found, first, second)
    data = {"schema": "editfarm.differences/1", "runs": [first, second], "differences": [_data(one) for one in found]}
    return Document(
        title=f"What differs between runs {first} and {second}",
        beginning=[f"runs {first} and {second}: {counted(len(found), 'different field')}"],
        grids=lambda _wide: [grid] if found else [],
        closing="all else that shaped the two is the same" if found else "all that shaped the two is the same",
        data=RootModel[dict[str, Any]](data),
        csv=lambda: as_csv(_COLUMNS, (dict(zip(_COLUMNS, row, strict=True)) for row in grid.rows)),
    )


def _data(one: Difference) -> dict[str, Any]:
    """Return the difference as JSON values; a side that does not have the field is not there."""
    sides = {"first": one.first, "second": one.second}
    return {"field": one.path, **{side: value for side, value in sides.items() if value is not ABSENT}}
