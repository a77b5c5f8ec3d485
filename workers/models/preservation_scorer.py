"""Rates how much of an image an edit left untouched outside the place that it was to change.

The measure is this project's own. It is counted in square blocks of 16 px of the source image; the narrower ones at the
right and lower edges count like the others.

- A block is **changed** between two images where the mean absolute difference of its RGB levels exceeds 8 of 255.
- The **region** is where a change was asked for. With a reference image: the blocks that changed from the source to the
  reference. Without one: the largest 4-connected component of the blocks that changed from the source to the edited
  image, and of several equally large the first in reading order; the edit is taken to be one place, so that a second
  place counts against it. Either is then dilated by one block in all 8 directions, since an object brings a seam and a
  shadow.
- The **score** is 10 x (unchanged blocks outside the region) / (blocks outside the region). What happens inside the
  region is not judged: an edit that changes nothing rates 10.

Where nothing lies outside the region, as after a change of style, there is nothing to preserve and no score.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from PIL import ImageChops
from PIL.Image import Image

from db.options import ScorerOptions
from workers.models.errors import InputFault, ModelFault
from workers.models.pairs import bring_to_size
from workers.models.protocols import Rating, Scorer, ScoreRequest

Blocks: TypeAlias = NDArray[np.bool_]  # (ceil(H / 16), ceil(W / 16)): one truth for each block

_BLOCK_PX = 16
# Above the noise of re-encoding: on three photos, JPEG of quality 85 left more in under 1 % of the blocks, scaling up
# by 2 and back in none. Meant to clear an editor's autoencoder (VAE) too, though that may leave more in fine texture.
_UNCHANGED_UP_TO_LEVELS = 8


class PreservationScorer(Scorer):
    """Ten times the share of the blocks outside the region of the change that are unchanged.

    An edited image of another size is first resized to the source's, and the detail says from which; so is a reference,
    of which the detail says nothing. A sample of which nothing lies outside the region gets an InputFault in its place.
    """

    def __init__(self, options: ScorerOptions) -> None:
        self.options = options

    def score(self, batch: Sequence[ScoreRequest]) -> Sequence[Rating | ModelFault]:
        """Return a rating or a fault for each request, in order.

        The detail holds `region`, "reference" or "largest change"; `region_share`, the share of all blocks that the
        dilated region covers; and `untouched_share`, the share of the others that are unchanged; both are in [0, 1].
        """
        return [_rate(request) for request in batch]


def changed_blocks(one: Image, other: Image) -> Blocks:
    """Return which blocks differ between two RGB images of one size."""
    differences = np.asarray(ImageChops.difference(one, other))
    height, width, channels = differences.shape
    tops, lefts = np.arange(0, height, _BLOCK_PX), np.arange(0, width, _BLOCK_PX)
    strips = np.add.reduceat(differences, tops, axis=0, dtype=np.int32)
    sums = np.add.reduceat(strips, lefts, axis=1).sum(axis=2)
    samples = np.outer(np.diff(tops, append=height), np.diff(lefts, append=width)) * channels
    changed: Blocks = sums > _UNCHANGED_UP_TO_LEVELS * samples
    return changed


def largest_component(changed: Blocks) -> Blocks:
    """Return the largest 4-connected component: of equally large ones the first in reading order, of none, none."""
    framed = np.pad(changed, 1)  # the frame keeps the neighbours of one row's end out of the next row
    places = np.flatnonzero(framed).tolist()
    unvisited = set(places)
    largest = max((_take_component(place, unvisited, framed.shape[1]) for place in places), key=len, default=[])
    return np.isin(np.arange(framed.size), largest).reshape(framed.shape)[1:-1, 1:-1]


def _rate(request: ScoreRequest) -> Rating | ModelFault:
    source = request.source
    edited, resizing = bring_to_size(request.edited, source.size)
    changed = changed_blocks(source, edited)
    if request.reference is None:
        region_from, region = "largest change", largest_component(changed)
    else:
        reference, _ = bring_to_size(request.reference, source.size)
        region_from, region = "reference", changed_blocks(source, reference)
    inside = _dilate(region)
    if inside.all():
        changing = "edited" if request.reference is None else "reference"
        return InputFault(
            f"sample {request.key!r}: the change from the source image to the {changing} image, with its margin of "
            f"{_BLOCK_PX} px, covers the whole image: nothing lies outside it that could be preserved"
        )
    untouched_share = float(np.mean(~changed[~inside]))
    shares = {"region_share": float(inside.mean()), "untouched_share": untouched_share}
    return Rating(10 * untouched_share, {"region": region_from, **shares, **resizing})


def _take_component(start: int, unvisited: set[int], row_length: int) -> list[int]:
    """Take all that is 4-connected with `start` from `unvisited`, and return it; nothing if `start` is not there."""
    component = [start] if start in unvisited else []
    unvisited.discard(start)
    for place in component:  # which grows as it is walked
        near = unvisited.intersection((place - row_length, place - 1, place + 1, place + row_length))
        unvisited -= near
        component += near
    return component


def _dilate(blocks: Blocks) -> Blocks:
    """Add the 8 neighbours of every block."""
    dilated: Blocks = sliding_window_view(np.pad(blocks, 1), (3, 3)).max(axis=(-2, -1))
    return dilated
