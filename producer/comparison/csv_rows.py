"""A comparison as CSV: a row for each scorer, dimension, pair of runs and category."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from producer.comparison.schema import Comparison, Pair, PairFigures
from producer.report.csv_file import as_csv, interval_cells

_COLUMNS = (
    *("scorer", "dimension", "first", "second", "group", "category", "alias", "n", "images"),
    *("first_mean", "second_mean", "difference", "ci_low", "ci_high", "wins", "ties", "losses", "p", "p_holm"),
)


def comparison_as_csv(comparison: Comparison) -> str:
    """Return the comparison as CSV (RFC 4180); what is not defined is empty. A win is the second's."""
    return as_csv(_COLUMNS, _rows(comparison))


def _rows(comparison: Comparison) -> Iterator[dict[str, Any]]:
    for dimension in comparison.dimensions:
        for pair in dimension.pairs:
            place = {"scorer": dimension.scorer, "dimension": dimension.dimension}
            for row in _of_pair(pair):
                yield {**place, "first": pair.first, "second": pair.second, **row}


def _of_pair(pair: Pair) -> Iterator[dict[str, Any]]:
    for figures in pair.categories:
        yield {"group": "category", **_figures(figures)}
    yield {"group": "all", **_figures(pair.overall), "p_holm": pair.p_holm}


def _figures(figures: PairFigures) -> dict[str, Any]:
    return {**figures.model_dump(exclude={"ci"}), **interval_cells(figures.ci)}
