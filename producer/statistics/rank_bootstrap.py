"""Resamples of rank correlations and of the accuracy over all pairs: source images are drawn, as for means.

In a resample an image counts as often as it was drawn, and so does all that is of it: a pair of things counts the
product of both. A thing and its own copy are a tie in both rows, and so no pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from producer.statistics.bootstrap import RESAMPLES, Indices, drawn_in_chunks
from producer.statistics.concordance import net_concordance
from producer.statistics.summary import Numbers

EXACT_UP_TO = 500
"""Of so many images, pairs are counted anew in each resample; of more, to the first order (see `_FirstOrder`)."""

METHOD = f"pairs of more than {EXACT_UP_TO:,} images counted to the first order"

_AT_ONCE = 2_000_000


@dataclass(frozen=True)
class Replicates:
    """A figure for each resample, NaN where it has none there. `net` and `truth_differs` count pairs, each twice."""

    spearman: Numbers
    kendall: Numbers
    net: Numbers
    truth_differs: Numbers

    @property
    def accuracy(self) -> Numbers:
        """The accuracy over all pairs, as `Pairs` has it."""
        return accuracy_of(self.net, self.truth_differs)


def accuracy_of(net: Numbers, truth_differs: Numbers) -> Numbers:
    """Return the accuracies of so many pairs."""
    return (1 + _divided(net, truth_differs)) / 2


def rank_replicates(
    first: Numbers, truth: Numbers, image: Indices, strata: Sequence[int], groups: Sequence[NDArray[np.bool_]]
) -> list[Replicates]:
    """Return the replicates of each group of things: those `groups` says, of which each has another (a category, all).

    `image` and `strata` are as for `resampled_totals`, and the same images are drawn.
    """
    prepared = [_Group.of(first[where], truth[where], image[where]) for where in groups]
    found = np.full((len(groups), 4, RESAMPLES), np.nan)
    for chunk, drawn in drawn_in_chunks(strata, width=first.size):
        for number, group in enumerate(prepared):
            found[number, :, chunk] = group.replicates(drawn[:, group.images]).T
    return [Replicates(*of_group) for of_group in found]


@dataclass(frozen=True)
class _Group:
    """Things whose images have numbers from 0 by `image`; `images` are these images among all."""

    images: Indices
    image: Indices
    ranked: tuple[_Levels, _Levels]
    pairs: _EveryPair | _FirstOrder

    @classmethod
    def of(cls, first: Numbers, truth: Numbers, image: Indices) -> _Group:
        images, place = np.unique(image, return_inverse=True)
        count = _EveryPair if images.size <= EXACT_UP_TO else _FirstOrder
        return cls(images, place, (_Levels.of(first), _Levels.of(truth)), count.of(first, truth, place, images.size))

    def replicates(self, drawn: Numbers) -> Numbers:
        """Return (resamples, figures) of how often each image was drawn in each resample."""
        net, first_differs, truth_differs = self.pairs.counted(drawn)
        kendall = _divided(net, np.sqrt(np.maximum(first_differs, 0) * np.maximum(truth_differs, 0)))
        spearman = _weighted_spearman(*self.ranked, drawn[:, self.image])
        return np.stack([spearman, kendall, net, truth_differs], axis=1)


# -- Spearman's correlation --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Levels:
    """A row of numbers by its levels: `order` sorts it, each level begins at `starts`, `level` has each thing's."""

    order: Indices
    starts: Indices
    level: Indices

    @classmethod
    def of(cls, values: Numbers) -> _Levels:
        order = np.argsort(values, kind="stable")
        _, starts, level = np.unique(values[order], return_index=True, return_inverse=True)
        of_thing = np.empty_like(level)
        of_thing[order] = level
        return cls(order, starts, of_thing)

    def centred_ranks(self, weights: Numbers) -> tuple[Numbers, Numbers]:
        """Return the ranks of the levels less their mean, ties given their mean rank, and the squares added up.

        (resamples, levels) and (resamples,)
        """
        counts = np.add.reduceat(weights[:, self.order], self.starts, axis=1)
        last = np.cumsum(counts, axis=1)
        ranks = last - counts / 2 - last[:, -1:] / 2
        return ranks, np.einsum("rl,rl,rl->r", counts, ranks, ranks)


def _weighted_spearman(first: _Levels, truth: _Levels, weights: Numbers) -> Numbers:
    """Return the rank correlation in each resample; `weights` are (resamples, things)."""
    if not first.order.size:
        return np.full(len(weights), np.nan)
    (ours, our_square), (theirs, their_square) = (levels.centred_ranks(weights) for levels in (first, truth))
    products = np.einsum("rt,rt,rt->r", weights, ours[:, first.level], theirs[:, truth.level])
    return np.clip(_divided(products, np.sqrt(our_square * their_square)), -1, 1)


# -- pairs -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _EveryPair:
    """What the pairs of each two images come to: (3, images, images); a resample's counts are w' M w, exactly."""

    between: Numbers

    @classmethod
    def of(cls, first: Numbers, truth: Numbers, image: Indices, images: int) -> _EveryPair:
        order = np.argsort(image, kind="stable")
        first, truth, image = first[order], truth[order], image[order]
        starts = np.unique(image, return_index=True)[1]
        between = np.zeros((3, images, images))
        size = max(1, _AT_ONCE // max(1, image.size))
        for start in range(0, image.size, size):
            rows = slice(start, start + size)
            ours = np.sign(first[rows, None] - first[None, :])
            theirs = np.sign(truth[rows, None] - truth[None, :])
            for count, of_pair in zip(between, (ours * theirs, np.abs(ours), np.abs(theirs)), strict=True):
                np.add.at(count, image[rows], np.add.reduceat(of_pair, starts, axis=1))
        return cls(between)

    def counted(self, drawn: Numbers) -> Numbers:
        """Return the pairs in each resample: (3, resamples), each pair twice."""
        return np.stack([np.einsum("ri,ri->r", drawn @ count, drawn) for count in self.between])


@dataclass(frozen=True)
class _FirstOrder:
    """What the pairs of each image with all others come to: (images, 3).

    Of many images the products of how often two were drawn are left at their first order: a resample's count is the
    whole count, and twice the sum of each image's pairs times how much oftener than once it was drawn. That is the
    projection of a U-statistic (W. Hoeffding, Annals of Mathematical Statistics 19, 1948, 293-325); what it leaves out
    is less than the interval's width by the root of the number of images.
    """

    of_image: Numbers

    @classmethod
    def of(cls, first: Numbers, truth: Numbers, image: Indices, images: int) -> _FirstOrder:
        columns = [net_concordance(first, truth), _differing(first), _differing(truth)]
        return cls(np.stack([np.bincount(image, column, images) for column in columns], axis=1))

    def counted(self, drawn: Numbers) -> Numbers:
        """Return the pairs in each resample: (3, resamples), each pair twice."""
        counted: Numbers = self.of_image.sum(axis=0) + 2 * (drawn - 1) @ self.of_image
        return counted.T


def _differing(values: Numbers) -> Indices:
    """Return for each thing how many others differ from it."""
    _, level, counts = np.unique(values, return_inverse=True, return_counts=True)
    differing: Indices = values.size - counts[level]
    return differing


def _divided(numerator: Numbers, denominator: Numbers) -> Numbers:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(denominator > 0, numerator / denominator, np.nan)
