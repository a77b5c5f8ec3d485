"""The command line: every command by its name. Results go to stdout, everything else to stderr."""

from __future__ import annotations

import rich_click as click

from db.command import run_command
from producer.commands import (
    again,
    asking,
    doctor,
    importing,
    judging,
    moving,
    one_sample,
    planning,
    reading,
    recipes,
    reporting,
    upkeep,
    validating,
)

click.rich_click.TEXT_MARKUP = "markdown"


def main() -> None:
    """Run the command line."""
    run_command(cli, "python -m producer")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="editfarm", message="%(version)s")
def cli() -> None:
    """Submit image-editing benchmarks to a farm of GPU workers and read their results."""


for _command in (
    *(asking.run, asking.submit, validating.validate, planning.plan, planning.models, recipes.recipes),
    *(reading.watch, reading.status, reading.runs),
    *(reporting.report, reporting.compare, judging.judge_check),
    *(one_sample.show, one_sample.replay),
    *(again.retry, again.rescore, again.resume, again.cancel, again.remove),
    *(importing.import_scores, moving.export, moving.import_),
    *(doctor.doctor, upkeep.fsck, upkeep.gc, upkeep.migrate, upkeep.broker),
):
    cli.add_command(_command)
