"""Findings as a person reads them: one line each, its fix below it or behind it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from producer.doctor.finding import State
from producer.doctor.schema import Counts, Finding

_SIGNS = {State.OK: "✓", State.NOTE: "·", State.WARNING: "!", State.FAULT: "✗"}
_STYLES = {State.OK: "green", State.NOTE: "cyan", State.WARNING: "yellow", State.FAULT: "bold red"}
_SIGN_WIDTH, _NAME_WIDTH = 9, 20


def print_findings(console: Console, findings: Iterable[Finding]) -> list[Finding]:
    """Print each as it comes, under the heading of its group, and return them all.

    On a terminal what was seen goes on in its own column; the fix below it is left to the terminal to break, so that
    a command that is copied is whole. Elsewhere a finding and its fix are one line, for `grep`.
    """
    printed: list[Finding] = []
    for one in findings:
        if console.is_terminal:
            if not printed or printed[-1].group is not one.group:
                console.print(Text(one.group.value, style="bold"))
            console.print(_row(one))
            if one.fix is not None:
                console.print(Text(f"{'':{_SIGN_WIDTH}} {_fix(one)}", style="dim"), soft_wrap=True, highlight=False)
        else:
            console.print(_line(one), soft_wrap=True, highlight=False)
        printed.append(one)
    return printed


def in_words(counts: Counts) -> str:
    """Return how many there are of each state, the worst first."""
    several = {"fault": "faults", "warning": "warnings", "note": "notes", "ok": "ok"}
    found = [
        f"{count:,} {state if count == 1 else several[state]}" for state in several if (count := getattr(counts, state))
    ]
    return ", ".join(found)


def worst(findings: Sequence[Finding]) -> State:
    """Return the worst state among them."""
    return max((one.state for one in findings), key=list(State).index, default=State.OK)


def _row(one: Finding) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(width=_SIGN_WIDTH, no_wrap=True)
    table.add_column(width=_NAME_WIDTH, no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(Text(_sign(one), style=_STYLES[one.state]), Text(one.name), Text(one.seen))
    return table


def _line(one: Finding) -> Text:
    fix = "" if one.fix is None else f"; {_fix(one)}"
    return Text(f"{_sign(one):{_SIGN_WIDTH}} {one.name}: {one.seen}{fix}")


def _fix(one: Finding) -> str:
    return f"{one.fix}" if one.state is State.NOTE else f"fix: {one.fix}"


def _sign(one: Finding) -> str:
    return f"{_SIGNS[one.state]} {one.state.value}"
