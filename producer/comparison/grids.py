"""A comparison as grids of text: two runs by category, or more of them as a leaderboard; and configurations."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from db.categories import with_alias
from producer.comparison.differences import ABSENT, Difference
from producer.comparison.schema import ComparedDimension, Comparison, Pair, PairFigures, Standing
from producer.report.grid import NOTHING, Grid, number, percentage, span
from producer.report.schema import OVERALL


def heading(comparison: Comparison) -> list[str]:
    """Return what a comparison begins with, line by line."""
    lines = [f"{len(comparison.runs)} runs on {comparison.shared_samples:,} samples that all were asked"]
    for run in comparison.runs:
        lines.append(f"{run.name}: run {run.run}  benchmark {run.benchmark}")
    lines += [f"PARTIAL: of {run.name} {run.missing}" for run in comparison.runs if run.missing is not None]
    return lines + [f"note: {note}" for note in comparison.notes]


def grids(comparison: Comparison, *, wide: bool = True) -> Iterator[Grid]:
    """Yield the tables of a comparison; `wide` ones have all numbers, others those that fit 80 columns."""
    names = {run.run: run.name for run in comparison.runs}
    for dimension in comparison.dimensions:
        if len(comparison.runs) == 2:
            yield _of_two(dimension, names, wide)
        elif dimension.dimension == OVERALL:
            yield _leaderboard(dimension, names)
            yield _pairs(dimension, names, wide)


def closing(comparison: Comparison) -> str:
    """Return how the numbers were found."""
    methods = comparison.methods
    found = f"each sample's score: {methods.sample}; 95 % CI: {methods.interval}; p: {methods.test}"
    ranked = len(comparison.runs) > 2
    return f"{found}; strength: {methods.ranking}; p adjusted by Holm's method" if ranked else found


def difference_grid(found: Sequence[Difference], first: str, second: str) -> Grid:
    """Return what differs between two configurations."""
    rows = [[one.path, _value(one.first), _value(one.second)] for one in found]
    return Grid("what differs", ["field", first, second], rows, texts=3)


def _title(dimension: ComparedDimension) -> str:
    name = "" if dimension.dimension == OVERALL else f", {dimension.dimension}"
    return f"scorer {dimension.scorer}{name}"


# -- two runs ----------------------------------------------------------------------------------------------------------


def _of_two(dimension: ComparedDimension, names: Mapping[str, str], wide: bool) -> Grid:
    (pair,) = dimension.pairs
    first, second = names[pair.first], names[pair.second]
    columns = ["category", "n", *(["first", "second"] if wide else []), "difference", "95 % CI", "won", "tied", "lost"]
    return Grid(
        title=f"{_title(dimension)}: {second} (second) minus {first} (first)",
        columns=[*columns, "p"],
        rows=[[with_alias(one.category or ""), *_cells(one, wide)] for one in pair.categories],
        footers=[["all", *_cells(pair.overall, wide)]],
        notes=list(_scored_by_one(pair, first, second)),
    )


def _cells(one: PairFigures, wide: bool) -> list[str]:
    means = [number(one.first_mean), number(one.second_mean)] if wide else []
    counts = [f"{count:,}" for count in (one.wins, one.ties, one.losses)]
    return [f"{one.n:,}", *means, signed(one.difference), span(one.ci), *counts, chance(one.p)]


def _scored_by_one(pair: Pair, first: str, second: str) -> Iterator[str]:
    for count, name, other in ((pair.only_first, first, second), (pair.only_second, second, first)):
        if count:
            yield f"not compared: {count:,} samples that {name} has a score of and {other} has not"


# -- more runs ---------------------------------------------------------------------------------------------------------


def _leaderboard(dimension: ComparedDimension, names: Mapping[str, str]) -> Grid:
    columns = ["run", "rank", "n", "coverage", "mean", "95 % CI", "strength", "95 % CI"]
    rows = [[names[standing.run], *_standing(standing)] for standing in dimension.standings]
    return Grid(f"{_title(dimension)}: leaderboard", columns, rows)


def _standing(one: Standing) -> list[str]:
    coverage = percentage(one.scored / one.shared if one.shared else None)
    rank = NOTHING if one.rank is None else str(one.rank)
    ranked = [signed(one.strength), span(one.strength_ci)]
    return [rank, f"{one.n:,}", coverage, number(one.mean), span(one.ci), *ranked]


def _pairs(dimension: ComparedDimension, names: Mapping[str, str], wide: bool) -> Grid:
    columns = ["second", "minus first", "n", "difference", "95 % CI"]
    rows = []
    for pair in dimension.pairs:
        one = pair.overall
        numbers = [f"{one.n:,}", signed(one.difference), span(one.ci)]
        counts = [f"{count:,}" for count in (one.wins, one.ties, one.losses)] if wide else []
        rows.append([names[pair.second], names[pair.first], *numbers, *counts, chance(pair.p_holm)])
    return Grid(
        f"{_title(dimension)}: each two", [*columns, *(["won", "tied", "lost"] if wide else []), "p"], rows, texts=2
    )


# -- cells -------------------------------------------------------------------------------------------------------------


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


def _value(value: Any) -> str:
    return NOTHING if value is ABSENT else json.dumps(value, ensure_ascii=False)
