"""How far a judge agrees with itself, asked about the same edit several times, and what asking again is worth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from producer.judge_check.edits import Edits
from producer.judge_check.schema import Consistency
from producer.judge_check.scores import averaged
from producer.statistics.agreement import equal_pairs, krippendorff_alpha
from producer.statistics.concordance import Pairs, pairs_of, pairs_within
from producer.statistics.summary import Numbers, pooled_deviation


def consistency(edits: Edits, repeats: Numbers, ratings: Numbers | None) -> Consistency | None:
    """Return what the judge repeats (repeats, edits) say, the accuracies against the ratings; None without repeats.

    The accuracy of one repeat and of their mean are of the same edits: those that are rated and have every repeat.
    """
    sd, groups = pooled_deviation(repeats)
    if not groups:
        return None
    pairs, equal = equal_pairs(repeats)
    whole = np.isnan(repeats).sum(axis=0) == 0
    compared = whole & ~np.isnan(ratings) if ratings is not None else np.zeros(whole.size, dtype=bool)
    truth = ratings[compared] if ratings is not None else np.zeros(0)
    single = [_accuracies(edits, row, truth, compared) for row in repeats[:, compared]]
    mean = _accuracies(edits, averaged(repeats[:, compared]), truth, compared)
    return Consistency(
        edits=groups,
        sd=sd,
        pairs=pairs,
        equal=equal / pairs,
        alpha=krippendorff_alpha(repeats),
        repeats=len(repeats),
        compared=int(compared.sum()),
        one_same_sample=_mean([of_sample for of_sample, _ in single]),
        mean_same_sample=mean[0],
        one_same_category=_mean([of_category for _, of_category in single]),
        mean_same_category=mean[1],
    )


def _accuracies(
    edits: Edits, scores: Numbers, ratings: Numbers, where: NDArray[np.bool_]
) -> tuple[float | None, float | None]:
    """Return the accuracy over pairs of the same sample and of the same category."""
    within, right, _ = pairs_within(scores, ratings, edits.sample[where]).sum(axis=0).tolist()
    all_pairs = Pairs(0, 0, 0, 0)
    for number in range(len(edits.categories)):
        here = edits.category[where] == number
        all_pairs += pairs_of(scores[here], ratings[here])
    return right / within if within else None, all_pairs.accuracy


def _mean(values: list[float | None]) -> float | None:
    """Return the mean; the pairs are the same in all repeats, so all have a value or none has."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
