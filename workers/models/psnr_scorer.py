"""Rates an edited image by its peak signal-to-noise ratio (PSNR) to the sample's reference image.

PSNR as in Q. Huynh-Thu and M. Ghanbari, "Scope of validity of PSNR in image/video quality assessment", Electronics
Letters 44(13), 2008: 10 log10(peak^2 / MSE), here with peak 255 and one mean over all samples of R, G and B. As that
letter finds, it ranks versions of one image well, but images of different content poorly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import ImageChops
from PIL.Image import Image

from db.options import ScorerOptions
from workers.models.errors import InputFault, ModelFault
from workers.models.pairs import bring_to_size
from workers.models.protocols import Rating, Scorer, ScoreRequest

_PEAK_LEVEL = 255
_TEN_POINTS_DB = 50.0  # a root mean square error of 0.8 levels, which is under one step of 8 bits


class PsnrScorer(Scorer):
    """Ten times PSNR / 50 dB, at most 10.

    An edited image of another size is first resized to the reference's, and the detail says from which. A sample
    without a reference gets an InputFault in its place.
    """

    def __init__(self, options: ScorerOptions) -> None:
        self.options = options

    def score(self, batch: Sequence[ScoreRequest]) -> Sequence[Rating | ModelFault]:
        """Return a rating or a fault for each request, in order; the detail holds the uncapped `psnr_db`.

        For images that are equal sample by sample `psnr_db` is None, as JSON has no infinity, and `identical` is True.
        """
        return [_rate(request) for request in batch]


def psnr_db(one: Image, other: Image) -> float:
    """Return the PSNR of two RGB images of one size, in dB: 0 for black against white, infinite for equal images."""
    # A histogram of the differences makes the sum of their squares exact, and needs no float copy of either image.
    counts = np.reshape(ImageChops.difference(one, other).histogram(), (3, 256)).sum(axis=0)
    squared_error = int(counts @ np.arange(256) ** 2)
    if squared_error == 0:
        return math.inf
    return 10 * math.log10(_PEAK_LEVEL**2 * int(counts.sum()) / squared_error)


def _rate(request: ScoreRequest) -> Rating | ModelFault:
    if request.reference is None:
        return InputFault(f"sample {request.key!r} has no reference image")
    edited, resizing = bring_to_size(request.edited, request.reference.size)
    psnr = psnr_db(edited, request.reference)
    if math.isinf(psnr):
        return Rating(10.0, {"psnr_db": None, "identical": True, **resizing})
    return Rating(10 * min(1.0, psnr / _TEN_POINTS_DB), {"psnr_db": psnr, **resizing})
