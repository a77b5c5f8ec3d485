"""The commands that tell beforehand: what a run would take, and which models it may name."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import rich_click as click

from producer.commands.options import benchmark_argument, json_flag
from producer.commands.output import print_json, stdout

if TYPE_CHECKING:
    from producer.benchmark.how import HowToRead
    from producer.benchmark.hub.address import Where


@click.command()
@benchmark_argument
@click.option("--gpus", type=click.IntRange(min=1), default=1, show_default=True, help="Number of GPUs, all alike.")
@click.option("--edit-seconds", type=click.FloatRange(min=0, min_open=True), required=True, help="What one edit takes.")
@click.option(
    "--score-seconds",
    type=click.FloatRange(min=0, min_open=True),
    required=True,
    help="What one score takes: its share of a full batch, all scorers together.",
)
@click.option("--batch-size", type=click.IntRange(min=1), default=8, show_default=True, help="Scores in a full batch.")
@click.option(
    "--swap-seconds",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    help="What loading a model takes, or changing it for another.",
)
@click.option("--repeats", type=click.IntRange(min=1), default=1, show_default=True, help="Edits per sample.")
@json_flag
def plan(benchmark: Where, how: HowToRead, gpus: int, repeats: int, as_json: bool, **seconds: float) -> None:
    """Tell how long a benchmark would take, the best split of the GPUs, and what one more would bring."""
    from producer.benchmark import open_benchmark
    from producer.benchmark.check import check_benchmark
    from producer.plan import plan_for, work_of
    from producer.words import in_words

    samples = check_benchmark(open_benchmark(benchmark, how)).sample_count * repeats
    found = plan_for(work_of(samples, **seconds), [1.0] * gpus)  # type: ignore[arg-type]  # batch_size is a number, too
    if as_json:
        click.echo(json.dumps({"samples": samples, "gpus": gpus, **asdict(found)}, indent=2))
        return
    saved = 1 - found.seconds_with_one_more / found.seconds
    click.echo(f"{samples:,} edits on {gpus} GPUs: {in_words(found.seconds)}")
    click.echo(f"best begun with {found.editors} as editors, {found.scorers} as scorers; all join in as it pays")
    click.echo(f"with one GPU more: {in_words(found.seconds_with_one_more)}, {saved:.0%} less")


@click.command()
@click.argument("name", required=False)
@json_flag
def models(name: str | None, as_json: bool) -> None:
    """Show the editors and scorers a run may name, or every value that one of them stands for."""
    from producer.models import model_data, models_data, models_table, options_table

    content = models_data() if name is None else model_data(name)
    if as_json:
        print_json(content)
    else:
        stdout().print(models_table() if name is None else options_table(name))
