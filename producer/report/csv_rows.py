"""A report as CSV: a row for each scorer, dimension and category, with every number."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from producer.report.schema import Bound, Dimension, Figures, Interval, Macro, Report

_COLUMNS = (
    *("run", "scorer", "dimension", "group", "category", "alias", "n", "scored"),
    *("edit_failed", "missing", "judge_failed", "unparsed", "refused", "lost"),
    *("open", "not_given", "left_out", "images"),
    *("coverage", "mean", "ci_low", "ci_high", "sd", "median", "min", "max"),
    *("lower_bound", "lower_bound_ci_low", "lower_bound_ci_high", "partial"),
)


def report_as_csv(report: Report) -> str:
    """Return the report as CSV (RFC 4180); what is not defined is empty.

    `group` is `category`, `all` (over samples: the micro mean) or `macro` (over categories).
    """
    return as_csv(_COLUMNS, _rows(report))


def as_csv(columns: tuple[str, ...], rows: Iterator[dict[str, Any]]) -> str:
    """Return rows as CSV."""
    file = io.StringIO()
    writer = csv.DictWriter(file, columns, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: _unharmful(value) for name, value in row.items()} for row in rows)
    return file.getvalue()


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
    interval = _interval("ci", mean.ci) | _interval("lower_bound_ci", bound.ci)
    return {"mean": mean.mean, "lower_bound": bound.mean, **interval}


def _interval(name: str, ci: Interval | None) -> dict[str, float | None]:
    return {f"{name}_low": ci.low if ci else None, f"{name}_high": ci.high if ci else None}


def _unharmful(value: Any) -> Any:
    """Return text so that no spreadsheet takes it for a formula: a stranger may have called a category `=...`."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
