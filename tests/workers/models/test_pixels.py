from __future__ import annotations

import pytest
from PIL import Image

from workers.models.pixels import within_area


@pytest.mark.parametrize(
    ("size", "pixels", "expected"),
    [((100, 50), 5000, (100, 50)), ((200, 50), 2500, (100, 25)), ((1000, 1), 100, (316, 1)), ((3, 3), 4, (2, 2))],
)
def test_an_image_is_scaled_down_in_its_own_shape_and_never_up(
    size: tuple[int, int], pixels: int, expected: tuple[int, int]
) -> None:
    assert within_area(Image.new("RGB", size), pixels).size == expected


def test_an_image_that_fits_is_not_touched() -> None:
    image = Image.new("RGB", (10, 10))

    assert within_area(image, 100) is image
