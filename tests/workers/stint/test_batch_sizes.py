"""How many scores are judged at once, as the memory at hand has shown."""

from __future__ import annotations

from db.choice import ModelChoice
from workers.stint.batch_sizes import STEADY_BATCHES, BatchSizes

JUDGE = ModelChoice(name="simulated", label="judge", options={"seed": 1})
OTHER = ModelChoice(name="simulated", label="judge", options={"seed": 2})


def passed(sizes: BatchSizes, size: int, times: int) -> None:
    for _ in range(times):
        sizes.passed(JUDGE, size)


def test_as_many_as_are_asked_for_while_nothing_else_is_known() -> None:
    sizes = BatchSizes()
    passed(sizes, 8, 2 * STEADY_BATCHES)

    assert (sizes.limit(JUDGE, 8), sizes.limit(JUDGE, 1000)) == (8, 1000)


def test_what_did_not_fit_is_halved() -> None:
    sizes = BatchSizes()
    for size, limit in ((9, 4), (4, 2), (3, 1), (2, 1), (1, 1)):
        sizes.too_large(JUDGE, size)
        assert sizes.limit(JUDGE, 1000) == limit


def test_never_more_than_asked_for_and_never_none() -> None:
    sizes = BatchSizes()
    sizes.too_large(JUDGE, 100)
    assert sizes.limit(JUDGE, 8) == 8
    sizes.too_large(JUDGE, 1)
    assert sizes.limit(JUDGE, 8) == 1


def test_after_so_many_full_batches_one_more_is_tried() -> None:
    sizes = BatchSizes()
    sizes.too_large(JUDGE, 8)
    passed(sizes, 4, STEADY_BATCHES - 1)
    assert sizes.limit(JUDGE, 8) == 4
    passed(sizes, 4, 1)
    assert sizes.limit(JUDGE, 8) == 5
    passed(sizes, 5, STEADY_BATCHES - 1)
    assert sizes.limit(JUDGE, 8) == 5
    passed(sizes, 5, 1)
    assert sizes.limit(JUDGE, 8) == 6


def test_a_batch_that_was_not_full_shows_nothing() -> None:
    sizes = BatchSizes()
    sizes.too_large(JUDGE, 8)
    passed(sizes, 3, 10 * STEADY_BATCHES)
    assert sizes.limit(JUDGE, 8) == 4


def test_what_did_not_fit_begins_the_count_anew() -> None:
    sizes = BatchSizes()
    sizes.too_large(JUDGE, 8)
    passed(sizes, 4, STEADY_BATCHES - 1)
    sizes.too_large(JUDGE, 8)
    passed(sizes, 4, 1)
    assert sizes.limit(JUDGE, 8) == 4


def test_models_are_told_apart_by_all_their_options() -> None:
    sizes = BatchSizes()
    sizes.too_large(JUDGE, 8)
    assert sizes.limit(OTHER, 8) == 8
