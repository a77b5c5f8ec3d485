"""Grids as markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from db.errors import one_line
from producer.report.grid import Grid

_ACTS = re.compile(r"([\\`*_{}\[\]<>#|~!&])")


def as_markdown(title: str, beginning: Iterable[str], tables: Iterable[Grid], end: str) -> str:
    """Return lines and grids as a document."""
    lines = [_text(line) for line in beginning]
    parts = [f"# {_text(title)}", "  \n".join(lines), *map(_grid, tables), _text(end)]
    return "\n\n".join(parts) + "\n"


def _grid(grid: Grid) -> str:
    rule = ["---" if number < grid.texts else "---:" for number in range(len(grid.columns))]
    lines = [_row([_text(column) for column in grid.columns]), _row(rule)]
    lines += [_row([_text(cell) for cell in row]) for row in grid.rows]
    lines += [_row([f"**{_text(cell)}**" if cell else "" for cell in row]) for row in grid.footers]
    notes = "".join(f"\n\n{_text(note)}" for note in grid.notes)
    return f"## {_text(grid.title)}\n\n" + "\n".join(lines) + notes


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _text(words: str) -> str:
    """Return text that shows as it is: names and reasons are a stranger's."""
    return _ACTS.sub(r"\\\1", one_line(words))
