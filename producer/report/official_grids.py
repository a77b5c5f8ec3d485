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
        columns=[table.rows_are, *headings(table.columns, wide)],
        rows=[_row(row, table, wide) for row in table.rows if not row.total],
        footers=footers,
    )


def headings(columns: Sequence[str], wide: bool) -> list[str]:
    """Return the columns behind the name of a row; only `wide` tables have intervals."""
    return ["n", "coverage", *(heading for name in columns for heading in ((name, "95 % CI") if wide else (name,)))]


def numbers(edits: int, cells: Sequence[OfficialCell], digits: int, wide: bool) -> list[str]:
    """Return what stands below these headings: of how many edits, how much was given, and the figures."""
    asked = sum(cell.n for cell in cells)
    share = sum(cell.scored for cell in cells) / asked if asked else None
    return [f"{edits:,}", percentage(share), *(text for cell in cells for text in _cells(cell, digits, wide))]


def _row(row: OfficialRow, table: OfficialTable, wide: bool, *, bound: bool = False) -> list[str]:
    """Return a row as text; `bound`: what it would be with every failure as the least."""
    if bound:
        bounds = [text for cell in row.cells for text in _cells(cell.lower_bound, table.digits, wide)]
        return [f"failures as the least, {row.total}", "", "", *bounds]
    name = with_alias(row.name) if table.rows_are == "category" and not row.total else row.name
    return [name, *numbers(row.edits, row.cells, table.digits, wide)]


def _cells(figure: OfficialCell | Bound, digits: int, wide: bool) -> list[str]:
    mean = number(figure.mean, digits)
    return [mean, span(figure.ci, digits)] if wide else [mean]


def _notes(official: OfficialReport) -> Grid:
    about = f"recipe {official.recipe}: {official.benchmark}; its authors' judge is {official.judge}"
    return Grid(about, ["to know"], [[note] for note in official.notes])
