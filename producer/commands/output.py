"""What the commands write, and where: results to stdout, all else to stderr."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click
from rich.console import Console

from db.command import SOME_FAILED

if TYPE_CHECKING:
    from db.queries import Progress
    from producer.report.gather import Report


def stdout() -> Console:
    """Return where results go."""
    return Console()


def stderr() -> Console:
    """Return where all else goes."""
    return Console(stderr=True)


def print_json(content: object) -> None:
    """Write JSON values."""
    click.echo(json.dumps(content, ensure_ascii=False, indent=2))


def print_report(report: Report, as_json: bool) -> None:
    """Write a report."""
    if as_json:
        from producer.report.as_json import report_as_json

        click.echo(report_as_json(report))
    else:
        from producer.report import table

        table.print_report(report, stdout())


def exit_code(progress: Progress) -> int:
    """Return 0 where every job is done."""
    return 0 if progress.complete else SOME_FAILED
