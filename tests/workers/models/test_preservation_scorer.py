from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_equal
from PIL import Image
from skimage.measure import label

from db.options import ScorerOptions
from tests.factories import score_request
from workers.models.errors import InputFault, ModelFault
from workers.models.preservation_scorer import Blocks, PreservationScorer, largest_component
from workers.models.protocols import Rating, ScoreRequest

BLOCK_PX = 16
Box = tuple[int, int, int, int]  # left, top, right, bottom, in blocks; right and bottom are outside


def score(*requests: ScoreRequest) -> list[Rating | ModelFault]:
    return list(PreservationScorer(ScorerOptions()).score(requests))


def request(
    source: Image.Image, edited: Image.Image, reference: Image.Image | None = None, key: str = "sample"
) -> ScoreRequest:
    return score_request(key=key, source=source, edited=edited, reference=reference)


def rate(source: Image.Image, edited: Image.Image, reference: Image.Image | None = None) -> Rating:
    [rating] = score(request(source, edited, reference))
    assert isinstance(rating, Rating)
    return rating


def gradient() -> Image.Image:
    """A picture of 10 x 10 blocks that darkens upwards, of levels under 128."""
    return Image.linear_gradient("L").resize((160, 160)).point([level // 2 for level in range(256)]).convert("RGB")


def painted(image: Image.Image, *boxes: Box) -> Image.Image:
    """Return the image with all that is in the boxes 100 levels lighter."""
    copy = image.copy()
    for box in boxes:
        left, top, right, bottom = (side * BLOCK_PX for side in box)
        lighter = image.crop((left, top, right, bottom)).point([min(level + 100, 255) for level in range(256)] * 3)
        copy.paste(lighter, (left, top))
    return copy


def blocks(*rows: str) -> Blocks:
    return np.array([[sign == "#" for sign in row] for row in rows])


def black(width: int, height: int) -> Image.Image:
    return Image.new("RGB", (width, height))


def test_a_change_inside_the_references_region_alone_rates_ten() -> None:
    rating = rate(gradient(), painted(gradient(), (3, 3, 4, 4)), reference=painted(gradient(), (2, 2, 5, 5)))
    assert rating == Rating(10.0, {"region": "reference", "region_share": 25 / 100, "untouched_share": 1.0})


def test_half_of_the_outside_touched_rates_five() -> None:
    edited = painted(gradient(), (0, 0, 1, 10), (6, 0, 10, 10))
    rating = rate(gradient(), edited, reference=painted(gradient(), (0, 0, 1, 10)))
    assert rating == Rating(5.0, {"region": "reference", "region_share": 20 / 100, "untouched_share": 0.5})


def test_the_region_reaches_one_block_further_than_the_change_in_all_eight_directions() -> None:
    reference = painted(gradient(), (5, 5, 6, 6))
    assert rate(gradient(), painted(gradient(), (4, 4, 7, 7)), reference).detail["untouched_share"] == 1.0
    for touched in [(3, 5, 4, 6), (7, 5, 8, 6), (5, 3, 6, 4), (5, 7, 6, 8)]:
        assert rate(gradient(), painted(gradient(), touched), reference).detail["untouched_share"] == 90 / 91


def test_of_two_separate_changed_places_the_smaller_counts_against_the_edit_where_no_reference_says_which() -> None:
    rating = rate(gradient(), painted(gradient(), (0, 0, 2, 1), (6, 6, 9, 8)))
    assert rating.detail == {"region": "largest change", "region_share": 20 / 100, "untouched_share": 78 / 80}
    assert rating.value == pytest.approx(9.75)


def test_the_region_is_what_the_reference_changes_even_where_the_edit_changes_more_elsewhere() -> None:
    reference = painted(gradient(), (0, 0, 2, 1))
    rating = rate(gradient(), painted(gradient(), (6, 6, 9, 8)), reference)
    assert rating.detail == {"region": "reference", "region_share": 6 / 100, "untouched_share": 88 / 94}


def test_a_place_winds_along_sides_of_blocks() -> None:
    winding = blocks("####", "...#", "####", "#...")
    assert_equal(largest_component(winding), winding)


def test_places_that_touch_at_a_corner_are_two_places() -> None:
    rating = rate(gradient(), painted(gradient(), (0, 0, 3, 3), (3, 3, 5, 5)))
    assert rating.detail == {"region": "largest change", "region_share": 16 / 100, "untouched_share": 81 / 84}


def test_a_place_does_not_go_on_from_the_end_of_a_row_to_the_start_of_the_next() -> None:
    assert_equal(largest_component(blocks("...#", "##..", "....")), blocks("....", "##..", "...."))


def test_of_equally_large_places_the_first_in_reading_order_is_the_region() -> None:
    assert_equal(largest_component(blocks("...#", "#..#", "#...")), blocks("...#", "...#", "...."))


@pytest.mark.parametrize("seed", range(5))
def test_the_largest_place_is_one_that_skimage_labels_and_no_smaller_than_its_others(seed: int) -> None:
    changed = np.random.default_rng(seed).random((40, 30)) < 0.55
    labels = label(changed, connectivity=1)  # type: ignore[no-untyped-call]
    largest = largest_component(changed)
    [number] = set(labels[largest].tolist())
    assert_equal(largest, labels == number)
    assert number > 0
    assert largest.sum() == np.bincount(labels[changed]).max()


def test_an_edit_all_over_without_reference_gets_a_fault_in_its_place() -> None:
    first, second, third = score(
        request(gradient(), gradient()),
        request(gradient(), painted(gradient(), (0, 0, 10, 10)), key="p-17"),
        request(gradient(), painted(gradient(), (0, 0, 3, 1), (8, 8, 10, 9))),
    )
    assert isinstance(second, InputFault)
    assert str(second) == (
        "sample 'p-17': the change from the source image to the edited image, with its margin of 16 px, "
        "covers the whole image: nothing lies outside it that could be preserved"
    )
    assert isinstance(first, Rating)
    assert isinstance(third, Rating)
    assert first.value == 10.0 > third.value


def test_a_reference_that_differs_all_over_leaves_nothing_to_rate_whatever_the_edit() -> None:
    [fault] = score(request(gradient(), gradient(), reference=painted(gradient(), (0, 0, 10, 10)), key="p-18"))
    assert isinstance(fault, InputFault)
    assert str(fault).startswith("sample 'p-18': the change from the source image to the reference image,")


def test_a_change_that_fills_the_image_with_its_margin_leaves_nothing_to_rate() -> None:
    [fault] = score(request(gradient(), painted(gradient(), (1, 1, 9, 9))))
    assert isinstance(fault, InputFault)


def test_an_edit_all_over_rates_zero_where_the_reference_changes_one_place() -> None:
    everywhere = painted(gradient(), (0, 0, 10, 10))
    assert rate(gradient(), everywhere, reference=painted(gradient(), (0, 0, 1, 1))).value == 0.0


@pytest.mark.parametrize("reference", [None, gradient(), painted(gradient(), (2, 2, 5, 5))])
def test_the_source_itself_rates_ten(reference: Image.Image | None) -> None:
    assert rate(gradient(), gradient(), reference).value == 10.0


def test_noise_of_two_levels_is_no_touch() -> None:
    levels = np.asarray(gradient(), dtype=np.int16) + np.random.default_rng(1).integers(-2, 3, (160, 160, 3))
    noisy = Image.fromarray(levels.clip(0, 255).astype(np.uint8))
    assert rate(gradient(), noisy) == Rating(
        10.0, {"region": "largest change", "region_share": 0.0, "untouched_share": 1.0}
    )


@pytest.mark.parametrize(
    ("colour", "untouched_share"), [((8, 8, 8), 1.0), ((24, 0, 0), 1.0), ((9, 8, 8), 0.75), ((0, 0, 25), 0.75)]
)
def test_a_block_is_touched_above_a_mean_of_eight_levels_over_the_three_channels(
    colour: tuple[int, int, int], untouched_share: float
) -> None:
    edited = black(64, 16)
    edited.paste(colour, (48, 0, 64, 16))
    nothing_asked = black(64, 16)
    assert rate(black(64, 16), edited, reference=nothing_asked).detail["untouched_share"] == untouched_share


def test_darker_and_lighter_pixels_do_not_cancel_out() -> None:
    grey = Image.new("RGB", (32, 16), (100, 100, 100))
    edited = grey.copy()
    edited.paste((80, 80, 80), (0, 0, 8, 16))
    edited.paste((120, 120, 120), (8, 0, 16, 16))
    assert rate(grey, edited, reference=grey).detail["untouched_share"] == 0.5


def test_a_narrow_block_at_the_edge_is_judged_by_its_own_pixels_and_counts_as_one() -> None:
    source, reference, edited = black(40, 24), black(40, 24), black(40, 24)  # 3 x 2 blocks
    reference.paste("white", (0, 0, 16, 16))
    edited.paste((9, 9, 9), (32, 16, 40, 24))
    assert rate(source, edited, reference) == Rating(
        5.0, {"region": "reference", "region_share": 4 / 6, "untouched_share": 1 / 2}
    )


@pytest.mark.parametrize("size", [(80, 80), (320, 320), (160, 240)])
def test_an_edited_image_of_another_size_is_resized_to_the_source_and_the_detail_says_so(size: tuple[int, int]) -> None:
    rating = rate(gradient(), gradient().resize(size), reference=painted(gradient(), (0, 0, 1, 1)))
    assert rating.value == 10.0
    assert rating.detail["resized_from"] == list(size)


def test_a_reference_of_another_size_is_resized_to_the_source() -> None:
    reference = painted(gradient(), (2, 2, 6, 6)).resize((80, 80))
    rating = rate(gradient(), gradient(), reference)
    assert rating.detail == {"region": "reference", "region_share": 36 / 100, "untouched_share": 1.0}


def test_an_image_smaller_than_a_block_is_one_block() -> None:
    assert rate(black(3, 5), black(3, 5)).value == 10.0
    [fault] = score(request(black(3, 5), Image.new("RGB", (3, 5), "white")))
    assert isinstance(fault, InputFault)
