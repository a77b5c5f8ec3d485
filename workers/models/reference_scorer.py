"""Rates an edited image by its structural similarity (SSIM) to the sample's reference image.

SSIM is equation 13 of Z. Wang, A. C. Bovik, H. R. Sheikh and E. P. Simoncelli, "Image quality assessment: from error
visibility to structural similarity", IEEE Transactions on Image Processing 13(4), 2004, with that paper's constants,
averaged over the image (equation 17). As in the authors' first program, the mean runs over the windows that lie wholly
inside the image. Deviations: luma is not rounded to whole levels, and a large image is not scaled down first, as the
authors' later program does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from PIL.Image import Image

from db.options import ScorerOptions
from workers.models.errors import InputFault, ModelFault
from workers.models.pairs import bring_to_size
from workers.models.protocols import Rating, Scorer, ScoreRequest

Plane: TypeAlias = NDArray[np.float64]

_WINDOW_PX = 11
_WINDOW_SIGMA_PX = 1.5
_C1 = (0.01 * 255) ** 2
_C2 = (0.03 * 255) ** 2
_LUMA_WEIGHTS = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601


class ReferenceScorer(Scorer):
    """Ten times the SSIM of the lumas; an image that is anticorrelated with its reference (SSIM below 0) rates 0.

    An edited image of another size is first resized to the reference's, and the detail says from which. A sample
    without a reference, or with one under 11 px on a side, where no window fits, gets an InputFault in its place.
    """

    def __init__(self, options: ScorerOptions) -> None:
        self.options = options

    def score(self, batch: Sequence[ScoreRequest]) -> Sequence[Rating | ModelFault]:
        """Return a rating or a fault for each request, in order; the detail holds the unclipped `ssim`."""
        return [_rate(request) for request in batch]


def mean_ssim(x: Plane, y: Plane) -> float:
    """Return the mean SSIM of two planes of one shape, at least 11 x 11, with levels in [0, 255]; it is in [-1, 1]."""
    mean_x, mean_y = _window_means(x), _window_means(y)
    variance_x = _window_means(x * x) - mean_x**2
    variance_y = _window_means(y * y) - mean_y**2
    covariance = _window_means(x * y) - mean_x * mean_y
    likeness = (2 * mean_x * mean_y + _C1) * (2 * covariance + _C2)
    largest = (mean_x**2 + mean_y**2 + _C1) * (variance_x + variance_y + _C2)
    return float((likeness / largest).mean())


def _rate(request: ScoreRequest) -> Rating | ModelFault:
    edited, reference = request.edited, request.reference
    if reference is None:
        return InputFault(f"sample {request.key!r} has no reference image")
    if min(reference.size) < _WINDOW_PX:
        size = f"{reference.width} x {reference.height} px"
        return InputFault(f"sample {request.key!r}: SSIM needs {_WINDOW_PX} px a side; the reference image has {size}")
    edited, resizing = bring_to_size(edited, reference.size)
    ssim = mean_ssim(_luma(edited), _luma(reference))
    return Rating(10 * min(1.0, max(0.0, ssim)), {"ssim": ssim, **resizing})


def _luma(image: Image) -> Plane:
    """Return the luma of an RGB image as (H, W) float64 in [0, 255]."""
    luma: Plane = np.asarray(image, dtype=np.float64) @ _LUMA_WEIGHTS
    return luma


def _window_means(plane: Plane) -> Plane:
    """Return the Gaussian mean of every 11 x 11 window: (H, W) becomes (H - 10, W - 10).

    The Gaussian is separable, so it is taken along the columns, then along the rows.
    """
    offsets = np.arange(_WINDOW_PX) - _WINDOW_PX // 2
    weights = np.exp(-(offsets**2) / (2 * _WINDOW_SIGMA_PX**2))
    weights /= weights.sum()
    columns_averaged: Plane = sliding_window_view(plane, _WINDOW_PX, axis=0) @ weights
    averaged: Plane = sliding_window_view(columns_averaged, _WINDOW_PX, axis=1) @ weights
    return averaged
