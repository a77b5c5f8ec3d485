"""The commands that tell what came of runs: `report` of one, `compare` of several."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from db.errors import WrongCall
from producer.commands.options import (
    format_option,
    json_flag,
    one_run_or_latest,
    output_option,
    several_runs,
    with_options,
)
from producer.commands.output import write_document
from producer.commands.pictures import write_compared_pictures, write_pictures

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Engine

    from producer.report.document import Document


_output_options = with_options(
    format_option(
        "table", "json", "csv", "md", "html", help="How it is written; `html` is a gallery with all pictures."
    ),
    json_flag,
    output_option("File to write it to, of a gallery the folder. [default: stdout; a folder in FARM_HOME/reports]"),
    click.option("--single-file", is_flag=True, help="Of a gallery: one file with the pictures in it."),
)
"""What a report is written as, and where."""


@click.command()
@one_run_or_latest
@_output_options
@click.option("--without-retried", is_flag=True, help="Leave out scores that a person had done again.")
@click.option(
    "--diff-config", nargs=2, metavar="A B", help="Instead: what differs between what shaped the runs A and B."
)
def report(run: str, without_retried: bool, diff_config: tuple[str, str] | None, **output: Any) -> None:
    """Tell a run's scores by scorer, category and dimension; PARTIAL while it is not finished."""
    from db.farm import engine
    from producer.report.document import report_document
    from producer.report.gather import gather_report

    if diff_config is not None:
        _write(_differences(engine(), *diff_config), None, **output)
        return
    found = gather_report(engine(), run, without_retried=without_retried)
    _write(report_document(found), partial(write_pictures, [found]), **output)


@click.command()
@several_runs("RUN_A RUN_B ...")
@_output_options
@click.option("--shared-only", is_flag=True, help="Compare runs of different benchmarks on the samples they share.")
def compare(runs: Sequence[str], shared_only: bool, **output: Any) -> None:
    """Compare runs on the samples they share: differences with intervals, who wins, and whether it could be chance."""
    from db.farm import engine
    from producer.comparison.document import comparison_document
    from producer.comparison.gather import compare_runs

    comparison = compare_runs(engine(), runs, shared_only=shared_only)
    _write(comparison_document(comparison), partial(write_compared_pictures, comparison), **output)


def _differences(engine: Engine, first: str, second: str) -> Document:
    from db.queries import find_run
    from producer.comparison.differences import provenance_differences
    from producer.comparison.document import difference_document

    ours, theirs = find_run(engine, first), find_run(engine, second)
    return difference_document(provenance_differences(engine, ours, theirs), ours.id, theirs.id)


def _write(
    document: Document,
    pictures: Callable[..., Path] | None,
    *,
    format_name: str,
    as_json: bool,
    output: Path | None,
    single_file: bool,
) -> None:
    if as_json:
        format_name = "json"
    if format_name != "html":
        if single_file:
            raise WrongCall("--single-file is of `--format html`")
        write_document(document, format_name, output)
    elif pictures is None:
        raise WrongCall("--diff-config has no gallery: choose table, json, csv or md")
    else:
        click.echo(pictures(output, single_file=single_file))
