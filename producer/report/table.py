"""Grids as tables for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from db.errors import one_line
from producer.report.grid import Grid

LONGEST = 240
"""Characters of a cell: a reason may hold the end of a log, which `show` and the files have in full."""

WIDE_COLUMNS = 110
"""A terminal of so many columns is shown all numbers; files always have them."""


def print_grids(
    beginning: Iterable[str], grids: Callable[[bool], Iterable[Grid]], closing: str, console: Console
) -> None:
    """Write lines, tables and what explains them to the console. What is missing of a run stands out."""
    for number, line in enumerate(beginning):
        style = "bold" if number == 0 else "bold yellow" if line.startswith("PARTIAL") else "dim"
        console.print(_plain(line, style))
    console.print()
    for grid in grids(console.width >= WIDE_COLUMNS):
        console.print(as_table(grid))
        if grid.notes:
            console.print()  # as a table without them ends
    console.print(_plain(closing, "dim"))


def as_table(grid: Grid) -> Table:
    """Return the grid as a table."""
    table = Table(
        title=_plain(grid.title, "bold"),
        title_justify="left",
        caption=Text("\n").join(map(_plain, grid.notes)) if grid.notes else None,
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        collapse_padding=True,
    )
    for number, name in enumerate(grid.columns):
        if number < grid.texts:
            table.add_column(_plain(name), overflow="fold")
        else:
            table.add_column(_plain(name), justify="right", no_wrap=True)
    for row in grid.rows:
        table.add_row(*map(_cell, row))
    if grid.footers:
        table.add_section()
    for row in grid.footers:
        table.add_row(*map(_plain, row), style="bold" if row is grid.footers[0] else "")
    return table


def _cell(text: str) -> Text:
    return _plain(text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…")


def _plain(text: str, style: str = "") -> Text:
    """Return text as it is: names and reasons are a stranger's, no markup of rich's and nothing a terminal obeys."""
    return Text(one_line(text), style=style)
