"""The official tables of runs that follow one recipe, put together: of each table's totals, a row for each run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from producer.comparison.schema import ComparedTable, RowOfRun
from producer.report.schema import OfficialReport, OfficialRow, OfficialTable

Totals = Mapping[str, OfficialRow]


def compared_tables(reports: Mapping[str, OfficialReport]) -> Iterator[ComparedTable]:
    """Yield the tables that every run has, given the reports of one recipe by the ids of their runs.

    Each run's row is over all that it was asked, as in its own report: it is not of the shared samples alone.
    """
    first = next(iter(reports.values()), None)
    for table in first.tables if first is not None else ():
        totals = {run: _totals(report, table) for run, report in reports.items()}
        for total in next(iter(totals.values())):
            if all(total in of_run for of_run in totals.values()):
                yield _compared(table, total, {run: of_run[total] for run, of_run in totals.items()})


def _totals(report: OfficialReport, wanted: OfficialTable) -> Totals:
    """Return the totals of the report's table of that title and scorer, as `micro`; none where it has no such table."""
    same = (one for one in report.tables if (one.title, one.scorer) == (wanted.title, wanted.scorer))
    return {row.total: row for one in same for row in one.rows if row.total is not None}


def _compared(table: OfficialTable, total: str, rows: Totals) -> ComparedTable:
    return ComparedTable(
        title=table.title,
        scorer=table.scorer,
        total=total,
        columns=table.columns,
        digits=table.digits,
        rows=[RowOfRun(run=run, edits=row.edits, cells=row.cells) for run, row in rows.items()],
    )
