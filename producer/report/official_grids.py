"""The tables of a recipe as grids of text: numbers with as many digits as the benchmark's papers have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from db.categories import with_alias
from producer.report.grid import Grid, number, percentage, span
from producer.report.schema import Bound, OfficialCell, OfficialReport, OfficialRow, OfficialTable, Report


def official_grids(report: Report, wide: bool) -> Iterator[Grid]:
    """Yield the tables of the run's recipe, if it follows one, and what there is to know of them."""
    if report.official is not None:
        yield from (_grid(table, wide) for table in report.official.tables)
        yield _notes(report.official)


def _grid(table: OfficialTable, wide: bool) -> Grid:
    footers = [_row(row, table, wide) for row in table.rows if row.total]
    if any(cell.failed for row in table.rows for cell in row.cells):
        totals = [row for row in table.rows if row.total]
        footers += [_row(row, table, wide, bound=True) for row in totals]
    return Grid(
        title=f"{table.title}, as its authors count (scorer {table.scorer})",
        columns=[table.rows_are, "n", "coverage", *(_headings(table.columns, wide))],
        rows=[_row(row, table, wide) for row in table.rows if not row.total],
        footers=footers,
    )


def _headings(columns: Sequence[str], wide: bool) -> list[str]:
    return [heading for name in columns for heading in ((name, "95 % CI") if wide else (name,))]


def _row(row: OfficialRow, table: OfficialTable, wide: bool, *, bound: bool = False) -> list[str]:
    """Return a row as text; `bound`: what it would be with every failure as the least."""
    asked = sum(cell.n for cell in row.cells)
    share = sum(cell.scored for cell in row.cells) / asked if asked else None
    counts = ["", ""] if bound else [f"{row.edits:,}", percentage(share)]
    name = f"failures as the least, {row.total}" if bound else row.name
    figures: list[OfficialCell | Bound] = [cell.lower_bound if bound else cell for cell in row.cells]
    cells = [text for figure in figures for text in _cells(figure, table.digits, wide)]
    return [with_alias(name) if table.rows_are == "category" and not row.total else name, *counts, *cells]


def _cells(figure: OfficialCell | Bound, digits: int, wide: bool) -> list[str]:
    mean = number(figure.mean, digits)
    return [mean, span(figure.ci, digits)] if wide else [mean]


def _notes(official: OfficialReport) -> Grid:
    about = f"recipe {official.recipe}: {official.benchmark}; its authors' judge is {official.judge}"
    return Grid(about, ["to know"], [[note] for note in official.notes])
