"""The command that only checks: `validate`."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from producer.commands.options import benchmark_file, json_flag, split_option
from producer.commands.output import print_json


@click.command()
@benchmark_file
@split_option
@json_flag
def validate(benchmark: Path, split: str | None, as_json: bool) -> None:
    """Check a whole benchmark as `submit` does, and enter nothing; every fault is named by its place."""
    from db.categories import with_alias
    from producer.benchmark import open_benchmark
    from producer.benchmark.check import check_benchmark

    checked = check_benchmark(open_benchmark(benchmark, split))
    if as_json:
        print_json(
            {
                "benchmark": checked.digest,
                "name": checked.name,
                "samples": checked.sample_count,
                "without_reference": checked.without_reference,
                "categories": checked.categories,
                "prompts": list(checked.prompts),
            }
        )
        return
    click.echo(f"{checked.name}: {checked.sample_count:,} samples, {checked.without_reference:,} without a reference")
    for category, count in checked.categories.items():
        click.echo(f"  {with_alias(category)}: {count:,}")
