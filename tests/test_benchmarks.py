from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")

ROOT = Path(__file__).parents[1]
RESULTS = (ROOT / "benchmarks" / "RESULTS.md").read_text(encoding="utf-8")


def printed_by(module: str, *arguments: str) -> str:
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
    # One thread: two that wait for each other take many times as long where others keep the cores busy.
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def header_of(table_title: str, markdown: str) -> list[str]:
    found = re.search(rf"^### {table_title}.*\n\n\| (.*) \|$", markdown, flags=re.MULTILINE)
    assert found is not None, f"no table {table_title!r} in\n{markdown}"
    return found.group(1).split(" | ")


@pytest.mark.chaos
def test_the_gpu_benchmarks_run_without_a_gpu_when_the_networks_are_tiny() -> None:
    markdown = printed_by("gpu_models", "all", "--tiny")

    assert {"s / forward", "TFLOP/s", "of the peak", "40 steps, s"} <= set(
        header_of("Denoising: tiny editor", markdown)
    )
    assert {"pairs / s", "to batch 1", "to generate"} <= set(header_of("Judging: tiny judge", markdown))
    assert "s" in header_of("Swapping: from pinned host memory", markdown)
    assert "computed what is not finite" not in markdown
    assert markdown.count(f"torch {version('torch')}") == 3


@pytest.mark.chaos
def test_the_batching_benchmark_compares_batches_with_single_pairs() -> None:
    markdown = printed_by("judge_batching", "--rounds", "1", "--tokens", "2")

    rows = [line.split(" | ") for line in markdown.splitlines() if re.match(r"\| (short|built in) ", line)]
    assert len(rows) == 6
    assert all(float(value) > 0 for row in rows for value in row[2:4])


def test_full_size_networks_are_refused_where_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks.gpu_models import cli

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    ended = CliRunner().invoke(cli, ["edit"])

    assert ended.exit_code == 2
    assert "--tiny" in ended.output


def test_an_edit_costs_the_operations_that_torch_counts() -> None:
    from torch.utils.flop_counter import FlopCounterMode

    from benchmarks.full_size.denoising import TINY_WORK, denoiser_inputs, flops_of
    from benchmarks.full_size.networks import make_transformer

    transformer = make_transformer(TINY_WORK.size)
    transformer.set_attention_backend("_native_math")  # the counter knows no fused attention of a CPU
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        transformer(**denoiser_inputs(transformer.config, TINY_WORK))

    # What the formula leaves out is a larger share of so small a network: 0.02 % at full size.
    assert flops_of(transformer.config, TINY_WORK) == pytest.approx(counter.get_total_flops(), rel=0.02)


def test_every_command_of_the_results_page_exists() -> None:
    commands = re.findall(r"python -m benchmarks\.(\w+)", RESULTS)

    assert commands
    assert all((ROOT / "benchmarks" / f"{module}.py").is_file() for module in commands)
