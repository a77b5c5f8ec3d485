"""Simulated models, and they say so: they wait as long as a real one would and fail as told; for tests and planning.

Every draw is a function of the configured seed and the item, so a run repeats itself on any number of workers.
"""

from __future__ import annotations

import hashlib
import math
import mmap
import os
import random
import signal
import time
from collections.abc import Iterator, Sequence

from PIL import Image

from db.options import SimulatedEditorOptions, SimulatedOptions, SimulatedScorerOptions
from workers.models.errors import ModelFault, OutOfMemory
from workers.models.protocols import EditedImage, Editor, EditRequest, Rating, Scorer, ScoreRequest

PACE = float(os.environ.get("SIMULATED_PACE", "1"))
"""How many times as fast this worker's card is to be as others are."""

TOKENS = 20
"""What a simulated scorer pretends to generate for a batch."""


class SimulatedEditor(Editor):
    """Waits, then writes an image of one colour that depends on the sample and the seed."""

    def __init__(self, options: SimulatedEditorOptions) -> None:
        self._options = options
        _pretend_to_load(options.load_seconds)

    def edit(self, request: EditRequest) -> EditedImage:
        """Return the image. Raises OutOfMemory above `oom_above` source pixels, ModelFault for keys drawn to fail."""
        options = self._options
        _break_if_told(options, request.key)
        pixels = request.source.width * request.source.height
        if options.oom_above is not None and pixels > options.oom_above:
            raise OutOfMemory(f"simulated: {pixels:,} source pixels are more than {options.oom_above:,}")
        draw = drawn(options, "edit", request.key, request.seed)
        for step in _steps(options.steps, duration(options, draw, pixels) / PACE):
            request.on_step(step, options.steps)
        if draw.random() < options.fail_rate:
            raise ModelFault("simulated: this sample was drawn to fail")
        colour = (draw.randrange(256), draw.randrange(256), draw.randrange(256))
        return EditedImage(Image.new("RGB", (options.width, options.height), colour))


class SimulatedScorer(Scorer):
    """Waits, then draws a value between 0 and 10 that depends on the sample and the seed."""

    def __init__(self, options: SimulatedScorerOptions) -> None:
        self._options = options
        _pretend_to_load(options.load_seconds)

    def score(self, batch: Sequence[ScoreRequest]) -> list[Rating | ModelFault]:
        """Return a rating or a fault for each request. Raises OutOfMemory for batches above `oom_above`.

        The batch takes as long as its mean item would, times `batch_factor`.
        """
        options = self._options
        for request in batch:
            _break_if_told(options, request.key)
        if options.oom_above is not None and len(batch) > options.oom_above:
            raise OutOfMemory(f"simulated: a batch of {len(batch)} is more than {options.oom_above}")
        draws = [drawn(options, "score", request.key, request.seed) for request in batch]
        mean = sum(duration(options, draw, _pixels(request)) for draw, request in zip(draws, batch, strict=True)) / len(
            batch
        )
        seconds = mean * batch_factor(len(batch), options.batch_size, options.batch_speedup) / PACE
        for _ in _steps(TOKENS, seconds):
            batch[0].on_progress()
        return [_rating(options, draw) for draw in draws]


def batch_factor(count: int, batch_size: int, speedup: float) -> float:
    """Return how many times as long as one item a batch of `count` takes: linear, so that a full batch is `speedup`
    times faster per item than one by one."""
    if batch_size == 1:
        return float(count)
    return 1 + (count - 1) * (batch_size / speedup - 1) / (batch_size - 1)


def _rating(options: SimulatedOptions, draw: random.Random) -> Rating | ModelFault:
    if draw.random() < options.fail_rate:
        return ModelFault("simulated: this sample was drawn to fail")
    return Rating(value=round(draw.uniform(0, 10), 2), detail={"simulated": True})


def _steps(count: int, seconds: float) -> Iterator[int]:
    """Yield the numbers from 1 to `count`, evenly over so many seconds: a sleep too long makes the next one shorter."""
    started = time.perf_counter()
    for step in range(1, count + 1):
        time.sleep(max(0.0, started + seconds * step / count - time.perf_counter()))
        yield step


def _pretend_to_load(seconds: float) -> None:
    """Take so long, and touch memory meanwhile: whoever loads a model without a byte moving counts as hung."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, 0.5))
        with mmap.mmap(-1, 2 * 1024**2) as weights:
            weights.write(bytes(len(weights)))


def _break_if_told(options: SimulatedOptions, key: str) -> None:
    if key in options.crash_on:
        os.kill(os.getpid(), signal.SIGKILL)
    if key in options.cuda_error_on:
        raise RuntimeError("CUDA error: an illegal memory access was encountered (simulated)")
    while key in options.hang_on:
        time.sleep(1)


def _pixels(request: ScoreRequest) -> int:
    return request.source.width * request.source.height


def drawn(options: SimulatedOptions, stage: str, key: str, seed: int) -> random.Random:
    """Return where all draws for one item come from, its duration first."""
    text = f"{options.seed}/{stage}/{key}/{seed}"
    return random.Random(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))


def duration(options: SimulatedOptions, draw: random.Random, pixels: int) -> float:
    """Draw a lognormal duration with mean `seconds` and coefficient of variation `spread`, on a card of pace 1."""
    variance = math.log1p(options.spread**2)
    size = pixels / options.per_pixels if options.per_pixels else 1.0
    return options.seconds * size * math.exp(draw.gauss(-variance / 2, math.sqrt(variance)))
