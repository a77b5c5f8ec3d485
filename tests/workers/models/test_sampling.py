"""Sampling by noise of each row's own: the right distribution, whatever stands beside it."""

from __future__ import annotations

import math

import pytest
import torch

from workers.models.judging.sampling import SeededSampling


def test_seeded_sampling_draws_from_the_softmax() -> None:
    logits = torch.log(torch.tensor([0.5, 0.3, 0.2])).repeat(20_000, 1)

    drawn = SeededSampling(1.0, range(20_000))(torch.zeros(1), logits).argmax(-1)

    shares = torch.bincount(drawn, minlength=3) / len(drawn)
    assert shares.tolist() == pytest.approx([0.5, 0.3, 0.2], abs=4 * math.sqrt(0.25 / 20_000))


def test_a_row_draws_the_same_whatever_rows_stand_beside_it() -> None:
    logits = torch.randn(3, 50, generator=torch.Generator().manual_seed(0))

    together = SeededSampling(1.0, [5, 6, 7])(torch.zeros(1), logits)
    alone = SeededSampling(1.0, [6])(torch.zeros(1), logits[1:2])

    assert torch.equal(together[1], alone[0])


def test_a_low_temperature_takes_the_likeliest() -> None:
    logits = torch.tensor([[1.0, 3.0, 2.0]])

    drawn = {int(SeededSampling(0.01, [seed])(torch.zeros(1), logits).argmax()) for seed in range(50)}

    assert drawn == {1}
