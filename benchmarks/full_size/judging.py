"""What a batch of judgements costs with Qwen3-VL on this GPU, by reply and by digit, and what parts of it cost.

Networks see token ids and pixels made up here: of the farm's own code that leaves out preparing images and prompts on
the CPU, which is timed by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from benchmarks.figures.machine import the_device
from benchmarks.figures.stopwatch import median_seconds
from benchmarks.figures.tables import figure, markdown_table
from benchmarks.full_size.networks import DTYPE, JUDGE_30B, TINY_JUDGE, JudgeSize, make_judge
from workers.models.judging.sampling import SeededSampling
from workers.models.loading.devices import empty_cache, is_out_of_memory
from workers.models.loading.patch_embedding import linearize_patch_embedding

_ROUNDS = 3
_GENERATE, _GROUPED, _EXPECTED = "generate", "generate, experts grouped", "expected"
_MODES = (_GENERATE, _GROUPED, _EXPECTED)
"""The scorer's two modes, and between them `generate` without what transformers does to a mixture of experts.

While it decodes, transformers computes experts by `batched_mm`, which copies the weights of every expert for every row:
226 MB of traffic a layer and row, whatever rows have in common. Grouped, each expert that is wanted is read once.
"""

_PATCH, _PATCH_CHANNELS = 16, 3 * 2 * 16 * 16  # pixels a side; RGB, two frames
_MERGED = 2  # patches a side that become one token
_PROMPT_LENGTHS = 8  # rows differ in length as instructions do: then there is padding, and attention takes a mask


@dataclass(frozen=True)
class JudgeWork:
    """What is judged: pairs of square images of `side` pixels, under a prompt of about so many tokens."""

    size: JudgeSize
    side: int
    prompt_tokens: int
    new_tokens: int
    batches: Sequence[int]

    @property
    def patches(self) -> int:
        """Patches a side of one image."""
        return self.side // _PATCH

    @property
    def image_tokens(self) -> int:
        """Tokens of one image."""
        return (self.patches // _MERGED) ** 2


FULL_WORK = JudgeWork(JUDGE_30B, side=1024, prompt_tokens=300, new_tokens=64, batches=(1, 8, 32))
"""The farm shows a judge at most a megapixel an image; 300 tokens are its built-in prompt with an instruction."""

TINY_WORK = JudgeWork(TINY_JUDGE, side=64, prompt_tokens=24, new_tokens=4, batches=(1, 8))


def measure_judging(work: JudgeWork, implementations: Mapping[str, str]) -> Iterator[str]:
    """Yield the tables: pairs per second by batch and mode, then parts. Implementations: as `make_judge` takes them."""
    network = make_judge(work.size, implementations=implementations)
    with torch.inference_mode():
        convolution = _patch_embedding_seconds(network, work)
        replaced = linearize_patch_embedding(network)
        product = _patch_embedding_seconds(network, work)
        table = _batch_table(network, work)
    yield table  # outside the block: the mode would hold for whoever takes it
    parts = [
        [f"patch embedding of one pair, Conv3d ({replaced} of them)", _milliseconds(convolution)],
        ["patch embedding of one pair, matrix product", _milliseconds(product)],
        *(
            [f"drawing one token a row, sampled, batch {batch}", _milliseconds(_sampling_seconds(network, batch))]
            for batch in work.batches
        ),
        ["preparing one pair of images on the CPU", _milliseconds(_preparing_seconds(work.side))],
    ]
    yield f"### Judging: parts\n\n{markdown_table(['', 'ms'], parts)}"


def _batch_table(network: Any, work: JudgeWork) -> str:
    seconds: dict[tuple[str, int], float | None] = {
        (mode, batch): _batch_seconds(network, work, mode, batch) for batch in work.batches for mode in _MODES
    }
    rows = [_row(mode, batch, seconds) for mode in _MODES for batch in work.batches]
    title = (
        f"### Judging: {work.size.name}, bfloat16, pairs of {work.side} x {work.side} pixels, "
        f"{_row_length(work)} tokens, {work.new_tokens} new ones in mode generate"
    )
    header = ["mode", "batch", "s / batch", "pairs / s", "to batch 1", "to generate"]
    return f"{title}\n\n{markdown_table(header, rows)}"


def _row(mode: str, batch: int, seconds: dict[tuple[str, int], float | None]) -> list[str]:
    taken = seconds[mode, batch]
    if taken is None:
        return [mode, str(batch), "out of memory", "-", "-", "-"]
    alone, generated = seconds.get((mode, 1)), seconds[_GENERATE, batch]
    to_alone = "-" if alone is None else f"{alone * batch / taken:.1f}x"
    to_generated = "-" if generated is None else f"{generated / taken:.1f}x"
    return [mode, str(batch), figure(taken), figure(batch / taken), to_alone, to_generated]


def _batch_seconds(network: Any, work: JudgeWork, mode: str, batch: int) -> float | None:
    """Return the median time of a batch in seconds, None where it does not fit the memory."""
    inputs = _inputs(network.config, work, batch)

    def judge() -> Tensor:
        if mode == _EXPECTED:
            return _probabilities(network, inputs)
        return _reply(network, inputs, work.new_tokens)

    try:
        with _experts_grouped(network) if mode == _GROUPED else nullcontext():
            return median_seconds(judge, rounds=_ROUNDS)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
    empty_cache()  # outside the except: there the failed call's tensors are still held
    return None


@contextmanager
def _experts_grouped(network: Any) -> Iterator[None]:
    """Keep transformers (5.17 to 5.23 at least) from changing the experts' implementation while it decodes."""
    network._optimize_model_for_decode = nullcontext
    try:
        yield
    finally:
        del network._optimize_model_for_decode


