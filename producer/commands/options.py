"""The options and arguments that several commands take."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import rich_click as click

_F = TypeVar("_F", bound=Callable[..., Any])

benchmark_file = click.argument("benchmark", metavar="FILE", type=click.Path(path_type=Path))
one_run = click.argument("run", metavar="RUN")
one_run_or_all = click.argument("run", metavar="[RUN]", required=False)
one_run_or_latest = click.argument("run", metavar="[RUN]", default="latest")
verbose_flag = click.option("--verbose", is_flag=True, help="Write every score as it comes in, with its reasons.")
json_flag = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


aggregate_option = click.option(
    "--aggregate",
    metavar="EXPR",
    help="The score of a judge's criteria: `mean`, `min`, `geometric-mean`, or an expression of their names, as in "
    "`0.3*consistency + 0.7*quality`. [default: the score that the judge itself gave]",
)


def run_options(command: _F) -> _F:
    """Give a command the options that a run is made of."""
    options = [
        click.option("--config", "file", type=click.Path(path_type=Path), help="Run configuration, a YAML file."),
        click.option(
            "--editor",
            metavar="NAME",
            help="Editor, instead of the file's: a name, a folder, a hub id. [default: pillow]",
        ),
        click.option(
            "--scorer",
            "scorers",
            metavar="NAME",
            multiple=True,
            help="Scorer, likewise; may be repeated. [default: reference]",
        ),
        click.option(
            "--set", "settings", metavar="KEY=VALUE", multiple=True, help="One option, as in `editor.steps=4`."
        ),
        aggregate_option,
        click.option("--repeats", type=int, help="Edits per sample, each with its own seed. [default: 1]"),
        click.option("--seed", type=int, help="Seed from which every edit's seed derives. [default: 0]"),
        click.option("--limit", type=int, help="Only the first so many samples. [default: all]"),
        click.option(
            "--priority", type=click.Choice(["low", "normal", "high"]), help="Whose jobs go first. [default: normal]"
        ),
        click.option(
            "--fresh", is_flag=True, default=None, help="Make every edit, also those that another run has already."
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command
