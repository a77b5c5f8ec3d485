"""The commands about one sample of a run: `show` what is known of it, `replay` its jobs here and now."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import rich_click as click

from producer.commands.options import json_flag, one_run, one_sample
from producer.commands.output import print_json


@click.command()
@one_run
@one_sample
@json_flag
def show(run: str, sample: str, as_json: bool) -> None:
    """Show all that is known of one sample; SAMPLE is its key, or `category/key`."""
    from db.farm import engine, images
    from db.queries import find_run
    from producer.one_sample.data import sample_data
    from producer.one_sample.text import sample_lines

    found = sample_data(engine(), images(), find_run(engine(), run), sample)
    if as_json:
        print_json(found)
        return
    for line in sample_lines(found):
        click.echo(line)


@click.command()
@one_run
@one_sample
@click.option("--repeat", type=click.IntRange(min=0), default=0, show_default=True, help="Which of its edits.")
@click.option(
    "--stage", type=click.Choice(["edit", "score"]), help="Only the edit, or only the scores. [default: both]"
)
@click.option("--scorer", metavar="LABEL", help="Only this scorer. [default: all of the run]")
@click.option("--new-image", is_flag=True, help="Score the image that is made now, not the stored one.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Where to write the new image.")
def replay(run: str, sample: str, **options: object) -> None:
    """Do one sample's jobs once more, here in the foreground with full logs; the ledger stays as it is."""
    arguments = [*_flags(options), "--", run, sample]
    sys.stdout.flush()
    # In place of this process: Ctrl-C, the terminal and the exit code are then the worker's own.
    os.execv(sys.executable, [sys.executable, "-m", "workers", "replay", *arguments])


def _flags(options: dict[str, object]) -> list[str]:
    """Return options as they were given, for a command that has the same."""
    flags: list[str] = []
    for name, value in options.items():
        if value is True:
            flags.append(f"--{name.replace('_', '-')}")
        elif value is not None and value is not False:
            flags.append(f"--{name}={value}")
    return flags
