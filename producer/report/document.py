"""What is told of a run, or of several, in the formats that are text: table, JSON, CSV, markdown."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pydantic import BaseModel
from rich.console import Console

from producer.report.csv_rows import report_as_csv
from producer.report.grid import Grid
from producer.report.grids import closing, grids, heading
from producer.report.markdown import as_markdown
from producer.report.schema import Report
from producer.report.table import print_grids

FILE_COLUMNS = 160
"""So wide is a table that is written into a file."""


@dataclass(frozen=True)
class Document:
    """A report or the like. `grids` takes whether there is room for all numbers; `csv` gives the rows as CSV."""

    title: str
    beginning: Sequence[str]
    grids: Callable[[bool], Iterable[Grid]]
    closing: str
    data: BaseModel
    csv: Callable[[], str]

    def print(self, console: Console) -> None:
        """Write it as tables."""
        print_grids(self.beginning, self.grids, self.closing, console)

    def as_text(self, format_name: str) -> str:
        """Return it as `json`, `csv`, `md` or, as for a wide terminal without colours, `table`."""
        if format_name == "json":
            return self.data.model_dump_json(by_alias=True, indent=2) + "\n"
        if format_name == "csv":
            return self.csv()
        if format_name == "md":
            return as_markdown(self.title, self.beginning, self.grids(True), self.closing)
        file = io.StringIO()
        self.print(Console(file=file, width=FILE_COLUMNS, force_terminal=False, color_system=None))
        return file.getvalue()


def report_document(report: Report) -> Document:
    """Return the report of a run as a document."""
    return Document(
        title=f"Report of run {report.run}",
        beginning=heading(report),
        grids=lambda wide: grids(report, wide=wide),
        closing=closing(report),
        data=report,
        csv=lambda: report_as_csv(report),
    )
