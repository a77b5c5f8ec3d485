"""The check of a judge as CSV: a row for each figure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from producer.judge_check.schema import (
    Accuracy,
    Agreement,
    Ceiling,
    CheckedDimension,
    Consistency,
    Estimate,
    JudgeCheck,
    OrderEffects,
    PreferenceAgreement,
    Share,
)
from producer.report.csv_file import as_csv, interval_cells

_COLUMNS = (
    *("about", "scorer", "dimension", "judge", "group", "category", "alias"),
    *("figure", "value", "ci_low", "ci_high", "n"),
)

_Rows = Iterator[dict[str, Any]]


def check_as_csv(check: JudgeCheck) -> str:
    """Return the check as CSV (RFC 4180); what is not defined is empty. `n` counts the edits or pairs of a figure."""
    return as_csv(_COLUMNS, _rows(check))


def _rows(check: JudgeCheck) -> _Rows:
    for dimension in check.scorers:
        place = {"scorer": dimension.scorer, "dimension": dimension.dimension}
        for row in _of_dimension(dimension):
            yield {**place, **row}
    for ceiling in check.ceilings:
        yield from _of_ceiling(ceiling)
    for effects in check.order_effects:
        for row in _of_order(effects):
            yield {"about": "order", "judge": effects.judge, **row}


def _of_dimension(dimension: CheckedDimension) -> _Rows:
    for agreement in [*dimension.categories, *([dimension.overall] if dimension.overall else [])]:
        yield from _of_agreement(agreement)
    preferences = [*dimension.preferences_by_category, *([dimension.preferences] if dimension.preferences else [])]
    for one in preferences:
        yield from _of_preferences(one)
    if dimension.consistency is not None:
        yield from _of_consistency(dimension.consistency)


def _of_agreement(one: Agreement) -> _Rows:
    place = {"about": "ratings", **_group(one.category, one.alias)}
    for name in ("n", "rated_not_scored", "scored_not_rated", "images"):
        yield {**place, "figure": name, "value": getattr(one, name)}
    for name, estimate in (("spearman", one.spearman), ("kendall", one.kendall)):
        yield {**place, **_estimate(name, estimate, one.n)}
    for name, accuracy in (("same_sample", one.same_sample), ("same_category", one.same_category)):
        yield from _accuracy(place, name, accuracy)


def _of_preferences(one: PreferenceAgreement) -> _Rows:
    place = {"about": "preferences", **_group(one.category, one.alias)}
    yield from _accuracy(place, "accuracy", one.accuracy)
    for name in ("not_scored", "human_ties"):
        yield {**place, "figure": name, "value": getattr(one, name)}


def _of_consistency(one: Consistency) -> _Rows:
    over = {"sd": one.edits, "equal": one.pairs, "alpha": one.edits}
    for name, value in one.model_dump(exclude={"edits", "pairs", "compared", "repeats"}).items():
        yield {"about": "repeats", "group": "all", "figure": name, "value": value, "n": over.get(name, one.compared)}


def _of_ceiling(one: Ceiling) -> _Rows:
    place = {"about": "people", "dimension": one.dimension, **_group(one.category, one.alias)}
    for name in ("ratings", "rated", "levels", "raters"):
        yield {**place, "figure": name, "value": getattr(one, name)}
    for name in ("leave_one_out", "alpha"):
        yield {**place, "figure": name, "value": getattr(one, name), "n": one.shared}


def _of_order(one: OrderEffects) -> _Rows:
    place = {"group": "all"}
    for name in ("verdicts", "ties", "p", "both_orders"):
        yield {**place, "figure": name, "value": getattr(one, name)}
    for name in ("preferred_first", "kept", "followed_first", "followed_second", "tied"):
        share: Share = getattr(one, name)
        yield {**place, "figure": name, "value": share.share, **interval_cells(share.ci), "n": share.of}
    for name, accuracy in (("accuracy", one.accuracy), ("accuracy_kept", one.accuracy_kept)):
        if accuracy is not None:
            yield from _accuracy(place, name, accuracy)


def _accuracy(place: dict[str, Any], name: str, one: Accuracy) -> _Rows:
    yield {**place, "figure": name, "value": one.value, **interval_cells(one.ci), "n": one.pairs}
    yield {**place, "figure": f"{name}_scorer_ties", "value": one.scorer_ties, "n": one.pairs}


def _estimate(name: str, one: Estimate, count: int) -> dict[str, Any]:
    return {"figure": name, "value": one.value, **interval_cells(one.ci), "n": count}


def _group(category: str | None, alias: str | None) -> dict[str, str | None]:
    return {"group": "all" if category is None else "category", "category": category, "alias": alias}
