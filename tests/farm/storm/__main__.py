"""`python -m tests.farm.storm`: storms over each database with each seed; exit code 1 when anything was violated."""

from __future__ import annotations

import sys
from typing import Any

import rich_click as click

from tests.farm.storm import report
from tests.farm.storm.faults import ALL_FAULTS
from tests.farm.storm.run import weather
from tests.farm.storm.scene import Plan

DATABASES = ("sqlite", "postgresql")


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), default=1.0, show_default=True, help="Each.")
@click.option("--seed", "seeds", type=int, multiple=True, default=(1,), show_default=True, help="May be repeated.")
@click.option(
    "--database",
    "databases",
    type=click.Choice(DATABASES),
    multiple=True,
    default=DATABASES,
    show_default=True,
    help="May be repeated.",
)
@click.option("--workers", type=click.IntRange(min=1), default=6, show_default=True, help="Worker processes.")
@click.option("--jobs", type=click.IntRange(min=1), default=120, show_default=True, help="Edits of one run.")
@click.option("--keep", is_flag=True, help="Keep logs and ledger even if nothing was violated.")
@click.option("--only", type=click.Choice(ALL_FAULTS), multiple=True, help="Only this fault; may be repeated.")
def main(seeds: tuple[int, ...], databases: tuple[str, ...], **plan: Any) -> None:
    """Let storms pass over a farm, one for each database and seed, and check what must hold afterwards."""
    storms = []
    for database in databases:
        for seed in seeds:
            storm = weather(Plan(database, seed, **plan))
            for line in (*report.notes(storm), *report.violations(storm)):
                click.echo(line, err=True)
            storms.append(storm)
    click.echo(report.storms_table(storms))
    click.echo()
    click.echo(report.faults_table(storms))
    click.echo()
    click.echo(report.measured_on())
    sys.exit(any(storm.violations for storm in storms))


if __name__ == "__main__":
    main()
