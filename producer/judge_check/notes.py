"""What limits the check of a judge: too little, too coarse, or not alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from db.queries import Run
from producer.comparison.notes import judging_notes
from producer.judge_check.schema import CheckedDimension, JudgeCheck
from producer.report.schema import OVERALL
from producer.words import counted

FEW = 30
"""Of fewer edits or pairs, figures are hardly more than anecdotes."""

FEW_LEVELS = 5


def notes_of(check: JudgeCheck, runs: Sequence[Run], names: Mapping[str, str]) -> Iterator[str]:
    """Yield them, a line each; `names` calls the runs."""
    configurations = {names[run.id]: run.configuration for run in runs}
    yield from judging_notes(configurations)
    for label in dict.fromkeys(one.scorer for one in check.scorers):
        without = [name for name, one in configurations.items() if label not in _scorers(one)]
        if without:
            yield f"scorer {label}: {', '.join(without)} has none of that name, and so no scores for the ratings"
    for one in check.scorers:
        yield from _of_dimension(one)
    held = {one.dimension for one in check.scorers if one.overall is not None}
    for ceiling in check.ceilings:
        if ceiling.category is None and ceiling.dimension not in held:
            yield f"ratings of {ceiling.dimension} are held against nothing: none of these scorers gives it"
        if ceiling.category is None and ceiling.levels <= FEW_LEVELS:
            what = f"ratings of {ceiling.dimension} have {counted(ceiling.levels, 'level')}"
            yield f"{what}: many edits tie, pairs of which are left out, and correlations are lower for it"
    for effects in check.order_effects:
        judge = f" of judge {effects.judge}" if effects.judge else ""
        if not effects.both_orders:
            yield f"no pair{judge} was judged in both orders: whether a verdict keeps is not known"
        elif effects.both_orders < FEW:
            yield f"judged in both orders{judge}: only {counted(effects.both_orders, 'pair')}"


def _of_dimension(one: CheckedDimension) -> Iterator[str]:
    which = f"scorer {one.scorer}" + ("" if one.dimension == OVERALL else f", {one.dimension}")
    if one.overall is not None:
        if one.overall.images < 2:
            yield f"{which}: what is rated and scored has fewer than two source images: there are no intervals"
        elif one.overall.n < FEW:
            yield f"{which}: only {counted(one.overall.n, 'edit')} rated and scored"
        elif 0 < one.overall.same_sample.pairs < FEW:
            yield f"{which}: only {counted(one.overall.same_sample.pairs, 'pair')} of the same sample"
    if one.preferences is not None and one.preferences.accuracy.pairs < FEW:
        yield f"{which}: only {counted(one.preferences.accuracy.pairs, 'preference')} of edits that are scored"


def _scorers(configuration: Mapping[str, object]) -> list[str]:
    scorers = configuration["scorers"]
    assert isinstance(scorers, Sequence)  # so it was resolved
    return [scorer["label"] for scorer in scorers]
