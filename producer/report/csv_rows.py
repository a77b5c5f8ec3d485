"""A report as CSV: a row for each scorer, dimension and category, with every number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from producer.report.csv_file import as_csv, interval_cells
from producer.report.schema import Bound, Dimension, Failed, Figures, Macro, Report

_COLUMNS = (
    *("run", "scorer", "dimension", "group", "category", "alias", "n", "scored"),
    *Failed.model_fields,
    *("open", "not_given", "left_out", "images"),
    *("coverage", "mean", "ci_low", "ci_high", "sd", "median", "min", "max"),
    *("lower_bound", "lower_bound_ci_low", "lower_bound_ci_high", "partial"),
)


def report_as_csv(report: Report) -> str:
    """Return the report as CSV (RFC 4180); what is not defined is empty.

    `group` is `category`, `all` (over samples: the micro mean) or `macro` (over categories).
    """
    return as_csv(_COLUMNS, _rows(report))


def _rows(report: Report) -> Iterator[dict[str, Any]]:
    for scorer in report.scorers:
        for dimension in scorer.dimensions:
            place = {
                "run": report.run,
                "scorer": scorer.scorer,
                "dimension": dimension.name,
                "partial": str(report.partial).lower(),
            }
            for row in _of_dimension(dimension):
                yield {**place, **row}


def _of_dimension(dimension: Dimension) -> Iterator[dict[str, Any]]:
    for figures in dimension.categories:
        yield {"group": "category", **_figures(figures)}
    yield {"group": "all", **_figures(dimension.overall)}
    yield {"group": "macro", **_mean(dimension.macro)}


def _figures(figures: Figures) -> dict[str, Any]:
    plain = figures.model_dump(exclude={"failed", "ci", "lower_bound"})
    return {**plain, **figures.failed.model_dump(), **_mean(figures)}


def _mean(mean: Figures | Macro) -> dict[str, Any]:
    bound: Bound = mean.lower_bound
    interval = interval_cells(mean.ci) | interval_cells(bound.ci, "lower_bound_ci")
    return {"mean": mean.mean, "lower_bound": bound.mean, **interval}
