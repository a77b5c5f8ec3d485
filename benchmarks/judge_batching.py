"""Measures on the CPU what judging in batches is worth, with the tiny judge: `python -m benchmarks.judge_batching`.

Its networks are so small that a forward pass is nearly all overhead: what a GPU pays too, in launches, where a step of
decoding keeps it busy for a fraction of the time. What batches do for large networks, `gpu_models judge` measures.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import click
import torch
from PIL import Image

from benchmarks.figures.machine import cpu_description, measured_on
from benchmarks.figures.stopwatch import Call, interleaved_seconds
from benchmarks.figures.tables import figure, markdown_table
from db.judge_prompts import built_in_prompts
from db.options import TransformersJudgeOptions
from db.prompts import JudgePrompt
from workers.models.errors import ModelFault
from workers.models.judging.question import questions_for
from workers.models.judging.vision_language import VisionLanguageModel
from workers.models.loading.quiet import quiet_libraries
from workers.models.protocols import ScoreRequest
from workers.models.transformers_scorer import TransformersScorer
from workers.tiny.judge import make_judge

BATCH = 8

_SHORT = {"default": JudgePrompt(user="{{ instruction }}")}
_PIXELS = {"short": 32, "built in": 256}  # a side of each image; that is 1 and 64 tokens


@dataclass(frozen=True)
class Way:
    """One way to judge as many pairs as a batch holds."""

    prompt: str
    reply: str
    batch: int


@click.command()
@click.option("--rounds", default=7, show_default=True, help="Of which the median is taken.")
@click.option("--threads", default=1, show_default=True, help="That torch uses.")
@click.option("--tokens", default=64, show_default=True, help="Length of a long reply.")
def main(rounds: int, threads: int, tokens: int) -> None:
    """Time per pair one by one and in batches of 8, by reply and by digit; markdown on stdout."""
    quiet_libraries()
    torch.set_num_threads(threads)
    with tempfile.TemporaryDirectory() as folder:
        calls = _calls(Path(folder), tokens)
        seconds = interleaved_seconds(calls, rounds=rounds)
    click.echo(f"{_table(seconds)}\n\n{measured_on(cpu_description(), ('torch', 'transformers'))}")


def _calls(folder: Path, tokens: int) -> dict[Way, Call]:
    """Return how to judge the pairs in each way, with judges made in the folder."""
    answering, babbling = folder / "answering", folder / "babbling"
    make_judge(answering)
    make_judge(babbling, answering=False)
    calls: dict[Way, Call] = {}
    for prompt in _PIXELS:
        pairs = _pairs(_PIXELS[prompt])
        by_reply = {
            "a score at once, 4 tokens": _scoring(answering, prompt, "generate"),
            f"{tokens} tokens": _replying(babbling, prompt, tokens),
            "none (expected)": _scoring(answering, prompt, "expected"),
        }
        for reply, judge in by_reply.items():
            calls[Way(prompt, reply, 1)] = partial(_one_by_one, judge, pairs)
            calls[Way(prompt, reply, BATCH)] = partial(judge, pairs)
    return calls


Judge = Callable[[Sequence[ScoreRequest]], None]


def _scoring(folder: Path, prompt: str, mode: Literal["generate", "expected"]) -> Judge:
    """Return the scorer as a worker calls it. Raises ModelFault when a pair gets none: it would have asked twice."""
    scorer = TransformersScorer(_options(folder, prompt, mode))

    def judge(pairs: Sequence[ScoreRequest]) -> None:
        for rating in scorer.score(pairs):
            if isinstance(rating, ModelFault):
                raise rating

    return judge


def _replying(folder: Path, prompt: str, tokens: int) -> Judge:
    """Return the model below the scorer, which would ask again for a reply that holds no score."""
    options = _options(folder, prompt, "generate")
    model = VisionLanguageModel(folder, options)
    model.network.generation_config.min_new_tokens = tokens

    def judge(pairs: Sequence[ScoreRequest]) -> None:
        model.reply([questions_for(pair, options)[0] for pair in pairs], max_new_tokens=tokens)

    return judge


def _options(folder: Path, prompt: str, mode: Literal["generate", "expected"]) -> TransformersJudgeOptions:
    prompts = _SHORT if prompt == "short" else built_in_prompts(mode)
    return TransformersJudgeOptions(model=str(folder), mode=mode, prompts=prompts)


def _one_by_one(judge: Judge, pairs: Sequence[ScoreRequest]) -> None:
    for pair in pairs:
        judge([pair])


def _pairs(side: int) -> list[ScoreRequest]:
    random = torch.Generator().manual_seed(0)

    def image() -> Image.Image:
        return Image.fromarray(torch.randint(0, 256, (side, side, 3), dtype=torch.uint8, generator=random).numpy())

    return [
        ScoreRequest(
            key=str(number),
            category="weather",
            instruction="make it rain" + " hard" * number,  # lengths differ, as they do: batches are padded
            description=None,
            source=image(),
            edited=image(),
            reference=None,
            seed=number,
        )
        for number in range(BATCH)
    ]


def _table(seconds: Mapping[Way, float]) -> str:
    header = ["prompt", "reply", "one by one, ms / pair", f"batch of {BATCH}, ms / pair", "faster", "than a long reply"]
    return markdown_table(header, _rows({way: taken / BATCH for way, taken in seconds.items()}))


def _rows(per_pair: Mapping[Way, float]) -> Iterator[list[str]]:
    longest = {way.prompt: max(_batched(per_pair, way.prompt)) for way in per_pair}
    for way, batched in per_pair.items():
        if way.batch == BATCH:
            alone = per_pair[Way(way.prompt, way.reply, 1)]
            yield [
                way.prompt,
                way.reply,
                figure(1000 * alone),
                figure(1000 * batched),
                f"{alone / batched:.1f}x",
                f"{longest[way.prompt] / batched:.1f}x",
            ]


def _batched(per_pair: Mapping[Way, float], prompt: str) -> list[float]:
    return [taken for way, taken in per_pair.items() if way.prompt == prompt and way.batch == BATCH]


if __name__ == "__main__":
    main()
