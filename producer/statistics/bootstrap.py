"""Confidence intervals of means by resampling source images: all numbers that share an image move together.

The percentile bootstrap over clusters (Davison & Hinkley, Bootstrap Methods and their Application, 1997, sections 3.8
and 5.3.1): of G images G are drawn with replacement, and every mean is taken anew over the rows of those drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from producer.statistics.summary import Numbers

LEVEL = 0.95
RESAMPLES = 2000
SEED = 0

METHOD = f"percentile bootstrap over source images within categories, {RESAMPLES:,} resamples, seed {SEED}"

USABLE = 0.9
"""An interval needs so much of the resamples: one of the few that happened to have something says nothing."""

_AT_ONCE = 2_000_000
"""So many weights are held at a time."""

Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Totals:
    """What a group of rows (a category) adds up to, image by image.

    `images`: which images it has, of those resampled, each once. `totals`: (images, columns), a column for each sum or
    count that means are made of.
    """

    images: Indices
    totals: Numbers


def totals_by_image(image_of_row: Indices, rows: Numbers) -> Totals:
    """Add up rows of (rows, columns) that share an image."""
    images, starts = np.unique(np.sort(image_of_row), return_index=True)
    if not images.size:
        return Totals(images, np.zeros((0, rows.shape[1])))
    return Totals(images, np.add.reduceat(rows[np.argsort(image_of_row, kind="stable")], starts, axis=0))


def resampled_totals(
    groups: Sequence[Totals], strata: Sequence[int], *, resamples: int = RESAMPLES, seed: int = SEED
) -> Numbers:
    """Return what each group adds up to in each resample of the images: (resamples, groups, columns).

    `strata` says how many images belong together, which are numbered stratum by stratum; from each as many are drawn as
    it has. The same seed and strata draw the same images, whatever the groups are. Images that are numbered group by
    group are added up faster.
    """
    if not groups:
        return np.zeros((resamples, 0, 0))
    columns = groups[0].totals.shape[1]
    totals = np.zeros((resamples, len(groups), columns))
    for chunk, drawn in drawn_in_chunks(strata, resamples=resamples, seed=seed):
        for number, group in enumerate(groups):
            totals[chunk, number] = drawn[:, _as_slice(group.images)] @ group.totals
    return totals


def drawn_in_chunks(
    strata: Sequence[int], *, resamples: int = RESAMPLES, seed: int = SEED, width: int = 0
) -> Iterator[tuple[slice, Numbers]]:
    """Yield which resamples these are, and how often each image was drawn in them: (some resamples, images).

    So many at a time that (some resamples, `width`) numbers are held with ease; that changes nothing of what is drawn.
    """
    generator = np.random.default_rng(seed)
    size = max(1, _AT_ONCE // max(1, width, sum(strata)))
    for start in range(0, resamples, size):
        count = min(size, resamples - start)
        yield slice(start, start + count), _drawn(generator, strata, count)


def numbered_by_stratum(image_of_row: Indices, stratum_of_row: Indices, strata: int) -> tuple[Indices, list[int]]:
    """Return the source image of each row under another number, and how many images each stratum has.

    They are numbered stratum by stratum (category by category), each by the first that it is in.
    """
    _, first_rows, place = np.unique(image_of_row, return_index=True, return_inverse=True)
    order = np.argsort(stratum_of_row[first_rows], kind="stable")
    numbers = np.empty_like(order)
    numbers[order] = np.arange(order.size)
    return numbers[place], np.bincount(stratum_of_row[first_rows], minlength=strata).tolist()


def _as_slice(images: Indices) -> Indices | slice:
    """Return ascending numbers as a slice where they have no gap: then nothing is copied."""
    if images.size and images[-1] - images[0] + 1 == images.size:
        return slice(int(images[0]), int(images[-1]) + 1)
    return images


def _drawn(generator: np.random.Generator, strata: Sequence[int], resamples: int) -> Numbers:
    """Return how often each image was drawn, in each resample: (resamples, images)."""
    ends = np.cumsum(strata, dtype=np.intp)
    drawn = np.zeros((resamples, int(ends[-1]) if ends.size else 0))
    for row in drawn:
        for size, end in zip(strata, ends, strict=True):
            if size:
                places = generator.integers(0, size, size, dtype=np.int32)
                row[end - size : end] = np.bincount(places, minlength=size)
    return drawn


def interval(replicates: Numbers, *, level: float = LEVEL) -> tuple[float, float] | None:
    """Return the interval that leaves out equally much of the replicates on either side; None where none is a number.

    A replicate that is NaN had nothing to take a mean over: it is left out, and of too many such there is no interval.
    """
    known = replicates[~np.isnan(replicates)]
    if not known.size or known.size < USABLE * replicates.size:
        return None
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def ratio(sums: Numbers, counts: Numbers) -> Numbers:
    """Return means from sums and counts, NaN where there is nothing to take one over."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(counts > 0, sums / counts, np.nan)


def mean_interval(values: Numbers, image: Indices, stratum: Indices) -> tuple[float, float] | None:
    """Return the interval of the mean of these numbers, each of an image and a stratum; None for fewer than two images.

    All numbers of an image move together; images are drawn within their strata.
    """
    if np.unique(image).size < 2:
        return None
    place, strata = numbered_by_stratum(image, stratum, int(stratum.max(initial=0)) + 1)
    rows = np.column_stack([values, np.ones_like(values)])
    replicates = resampled_totals([totals_by_image(place, rows)], strata)[:, 0]
    return interval(ratio(replicates[:, 0], replicates[:, 1]))
