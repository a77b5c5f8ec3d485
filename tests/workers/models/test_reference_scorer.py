from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter
from skimage.metrics import structural_similarity

from db.options import ScorerOptions
from tests.factories import score_request
from tests.workers.models.pictures import as_jpeg, landscape, noise
from workers.models.errors import InputFault, ModelFault
from workers.models.protocols import Rating, ScoreRequest
from workers.models.reference_scorer import ReferenceScorer


def score(*requests: ScoreRequest) -> list[Rating | ModelFault]:
    return list(ReferenceScorer(ScorerOptions()).score(requests))


def request(edited: Image.Image, reference: Image.Image | None, key: str = "sample") -> ScoreRequest:
    return score_request(key=key, source=edited, edited=edited, reference=reference)


def rate(edited: Image.Image, reference: Image.Image) -> Rating:
    [rating] = score(request(edited, reference))
    assert isinstance(rating, Rating)
    return rating


def skimage_ssim(one: Image.Image, other: Image.Image) -> float:
    """Return skimage's mean SSIM of the lumas.

    It pads the image by reflection for its map, but leaves out (11 - 1) // 2 = 5 px on each side for its mean: what
    remains are the windows that lie wholly inside, the very ones that ReferenceScorer averages.
    """
    lumas: list[NDArray[Any]] = [np.asarray(image, dtype=np.float64) @ [0.299, 0.587, 0.114] for image in (one, other)]
    return float(
        structural_similarity(  # type: ignore[no-untyped-call]
            *lumas, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255, K1=0.01, K2=0.03
        )
    )


@pytest.mark.parametrize(("width", "height"), [(11, 11), (11, 40), (37, 12), (64, 48)])
def test_ssim_agrees_with_skimage_on_noise_of_any_size(width: int, height: int) -> None:
    one, other = noise(width, height, seed=3), Image.blend(noise(width, height, seed=3), noise(width, height), 0.4)
    assert rate(one, other).detail["ssim"] == pytest.approx(skimage_ssim(one, other), abs=1e-9)


@pytest.mark.parametrize(
    "distorted",
    [
        as_jpeg(landscape()),
        landscape().filter(ImageFilter.GaussianBlur(2)),
        ImageEnhance.Brightness(landscape()).enhance(0.6),
        landscape().transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    ],
    ids=["jpeg", "blurred", "darker", "mirrored"],
)
def test_ssim_agrees_with_skimage_on_a_distorted_picture(distorted: Image.Image) -> None:
    rating = rate(distorted, landscape())
    assert rating.detail["ssim"] == pytest.approx(skimage_ssim(distorted, landscape()), abs=1e-9)
    assert rating.value == pytest.approx(10 * skimage_ssim(distorted, landscape()))
    assert rating.value < 9.9


def test_flat_images_rate_by_the_luminance_term_alone() -> None:
    c1 = (0.01 * 255) ** 2
    rating = rate(Image.new("RGB", (20, 20), (50,) * 3), Image.new("RGB", (20, 20), (100,) * 3))
    assert rating.value == pytest.approx(10 * (2 * 50 * 100 + c1) / (50**2 + 100**2 + c1))


def test_the_reference_itself_rates_ten() -> None:
    assert rate(landscape(), landscape()).value == 10.0


def test_a_negative_ssim_rates_zero_and_stays_in_the_detail() -> None:
    inverted = Image.fromarray(255 - np.asarray(noise(40, 40)))
    rating = rate(inverted, noise(40, 40))
    assert rating.value == 0.0
    assert isinstance(ssim := rating.detail["ssim"], float)
    assert ssim < -0.5


def test_an_edited_image_of_another_size_is_resized_and_the_detail_says_so() -> None:
    small = landscape().resize((80, 60), Image.Resampling.LANCZOS)
    rating = rate(small, landscape())
    enlarged = small.resize((160, 120), Image.Resampling.LANCZOS)
    assert rating.detail == {"ssim": pytest.approx(skimage_ssim(enlarged, landscape())), "resized_from": [80, 60]}


def test_an_edited_image_of_the_same_size_is_not_said_to_be_resized() -> None:
    assert set(rate(landscape(), landscape()).detail) == {"ssim"}


def test_a_sample_without_reference_gets_a_fault_in_its_place() -> None:
    first, second, third = score(
        request(noise(20, 20), noise(20, 20)),
        request(noise(20, 20), None, key="p-17"),
        request(noise(20, 20), noise(20, 20, seed=9)),
    )
    assert isinstance(second, InputFault)
    assert str(second) == "sample 'p-17' has no reference image"
    assert isinstance(first, Rating)
    assert isinstance(third, Rating)
    assert first.value == 10.0 > third.value


@pytest.mark.parametrize(("width", "height"), [(10, 300), (300, 10), (1, 1)])
def test_a_reference_smaller_than_the_window_is_a_fault_that_gives_its_size(width: int, height: int) -> None:
    [fault] = score(request(noise(300, 300), noise(width, height), key="tiny"))
    assert isinstance(fault, InputFault)
    assert str(fault) == f"sample 'tiny': SSIM needs 11 px a side; the reference image has {width} x {height} px"


def test_a_small_edited_image_is_rated_by_the_size_of_its_reference() -> None:
    assert 0 <= rate(noise(3, 3), noise(40, 40)).value < 5
