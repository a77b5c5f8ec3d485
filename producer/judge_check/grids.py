"""The check of a judge as grids of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from db.categories import with_alias
from producer.judge_check.schema import (
    Accuracy,
    Agreement,
    Ceiling,
    CheckedDimension,
    Consistency,
    JudgeCheck,
    OrderEffects,
    PreferenceAgreement,
)
from producer.report.grid import NOTHING, Grid, chance, number, percentage, span
from producer.report.schema import OVERALL, Interval
from producer.words import counted


def heading(check: JudgeCheck) -> list[str]:
    """Return what it begins with, line by line."""
    runs = ", ".join(f"{run.run} ({run.name})" for run in check.runs)
    lines = [f"judges of {'run' if len(check.runs) == 1 else 'runs'} {runs}  benchmark {check.runs[0].benchmark}"]
    lines += [f"PARTIAL: of {run.name} {run.missing}" for run in check.runs if run.missing is not None]
    if check.human is not None:
        human = check.human
        counts = {"rating": human.ratings, "preference": human.preferences, "rater": human.raters}
        lines.append("people: " + ", ".join(counted(count, name) for name, count in counts.items() if count))
    return lines + [f"note: {note}" for note in check.notes]


def grids(check: JudgeCheck, *, wide: bool = True) -> Iterator[Grid]:
    """Yield the tables; `wide` ones have all numbers, others those that fit 80 columns."""
    for dimension in check.scorers:
        if dimension.overall is not None:
            yield _correlations(dimension, dimension.overall, wide)
            yield _accuracies(dimension, dimension.overall, wide)
        if dimension.preferences is not None:
            yield _preferences(dimension, dimension.preferences)
    repeated = [(one, one.consistency) for one in check.scorers if one.consistency is not None]
    if repeated:
        yield _consistency(repeated)
        if any(found.compared for _, found in repeated):
            yield _worth_of_repeats(repeated)
    if check.ceilings:
        yield _ceilings(check.ceilings)
    if check.order_effects:
        yield _order(check.order_effects)
        yield _both_orders(check.order_effects)
        if any(one.accuracy is not None for one in check.order_effects):
            yield _order_accuracy(check.order_effects)


def closing(check: JudgeCheck) -> str:
    """Return how the numbers were found."""
    return f"95 % CI: {check.method.interval}"


def _title(dimension: CheckedDimension) -> str:
    return f"scorer {dimension.scorer}" + ("" if dimension.dimension == OVERALL else f", {dimension.dimension}")


# -- ratings -----------------------------------------------------------------------------------------------------------


def _correlations(dimension: CheckedDimension, overall: Agreement, wide: bool) -> Grid:
    def cells(one: Agreement) -> list[str]:
        counts = [one.rated_not_scored, one.scored_not_rated, one.images] if wide else []
        numbers = [f"{count:,}" for count in (one.n, *counts)]
        figures = (one.spearman, one.kendall)
        return [*numbers, *(text for figure in figures for text in (number(figure.value), span(figure.ci)))]

    counts = ["n", *(["rated only", "scored only", "images"] if wide else [])]
    return Grid(
        title=f"{_title(dimension)}: correlation with people's ratings",
        columns=["category", *counts, "Spearman", "95 % CI", "tau-b", "95 % CI"],
        rows=[[with_alias(one.category or ""), *cells(one)] for one in dimension.categories],
        footers=[["all", *cells(overall)]],
        notes=[
            f"n: edits rated and scored; not scored, though rated: {overall.rated_not_scored:,}; not rated, though "
            f"scored: {overall.scored_not_rated:,}",
            "1: the same order as people's mean rating, 0: no relation, -1: the reverse; over all it also holds what "
            "sets categories apart",
        ],
    )


def _accuracies(dimension: CheckedDimension, overall: Agreement, wide: bool) -> Grid:
    def cells(one: Agreement) -> list[str]:
        return [*_accuracy(one.same_sample, wide), *_accuracy(one.same_category, wide)]

    figures = [*(["its ties"] if wide else []), "right", "95 % CI"]
    return Grid(
        title=f"{_title(dimension)}: pairwise accuracy",
        columns=["category", "in sample", *figures, "in category", *figures],
        rows=[[with_alias(one.category or ""), *cells(one)] for one in dimension.categories],
        footers=[["all", *cells(overall)]],
        notes=[
            "of the pairs of edits that people rated differently, the share in the same order; its ties count half",
            "in sample: pairs of edits of one sample (editors, repeats); in category: all pairs of one category",
            "50 % is chance; pairs in a category are also told apart by how hard their samples are",
        ],
    )


def _preferences(dimension: CheckedDimension, overall: PreferenceAgreement) -> Grid:
    def cells(one: PreferenceAgreement) -> list[str]:
        return [*_accuracy(one.accuracy, True), f"{one.not_scored:,}", f"{one.human_ties:,}"]

    return Grid(
        title=f"{_title(dimension)}: people's preferences",
        columns=["category", "pairs", "its ties", "right", "95 % CI", "not scored", "people's ties"],
        rows=[[with_alias(one.category or ""), *cells(one)] for one in dimension.preferences_by_category],
        footers=[["all", *cells(overall)]],
        notes=["the share of preferences in which the better edit has the higher score, a tie of the scorer half"],
    )


def _accuracy(one: Accuracy | None, wide: bool) -> list[str]:
    if one is None:
        return [NOTHING] * (4 if wide else 3)
    ties = [f"{one.scorer_ties:,}"] if wide else []
    return [f"{one.pairs:,}", *ties, percentage(one.value), _shares(one.ci, digits=1 if wide else 0)]


# -- repeats and people ------------------------------------------------------------------------------------------------


def _consistency(repeated: Sequence[tuple[CheckedDimension, Consistency]]) -> Grid:
    rows = [
        [
            *(one.scorer, one.dimension, f"{found.edits:,}", number(found.sd)),
            *(f"{found.pairs:,}", percentage(found.equal), number(found.alpha)),
        ]
        for one, found in repeated
    ]
    return Grid(
        "judged again: the same edit, asked several times",
        ["scorer", "dimension", "edits", "sd", "pairs", "equal", "alpha"],
        rows,
        notes=[
            "sd: within an edit, on the scorer's scale; equal: pairs of repeats with exactly the same score",
            "alpha: Krippendorff's, 1 where all repeats agree, 0 where they do no more than by chance",
        ],
        texts=2,
    )


def _worth_of_repeats(repeated: Sequence[tuple[CheckedDimension, Consistency]]) -> Grid:
    rows = [
        [
            *(one.scorer, one.dimension, f"{found.compared:,}"),
            *(percentage(found.one_same_sample), percentage(found.mean_same_sample)),
            *(percentage(found.one_same_category), percentage(found.mean_same_category)),
        ]
        for one, found in repeated
    ]
    return Grid(
        "what repeats are worth: pairwise accuracy of one repeat, and of their mean",
        ["scorer", "dimension", "edits", "one: sample", "mean", "one: category", "mean"],
        rows,
        notes=[
            "of the rated edits with a score in every repeat; one: the mean over the repeats of each one's accuracy"
        ],
        texts=2,
    )


def _ceilings(ceilings: Sequence[Ceiling]) -> Grid:
    rows = [
        [
            *(one.dimension, "all" if one.category is None else with_alias(one.category)),
            *(f"{count:,}" for count in (one.raters, one.rated, one.shared)),
            *(number(one.leave_one_out), number(one.alpha)),
        ]
        for one in ceilings
    ]
    return Grid(
        "people among themselves: what one more person would reach",
        ["dimension", "category", "raters", "edits", "shared", "one to others", "alpha"],
        rows,
        notes=[
            "one to others: Spearman of a rater with the mean of all others, mean over raters; a scorer's is with the "
            "mean of all, and so may be somewhat higher",
            "alpha: Krippendorff's, interval data; both are of the edits that two people at least have rated (shared)",
        ],
        texts=2,
    )


# -- order -------------------------------------------------------------------------------------------------------------


def _order(effects: Sequence[OrderEffects]) -> Grid:
    rows = [
        [
            *(_judge(one), f"{one.verdicts:,}", f"{one.ties:,}"),
            *(percentage(one.preferred_first.share), _shares(one.preferred_first.ci), chance(one.p)),
        ]
        for one in effects
    ]
    return Grid(
        "pairs: preferred what was shown first",
        ["judge", "verdicts", "ties", "first", "95 % CI", "p"],
        rows,
        notes=[
            "first: of the verdicts that are no tie; 50 % is no bias, where each pair was shown both ways or at random",
            "p: of so far from 50 % by chance, if verdicts are independent; where they share images it is too small",
        ],
    )


def _both_orders(effects: Sequence[OrderEffects]) -> Grid:
    rows = [
        [
            *(_judge(one), f"{one.both_orders:,}", percentage(one.kept.share), _shares(one.kept.ci)),
            *(percentage(share.share) for share in (one.followed_first, one.followed_second, one.tied)),
        ]
        for one in effects
    ]
    return Grid(
        "pairs judged in both orders",
        ["judge", "pairs", "kept", "95 % CI", "first twice", "second twice", "tied"],
        rows,
        notes=[
            "kept: the same winner in both orders; first twice, second twice: it followed the place; tied: a tie in any"
        ],
    )


def _order_accuracy(effects: Sequence[OrderEffects]) -> Grid:
    rows = [[_judge(one), *_accuracy(one.accuracy, False), *_accuracy(one.accuracy_kept, False)] for one in effects]
    return Grid(
        "pairs: accuracy against people",
        ["judge", "verdicts", "right", "95 % CI", "kept pairs", "right", "95 % CI"],
        rows,
        notes=["against most of the preferences for a pair, else the order of its ratings; a tie of the judge is half"],
    )


def _judge(one: OrderEffects) -> str:
    return one.judge or "(not named)"


def _shares(ci: Interval | None, *, digits: int = 1) -> str:
    return NOTHING if ci is None else f"{100 * ci.low:.{digits}f}–{ci.high:.{digits}%}"
