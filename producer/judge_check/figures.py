"""How far a scorer agrees with people: correlations and accuracies with their intervals, overall and by category."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from db.categories import ENGLISH_ALIASES
from producer.judge_check.edits import Edits
from producer.judge_check.human import Preferences
from producer.judge_check.schema import Accuracy, Agreement, Estimate, PreferenceAgreement
from producer.report.schema import Interval
from producer.statistics.agreement import spearman
from producer.statistics.bootstrap import (
    Indices,
    interval,
    numbered_by_stratum,
    ratio,
    resampled_totals,
    totals_by_image,
)
from producer.statistics.concordance import WITHIN_COLUMNS, Pairs, pairs_of, pairs_within
from producer.statistics.rank_bootstrap import Replicates, accuracy_of, rank_replicates
from producer.statistics.summary import Numbers

_NO_PAIRS = Pairs(0, 0, 0, 0)


@dataclass(frozen=True)
class Held:
    """Scores and ratings held against each other, by edit; NaN where an edit has none."""

    edits: Edits
    scores: Numbers
    ratings: Numbers

    @property
    def both(self) -> NDArray[np.bool_]:
        """Which edits have a score and a rating."""
        return ~np.isnan(self.scores) & ~np.isnan(self.ratings)


# -- ratings -----------------------------------------------------------------------------------------------------------


def agreement(held: Held) -> tuple[Agreement, list[Agreement]]:
    """Return how far scores and ratings agree: over all edits, and in each category. All intervals share resamples."""
    edits, place = held.edits, np.flatnonzero(held.both)
    scores, ratings = held.scores[place], held.ratings[place]
    category = edits.category[place]
    image, strata = numbered_by_stratum(edits.image[place], category, len(edits.categories))
    groups = [category == number for number in range(len(edits.categories))]
    everything = np.ones(place.size, dtype=bool)
    ranks = rank_replicates(scores, ratings, image, strata, [*groups, everything])
    pairs = [pairs_of(scores[where], ratings[where]) for where in groups]
    within = _Counted.of(pairs_within(scores, ratings, edits.sample[place]), image, category, strata)
    by_category = [
        _agreement(
            held,
            name,
            ranks[number],
            _same_category(pairs[number], ranks[number : number + 1]),
            within.of_group(number),
        )
        for number, name in enumerate(edits.categories)
    ]
    same_category = _same_category(sum(pairs, start=_NO_PAIRS), ranks[:-1])
    return _agreement(held, None, ranks[-1], same_category, within.of_all()), by_category


@dataclass(frozen=True)
class _Measured:
    """An accuracy, with its replicates."""

    value: float | None
    pairs: int
    scorer_ties: int
    replicates: Numbers

    def accuracy(self, images: int) -> Accuracy:
        found = interval(self.replicates) if images > 1 and self.pairs else None
        return Accuracy(value=self.value, ci=Interval.of(found), pairs=self.pairs, scorer_ties=self.scorer_ties)


def _agreement(
    held: Held, category: str | None, ranks: Replicates, same_category: _Measured, same_sample: _Measured
) -> Agreement:
    """Return the figures of a category, or of all."""
    edits = held.edits
    here = edits.category == edits.categories.index(category) if category else np.ones(edits.category.size, dtype=bool)
    is_scored, is_rated, both = ~np.isnan(held.scores), ~np.isnan(held.ratings), held.both & here
    scores, ratings = held.scores[both], held.ratings[both]
    images = np.unique(edits.image[both]).size
    return Agreement(
        category=category,
        alias=ENGLISH_ALIASES.get(category or ""),
        n=int(both.sum()),
        rated_not_scored=int((is_rated & ~is_scored & here).sum()),
        scored_not_rated=int((is_scored & ~is_rated & here).sum()),
        images=images,
        spearman=_estimate(spearman(scores, ratings), ranks.spearman, images),
        kendall=_estimate(pairs_of(scores, ratings).tau_b, ranks.kendall, images),
        same_sample=same_sample.accuracy(images),
        same_category=same_category.accuracy(images),
    )


def _estimate(value: float | None, replicates: Numbers, images: int) -> Estimate:
    found = interval(replicates) if images > 1 and value is not None else None
    return Estimate(value=value, ci=Interval.of(found))


def _same_category(pairs: Pairs, ranks: Sequence[Replicates]) -> _Measured:
    """Return the accuracy over all pairs of one category, or of several, each pair in its own."""
    net = np.nansum([one.net for one in ranks], axis=0)
    truth_differs = np.nansum([one.truth_differs for one in ranks], axis=0)
    return _Measured(pairs.accuracy, pairs.truth_differs, pairs.undecided, accuracy_of(net, truth_differs))


@dataclass(frozen=True)
class _Counted:
    """Pairs within samples by category: what they come to, and in each resample: (resamples, categories, columns)."""

    totals: Numbers
    replicates: Numbers

    @classmethod
    def of(cls, counted: Numbers, image: Indices, category: Indices, strata: Sequence[int]) -> _Counted:
        where = [category == number for number in range(len(strata))]
        groups = [totals_by_image(image[here], counted[here]) for here in where]
        totals = np.array([group.totals.sum(axis=0) for group in groups]).reshape(-1, WITHIN_COLUMNS)
        return cls(totals, resampled_totals(groups, strata))

    def of_group(self, number: int) -> _Measured:
        return _measured(self.totals[number], self.replicates[:, number])

    def of_all(self) -> _Measured:
        return _measured(self.totals.sum(axis=0), self.replicates.sum(axis=1))


def _measured(totals: Numbers, replicates: Numbers) -> _Measured:
    pairs, right, ties = totals.tolist()
    return _Measured(right / pairs if pairs else None, int(pairs), int(ties), ratio(replicates[:, 1], replicates[:, 0]))


# -- preferences -------------------------------------------------------------------------------------------------------


def preference_agreement(
    edits: Edits, scores: Numbers, preferences: Preferences
) -> tuple[PreferenceAgreement, list[PreferenceAgreement]]:
    """Return how often the scorer prefers what people do: over all preferences, and in each category."""
    decided = preferences.decided()
    better, worse = scores[decided.better], scores[decided.worse]
    known = ~np.isnan(better) & ~np.isnan(worse)
    accuracies = verdict_accuracy(edits, decided.better[known], np.sign(better[known] - worse[known]))
    missing, tied = decided.better[~known], preferences.better[preferences.is_tie]
    names = [None, *edits.categories]
    found = []
    for name, accuracy in zip(names, accuracies, strict=True):
        here = (
            np.ones(edits.category.size, dtype=bool) if name is None else edits.category == edits.categories.index(name)
        )
        found.append(
            PreferenceAgreement(
                category=name,
                alias=ENGLISH_ALIASES.get(name or ""),
                accuracy=accuracy,
                not_scored=int(here[missing].sum()),
                human_ties=int(here[tied].sum()),
            )
        )
    return found[0], found[1:]


def verdict_accuracy(edits: Edits, place: Indices, said: Numbers) -> list[Accuracy]:
    """Return the share of verdicts that are right, over all and in each category.

    Each is about the edit at `place` and another one; `said` is 1 where it is right, -1 where it is wrong, 0 for a tie.
    """
    category = edits.category[place]
    image, strata = numbered_by_stratum(edits.image[place], category, len(edits.categories))
    counted = _Counted.of(np.column_stack([np.ones(place.size), (1 + said) / 2, said == 0]), image, category, strata)
    measured = [counted.of_all(), *(counted.of_group(number) for number in range(len(edits.categories)))]
    where = [np.ones(place.size, dtype=bool), *(category == number for number in range(len(edits.categories)))]
    return [one.accuracy(np.unique(image[here]).size) for one, here in zip(measured, where, strict=True)]
