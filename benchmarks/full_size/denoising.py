"""What a denoising step of Qwen-Image-Edit costs on this GPU, and how near that is to what the card can do."""

from __future__ import annotations

import gc
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from benchmarks.figures.machine import the_device
from benchmarks.figures.stopwatch import median_seconds, seconds_of
from benchmarks.figures.tables import figure, markdown_table
from benchmarks.full_size.networks import DTYPE, EDITOR, TINY_EDITOR, EditorSize, make_transformer, make_vae
from db.options import DiffusersEditorOptions
from workers.models.diffusion.speed import apply_speed_options
from workers.models.errors import ModelFault
from workers.models.loading.devices import empty_cache

PEAK_TFLOPS = {
    "NVIDIA H100 80GB HBM3": 989,
    "NVIDIA H100 PCIe": 756,
    "NVIDIA H200": 989,
    "NVIDIA A100-SXM4-40GB": 312,
    "NVIDIA A100-SXM4-80GB": 312,
    "NVIDIA A100-PCIE-40GB": 312,
    "NVIDIA A100 80GB PCIe": 312,
    "NVIDIA B200": 2250,
}
"""Dense bfloat16 peak by the name that the driver gives the card, in TFLOP/s (NVIDIA's data sheets)."""

STEPS = 40
"""Denoising steps of an edit: the default of Qwen-Image-Edit-2511."""

FORWARDS_PER_STEP = 2
"""Classifier-free guidance: with the instruction, and without."""

_ROUNDS = 5


@dataclass(frozen=True)
class EditWork:
    """What one forward pass works on: source and edited image of one size, in patches a side, and a prompt."""

    size: EditorSize
    side: int
    text_tokens: int

    @property
    def image_tokens(self) -> int:
        """Tokens of both images."""
        return 2 * self.side * self.side


FULL_WORK = EditWork(EDITOR, side=64, text_tokens=260)
"""1024 x 1024 pixels, at 16 pixels a patch; 260 tokens are an instruction and the source at 384 x 384."""

TINY_WORK = EditWork(TINY_EDITOR, side=8, text_tokens=20)


@dataclass(frozen=True)
class Variant:
    """One way to compute the same."""

    attention: str
    compile: bool


def forward_flops(*, layers: int, width: int, image_tokens: int, text_tokens: int) -> float:
    """Return the floating-point operations of one forward pass of the double-stream transformer.

    Every weight that a token passes is one multiplication and one addition, and attention over L tokens is 4 L^2 width
    a layer, for the scores and for what they weigh (J. Kaplan et al., "Scaling laws for neural language models",
    arXiv:2001.08361, section 2.1). Of a layer, a token passes its stream's 12 width^2 weights: query, key, value and
    output, 4 width^2, and the MLP, 2 x 4 width^2. With 60 layers of width 3072 that is

        2 x 6.80e9 x image tokens + 2 x 6.80e9 x text tokens + 4 x L^2 x 3072 x 60,

    168 TFLOP for 8192 + 260 tokens, of which attention is 53. Left out, together 0.02 %, are the projections into and
    out of the layers, and the modulation, which holds another 6.8e9 weights but is computed once for all tokens.
    """
    tokens = image_tokens + text_tokens
    return 2.0 * layers * 12 * width**2 * tokens + 4.0 * tokens**2 * width * layers


def flops_of(configuration: Any, work: EditWork) -> float:
    """Return the above for a transformer of diffusers."""
    return forward_flops(
        layers=configuration.num_layers,
        width=configuration.num_attention_heads * configuration.attention_head_dim,
        image_tokens=work.image_tokens,
        text_tokens=work.text_tokens,
    )


def denoiser_inputs(configuration: Any, work: EditWork) -> dict[str, Any]:
    """Return the arguments of a forward pass, as the pipelines make them for one edit: batch 1, no mask."""

    def noise(tokens: int, channels: int) -> Tensor:
        return torch.randn(1, tokens, channels, device=the_device(), dtype=DTYPE)

    return {
        "hidden_states": noise(work.image_tokens, configuration.in_channels),
        "encoder_hidden_states": noise(work.text_tokens, configuration.joint_attention_dim),
        "timestep": torch.full((1,), 0.5, device=the_device(), dtype=DTYPE),
        "img_shapes": [[(1, work.side, work.side)] * 2],
    }


