"""Grids as tables for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from producer.report.grids import Grid

WIDE_COLUMNS = 110
"""A terminal of so many columns is shown all numbers; files always have them."""


def print_grids(
    beginning: Iterable[str], grids: Callable[[bool], Iterable[Grid]], closing: str, console: Console
) -> None:
    """Write lines, tables and what explains them to the console. What is missing of a run stands out."""
    for number, line in enumerate(beginning):
        style = "bold" if number == 0 else "bold yellow" if line.startswith("PARTIAL") else "dim"
        console.print(Text(line, style=style))
    for grid in grids(console.width >= WIDE_COLUMNS):
        console.print(as_table(grid))
    console.print(Text(closing, style="dim"))


def as_table(grid: Grid) -> Table:
    """Return the grid as a table. All text goes in as it is: names and reasons are not rich's markup."""
    table = Table(
        title=Text(grid.title),
        title_justify="left",
        title_style="bold",
        caption=Text("\n".join(grid.notes)) if grid.notes else None,
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        collapse_padding=True,
    )
    for number, name in enumerate(grid.columns):
        if number < grid.texts:
            table.add_column(name, overflow="fold")
        else:
            table.add_column(name, justify="right", no_wrap=True)
    for row in grid.rows:
        table.add_row(*map(Text, row))
    if grid.footers:
        table.add_section()
    for row in grid.footers:
        table.add_row(*map(Text, row), style="bold" if row is grid.footers[0] else "")
    return table
