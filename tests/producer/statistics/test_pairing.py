"""Two runs on the same samples: differences, wins, and the probability of chance."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from producer.statistics.pairing import EXACT_UP_TO, holm, paired, sign_flip_p


def test_a_pair_by_hand() -> None:
    first, second = np.array([1.0, 5.0, 5.0, 8.0]), np.array([4.0, 5.0, 3.0, 9.0])

    found = paired(first, second, np.arange(4), np.zeros(4, dtype=int))

    assert (found.n, found.images, found.difference) == (4, 4, 0.5)
    assert (found.wins, found.ties, found.losses) == (2, 1, 1)
    assert found.ci is not None
    assert found.ci[0] < 0.5 < found.ci[1]
    # the sign patterns of 3, 2 and 1 (a tie has no sign) whose sum is 2 or more, either way
    sums = [abs(a * 3 + b * 2 + c) for a in (1, -1) for b in (1, -1) for c in (1, -1)]
    assert found.p == sum(total >= 2 for total in sums) / 8


def test_nothing_in_common_leaves_nothing_to_say() -> None:
    found = paired(np.array([]), np.array([]), np.array([], dtype=int), np.array([], dtype=int))

    assert (found.n, found.difference, found.ci, found.p) == (0, None, None, None)
    assert (found.wins, found.ties, found.losses) == (0, 0, 0)


def test_one_image_has_a_difference_but_no_interval_and_tells_nothing() -> None:
    found = paired(np.array([1.0]), np.array([9.0]), np.array([0]), np.array([0]))

    assert (found.difference, found.ci, found.p) == (8.0, None, 1.0)


@pytest.mark.parametrize("count", [3, 8, EXACT_UP_TO])
@pytest.mark.parametrize("seed", range(4))
def test_for_few_images_p_is_exactly_scipys(count: int, seed: int) -> None:
    differences = np.random.default_rng(seed).integers(-3, 5, count).astype(float)

    theirs = stats.permutation_test(
        (differences,),
        np.sum,
        permutation_type="samples",
        alternative="two-sided",
        n_resamples=np.inf,
        vectorized=False,
    ).pvalue

    # scipy doubles the smaller tail, which is the same because sign patterns come in opposite pairs
    assert sign_flip_p(differences, np.arange(count)) == pytest.approx(min(1.0, theirs))


@pytest.mark.parametrize("seed", range(4))
def test_for_many_images_p_is_close_to_scipys(seed: int) -> None:
    differences = np.random.default_rng(seed).normal(0.15, 1, 120)

    theirs = stats.permutation_test(
        (differences,), lambda values, axis: values.sum(axis=axis), permutation_type="samples", n_resamples=20_000,
        vectorized=True, rng=seed,
    ).pvalue  # fmt: skip

    assert sign_flip_p(differences, np.arange(120)) == pytest.approx(theirs, abs=0.015)


def test_a_clear_difference_is_never_called_impossible() -> None:
    p = sign_flip_p(np.ones(200), np.arange(200))

    assert p is not None
    assert 0 < p < 0.001


def test_no_difference_is_all_chance() -> None:
    assert sign_flip_p(np.zeros(10), np.arange(10)) == 1.0
    assert sign_flip_p(np.zeros(100), np.arange(100)) == 1.0


def test_rows_of_one_image_change_their_signs_together() -> None:
    differences = np.repeat([1.0, 1.0, 1.0], 50)

    assert sign_flip_p(differences, np.repeat([0, 1, 2], 50)) == 2 / 8
    alone = sign_flip_p(differences, np.arange(150))
    assert alone is not None
    assert alone < 0.001


def test_holms_method_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, None]) == pytest.approx([0.03, 0.06, 0.06, None])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_under_no_difference_p_is_below_a_twentieth_one_time_in_twenty() -> None:
    draw = np.random.default_rng(0)
    p_values = [sign_flip_p(draw.normal(0, 1, 12), np.arange(12)) for _ in range(400)]

    assert 0.02 <= np.mean([p is not None and p <= 0.05 for p in p_values]) <= 0.09