def measure_editing(work: EditWork, attentions: Sequence[str], *, with_compile: bool) -> Iterator[str]:
    """Yield the tables: the transformer in each variant, then the VAE, which runs once in each direction per edit."""
    yield _transformer_table(work, attentions, with_compile=with_compile)
    gc.collect()
    empty_cache()
    yield _vae_table(work)


def _transformer_table(work: EditWork, attentions: Sequence[str], *, with_compile: bool) -> str:
    transformer = make_transformer(work.size)
    flops = flops_of(transformer.config, work)
    peak = PEAK_TFLOPS.get(torch.cuda.get_device_name(0)) if torch.cuda.is_available() else None
    # Compiled ones last: what is compiled stays so.
    ways = [Variant(name, how) for how, name in itertools.product((False, True)[: 1 + with_compile], attentions)]
    rows = [_row(way, _times(transformer, work, way), flops, peak) for way in ways]
    title = f"### Denoising: {work.size.name}, {work.image_tokens} + {work.text_tokens} tokens, bfloat16, batch 1"
    header = ["attention", "blocks", "first call, s", "s / forward", "TFLOP/s", "of the peak", "s / step"]
    header += ["s / step at the peak", f"{STEPS} steps, s"]
    return f"{title}\n\n{markdown_table(header, rows)}\n\n{_explanation(flops, peak)}"


def _times(transformer: Any, work: EditWork, way: Variant) -> tuple[float, float] | str:
    """Return the first call's and the median time in seconds, or why it cannot be had here."""
    options = DiffusersEditorOptions(model="-", attention=way.attention, compile=way.compile)
    inputs = denoiser_inputs(transformer.config, work)

    try:
        apply_speed_options(SimpleNamespace(transformer=transformer), options)
        with torch.no_grad():  # as the pipelines have it
            first = seconds_of(lambda: transformer(**inputs))
            median = median_seconds(lambda: transformer(**inputs), rounds=_ROUNDS)
            finite = bool(transformer(**inputs).sample.isfinite().all())
    except (ModelFault, RuntimeError, ValueError, ImportError) as error:
        return str(error).strip().partition("\n")[0]  # the other variants are still worth their time on the GPU
    return (first, median) if finite else "computed what is not finite"


def _row(way: Variant, times: tuple[float, float] | str, flops: float, peak: int | None) -> list[str]:
    names = [way.attention, "compiled" if way.compile else "eager"]
    if isinstance(times, str):
        return [*names, times, *["-"] * 6]
    first, seconds = times
    tflops = flops / seconds / 1e12
    step = FORWARDS_PER_STEP * seconds
    of_peak = "-" if peak is None else f"{tflops / peak:.0%}"
    at_peak = "-" if peak is None else figure(FORWARDS_PER_STEP * flops / peak / 1e12)
    return [
        *names,
        figure(first),
        figure(seconds),
        figure(tflops),
        of_peak,
        figure(step),
        at_peak,
        figure(STEPS * step),
    ]


def _explanation(flops: float, peak: int | None) -> str:
    limit = "its peak is not known here" if peak is None else f"the card's dense bfloat16 peak is {peak} TFLOP/s"
    return (
        f"A forward pass is {figure(flops / 1e12)} TFLOP; {limit}. A step is {FORWARDS_PER_STEP} forward passes "
        "(classifier-free guidance); the last column is denoising alone."
    )


def _vae_table(work: EditWork) -> str:
    vae = make_vae(work.size)
    pixels = 16 * work.side
    with torch.no_grad():
        image = torch.randn(1, 3, 1, pixels, pixels, device=the_device(), dtype=DTYPE)
        latents = vae.encode(image).latent_dist.mode()
        encoding = median_seconds(lambda: vae.encode(image), rounds=_ROUNDS)
        decoding = median_seconds(lambda: vae.decode(latents), rounds=_ROUNDS)
    rows = [["encode the source", figure(encoding)], ["decode the edited image", figure(decoding)]]
    return f"### VAE: {pixels} x {pixels} pixels, bfloat16\n\n{markdown_table(['', 's'], rows)}"
