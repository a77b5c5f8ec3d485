from __future__ import annotations

import json
import math

import numpy as np
import pytest
from PIL import Image, ImageFilter
from skimage.metrics import peak_signal_noise_ratio

from db.options import ScorerOptions
from tests.factories import score_request
from tests.workers.models.pictures import as_jpeg, landscape, noise
from workers.models.errors import InputFault, ModelFault
from workers.models.protocols import Rating, ScoreRequest
from workers.models.psnr_scorer import PsnrScorer, psnr_db


def score(*requests: ScoreRequest) -> list[Rating | ModelFault]:
    return list(PsnrScorer(ScorerOptions()).score(requests))


def request(edited: Image.Image, reference: Image.Image | None, key: str = "sample") -> ScoreRequest:
    source = Image.new("RGB", edited.size, "orange")  # which PSNR must not look at
    return score_request(key=key, source=source, edited=edited, reference=reference)


def rate(edited: Image.Image, reference: Image.Image) -> Rating:
    [rating] = score(request(edited, reference))
    assert isinstance(rating, Rating)
    return rating


def skimage_psnr_db(one: Image.Image, other: Image.Image) -> float:
    return float(peak_signal_noise_ratio(np.asarray(one), np.asarray(other), data_range=255))  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 40), (37, 12), (64, 48)])
def test_psnr_agrees_with_skimage_on_noise_of_any_size(width: int, height: int) -> None:
    one, other = noise(width, height, seed=3), noise(width, height, seed=4)
    assert rate(one, other).detail["psnr_db"] == pytest.approx(skimage_psnr_db(one, other), abs=1e-9)


@pytest.mark.parametrize(
    "distorted",
    [
        as_jpeg(landscape()),
        landscape().filter(ImageFilter.GaussianBlur(2)),
        landscape().transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    ],
    ids=["jpeg", "blurred", "mirrored"],
)
def test_ten_points_are_fifty_db_of_the_psnr_that_skimage_finds(distorted: Image.Image) -> None:
    rating = rate(distorted, landscape())
    assert rating.detail == {"psnr_db": pytest.approx(skimage_psnr_db(distorted, landscape()), abs=1e-9)}
    assert rating.value == pytest.approx(skimage_psnr_db(distorted, landscape()) / 5)
    assert 1 < rating.value < 9


def test_the_error_is_the_mean_over_the_three_channels_whichever_of_them_is_wrong() -> None:
    black = Image.new("RGB", (20, 20))
    for colour in ("#ff0000", "#00ff00", "#0000ff"):
        assert psnr_db(Image.new("RGB", (20, 20), colour), black) == pytest.approx(10 * math.log10(3))


def test_white_for_black_rates_zero() -> None:
    assert rate(Image.new("RGB", (20, 20), "white"), Image.new("RGB", (20, 20), "black")) == Rating(
        0.0, {"psnr_db": 0.0}
    )


def test_the_reference_itself_rates_ten_and_its_infinite_psnr_is_kept_out_of_the_detail() -> None:
    rating = rate(landscape(), landscape())
    assert rating == Rating(10.0, {"psnr_db": None, "identical": True})
    assert json.dumps(rating.detail, allow_nan=False)


def test_more_than_fifty_db_rate_ten_and_are_not_said_to_be_identical() -> None:
    one_level_off = Image.new("RGB", (20, 20), "black")
    one_level_off.putpixel((3, 5), (0, 0, 1))
    psnr = 10 * math.log10(255**2 * 20 * 20 * 3)
    assert psnr > 50
    rating = rate(one_level_off, Image.new("RGB", (20, 20), "black"))
    assert rating == Rating(10.0, {"psnr_db": pytest.approx(psnr)})


def test_an_edited_image_of_another_size_is_resized_and_the_detail_says_so() -> None:
    small = landscape().resize((80, 60), Image.Resampling.LANCZOS)
    enlarged = small.resize((160, 120), Image.Resampling.LANCZOS)
    assert rate(small, landscape()).detail == {
        "psnr_db": pytest.approx(skimage_psnr_db(enlarged, landscape())),
        "resized_from": [80, 60],
    }


def test_an_edited_image_that_is_identical_once_resized_is_still_said_to_be_resized() -> None:
    rating = rate(Image.new("RGB", (7, 9), "red"), Image.new("RGB", (20, 20), "red"))
    assert rating == Rating(10.0, {"psnr_db": None, "identical": True, "resized_from": [7, 9]})


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
