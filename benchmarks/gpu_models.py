"""Measures the full-size models on one GPU, with random weights and without a network.

`python -m benchmarks.gpu_models edit|judge|swap|all` prints markdown for RESULTS.md on stdout, and what it is at on
stderr. `--tiny` runs the same code with tiny networks, on whatever device there is.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable

import click
import torch

from benchmarks.figures.machine import gpu_description, measured_on
from benchmarks.full_size import denoising, judging, swapping
from benchmarks.full_size.networks import JUDGE_8B, JUDGE_30B
from workers.models.loading.devices import empty_cache
from workers.models.loading.quiet import quiet_libraries

_JUDGES = {"30b": JUDGE_30B, "8b": JUDGE_8B}

tiny_option = click.option("--tiny", is_flag=True, help="Tiny networks, in seconds, GPU or not: tries the code only.")


@click.group()
def cli() -> None:
    """Measure the full-size models on one GPU, with random weights and without a network."""
    quiet_libraries()


@cli.command()
@tiny_option
@click.option(
    "--attention", "attentions", multiple=True, help="A backend of diffusers besides native; may be repeated."
)
@click.option("--compile", "with_compile", is_flag=True, help="Each attention also with compiled blocks.")
def edit(tiny: bool, attentions: tuple[str, ...], with_compile: bool) -> None:
    """A denoising step of Qwen-Image-Edit against the card's peak, and its VAE."""
    _check_device(tiny)
    _say("edit: making the transformer")
    work = denoising.TINY_WORK if tiny else denoising.FULL_WORK
    _report(denoising.measure_editing(work, ["native", *attentions], with_compile=with_compile))


@cli.command()
@tiny_option
@click.option("--experts", help="How the experts are computed, in place of transformers' own choice.")
@click.option("--attention", default="sdpa", show_default=True, help="Attention implementation of transformers.")
def judge(tiny: bool, experts: str | None, attention: str) -> None:
    """Judging with Qwen3-VL-30B-A3B: batches of 1, 8 and 32, by reply and by digit."""
    _check_device(tiny)
    _say("judge: making the network")
    work = judging.TINY_WORK if tiny else judging.FULL_WORK
    implementations = {"attn_implementation": attention, "experts_implementation": experts}
    _report(judging.measure_judging(work, {name: value for name, value in implementations.items() if value}))


@cli.command()
@tiny_option
@click.option("--judge", "judge_name", type=click.Choice([*_JUDGES]), help="Which one; else the largest that fits.")
def swap(tiny: bool, judge_name: str | None) -> None:
    """Editor and judge in turns on the GPU, from pinned host memory."""
    _check_device(tiny)
    work = swapping.TINY_WORK if tiny else swapping.FULL_WORK
    _report(swapping.measure_swapping(work, _JUDGES[judge_name] if judge_name else None))


@cli.command(name="all")
@tiny_option
@click.pass_context
def everything(context: click.Context, tiny: bool) -> None:
    """All three, one after the other."""
    for command in (edit, judge, swap):
        context.invoke(command, tiny=tiny)


def _check_device(tiny: bool) -> None:
    if not tiny and not torch.cuda.is_available():
        raise click.UsageError("there is no GPU here; --tiny tries the same code with tiny networks")


def _report(tables: Iterable[str]) -> None:
    for table in tables:
        click.echo(f"{table}\n")
    click.echo(f"{measured_on(gpu_description(), ('torch', 'diffusers', 'transformers'))}\n")
    gc.collect()
    empty_cache()


def _say(event: str) -> None:
    click.echo(event, err=True)


if __name__ == "__main__":
    cli()
