"""Sampling tokens for a batch so that each row draws its own numbers, whatever rows stand beside it.

The Gumbel-max trick: the largest of logits / temperature + Gumbel noise is a draw from their softmax (E. J. Gumbel,
"Statistical theory of extreme values", 1954; C. J. Maddison, D. Tarlow and T. Minka, "A* sampling", NeurIPS 2014). So
greedy decoding over noisy logits samples, and the noise of a row is a function of its seed alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import LogitsProcessor


class SeededSampling(LogitsProcessor):  # type: ignore[misc]
    """Turns greedy decoding into sampling at a temperature; one generator per row, on the CPU."""

    def __init__(self, temperature: float, seeds: Sequence[int]) -> None:
        self._temperature = temperature
        self._generators = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]

    def __call__(self, _input_ids: Tensor, scores: Tensor) -> Tensor:
        """Return scores (batch, vocabulary), as float32, divided by the temperature and with their noise."""
        uniform = torch.stack([torch.rand(scores.shape[-1], generator=one) for one in self._generators])
        gumbel = -torch.log(-torch.log(uniform.clamp(min=torch.finfo(torch.float32).tiny)))
        return scores.float() / self._temperature + gumbel.to(scores.device)