def _reply(network: Any, inputs: dict[str, Any], new_tokens: int) -> Tensor:
    """Return (batch, tokens): exactly so many new ones, as nothing may end a reply earlier."""
    reply: Tensor = network.generate(
        **inputs, max_new_tokens=new_tokens, min_new_tokens=new_tokens, do_sample=False
    ).cpu()
    return reply


def _probabilities(network: Any, inputs: dict[str, Any]) -> Tensor:
    """Return (batch, vocabulary), as the scorer's mode `expected` takes them."""
    logits = network(**inputs, logits_to_keep=1).logits[:, -1]
    return torch.softmax(logits.float(), dim=-1).cpu()


def _inputs(configuration: Any, work: JudgeWork, batch: int) -> dict[str, Any]:
    """Return what the processor would make of so many pairs, padded on the left.

    Every row has tokens and pixels of its own: equal rows would all go to the same experts, and batches seem cheap.
    """
    rows = [_token_ids(configuration, work, row) for row in range(batch)]
    width = max(len(row) for row in rows)
    ids = torch.tensor([[0] * (width - len(row)) + row for row in rows])
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])
    inputs = {
        "input_ids": ids,
        "attention_mask": mask,
        "mm_token_type_ids": (ids == configuration.image_token_id).int(),
        "image_grid_thw": torch.tensor([[1, work.patches, work.patches]] * (2 * batch)),
        "pixel_values": torch.randn(2 * batch * work.patches**2, _PATCH_CHANNELS, dtype=DTYPE),
    }
    return {name: tensor.to(the_device()) for name, tensor in inputs.items()}


def _token_ids(configuration: Any, work: JudgeWork, row: int) -> list[int]:
    image = [
        configuration.vision_start_token_id,
        *[configuration.image_token_id] * work.image_tokens,
        configuration.vision_end_token_id,
    ]
    length = work.prompt_tokens - row % _PROMPT_LENGTHS
    text = torch.randint(1, 100_000, (length,), generator=torch.Generator().manual_seed(row)).tolist()
    return [*text[: length // 2], *image, *image, *text[length // 2 :]]


def _row_length(work: JudgeWork) -> int:
    return work.prompt_tokens + 2 * (work.image_tokens + 2)


def _patch_embedding_seconds(network: Any, work: JudgeWork) -> float:
    patches = torch.randn(2 * work.patches**2, _PATCH_CHANNELS, device=the_device(), dtype=DTYPE)
    return median_seconds(lambda: network.model.visual.patch_embed(patches), rounds=_ROUNDS)


def _sampling_seconds(network: Any, batch: int) -> float:
    vocabulary = network.config.get_text_config().vocab_size
    scores = torch.randn(batch, vocabulary, device=the_device(), dtype=DTYPE)
    ids = torch.zeros(batch, 1, device=the_device(), dtype=torch.long)
    sampling = SeededSampling(0.7, range(batch))
    return median_seconds(lambda: sampling(ids, scores).argmax(-1), rounds=10)


def _preparing_seconds(side: int) -> float:
    """Return the time from two images to pixel values, in seconds, with the image processor that Qwen3-VL gets here."""
    area = {"shortest_edge": 32 * 32, "longest_edge": side * side}
    processor = Qwen2VLImageProcessorPil(size=area, patch_size=_PATCH, image_mean=[0.5] * 3, image_std=[0.5] * 3)
    noise = torch.randint(0, 256, (2, side, side, 3), dtype=torch.uint8).numpy()
    images = [Image.fromarray(pixels) for pixels in noise]
    return median_seconds(lambda: processor(images, return_tensors="pt"), rounds=5)


def _milliseconds(seconds: float) -> str:
    return figure(1000 * seconds)
