"""Gathers every goal from the tables of RESULTS.md into the one at its head: `benchmarks.every_goal`.

Nothing is measured here. What falls short or was never measured comes first; `--write` puts the table there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from benchmarks.figures.tables import markdown_table, with_tables

PAGE = Path(__file__).with_name("RESULTS.md")
TABLE = "goals"
"""The name of the table's place on the page."""

NOT_YET = "not yet"
STANDINGS = ("falls short", NOT_YET, "holds")
"""In this order they are told."""

_COMMAND = re.compile(r"^    python -m benchmarks\.(\w+)|^`python -m benchmarks\.(\w+)`")
_HAS = re.compile(r"(.*), has (.*)")


@dataclass(frozen=True)
class Reached:
    """A goal, what was measured, and whether it holds; `benchmark` is the module that measured it."""

    benchmark: str
    case: str
    measured: str
    goal: str
    holds: str


@click.command()
@click.option("--write", is_flag=True, help="Put the table into benchmarks/RESULTS.md.")
def main(write: bool) -> None:
    """Print every goal of benchmarks/RESULTS.md, with what was measured."""
    page = PAGE.read_text(encoding="utf-8")
    table = goals_table(goals_on(page))
    click.echo(table)
    if write:
        PAGE.write_text(with_tables(page, {TABLE: table}), encoding="utf-8")


def goals_on(page: str) -> list[Reached]:
    """Return the goals of all tables of a page, what falls short first, else in the page's order."""
    found = [one for benchmark, row in _rows(page) if row.get("goal") and (one := _reached(benchmark, row))]
    return sorted(found, key=lambda one: STANDINGS.index(one.holds))


def goals_table(goals: Sequence[Reached]) -> str:
    """Return them as markdown, and below it how many hold."""
    rows = [[one.case, one.measured, one.goal, one.holds, f"`{one.benchmark}`"] for one in goals]
    short, not_yet, hold = (sum(one.holds == standing for one in goals) for standing in STANDINGS)
    counts = f"{len(goals)} goals: {hold} hold, {short} fall short, {not_yet} are not measured yet."
    return f"{markdown_table(['what', 'measured', 'goal', 'holds', 'benchmark'], rows)}\n\n{counts}"


def _rows(page: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield the rows of all tables but the gathered one, by their headers, with the benchmark named last above them."""
    benchmark, header = "", None
    for line in with_tables(page, {TABLE: ""}).splitlines():
        if command := _COMMAND.match(line):
            benchmark = command[1] or command[2]
        if not line.startswith("|"):
            header = None
            continue
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if header is None:
            header = cells
        elif not set(line) <= set("|-: "):
            yield benchmark, dict(zip(header, cells, strict=True))


def _reached(benchmark: str, row: Mapping[str, str]) -> Reached:
    """Return the goal of a row, whichever column it is about."""
    goal, measured = row["goal"], row.get("measured", "")
    what = ": ".join(row[name] for name in ("case", "system", "figure") if row.get(name))
    if has := _HAS.fullmatch(goal):
        goal, measured = has[1], has[2]
    named = next((name for name in ("over the bound", "times ours") if goal.startswith(name)), None)
    return Reached(benchmark, what, row[named] if named else measured, goal, row["holds"])


if __name__ == "__main__":
    main()
