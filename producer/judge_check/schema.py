"""The check of a judge as data: schema `editfarm.judge-check/1`, under the same rules as the report's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from producer.comparison.schema import ComparedRun
from producer.report.schema import Interval, Method, Record

SCHEMA = "editfarm.judge-check/1"


class Estimate(Record):
    """A figure and its interval; null where it is not defined."""

    value: float | None
    ci: Annotated[Interval | None, Field(description="null for fewer than two source images")]


class Accuracy(Record):
    """Of the pairs that people order, the share that the scorer orders alike, a tie of its counting one half."""

    value: float | None
    ci: Annotated[Interval | None, Field(description="null for fewer than two source images")]
    pairs: Annotated[int, Field(description="that people order")]
    scorer_ties: Annotated[int, Field(description="of these, those that are a tie of the scorer")]


class Agreement(Record):
    """A scorer's scores and people's ratings of the same edits, each averaged over its repeats or its raters."""

    category: Annotated[str | None, Field(description="null: all of them")]
    alias: str | None
    n: Annotated[int, Field(description="edits that are rated and scored: all figures are of these")]
    rated_not_scored: Annotated[
        int, Field(description="edits that are rated, and have no score: failed, or still open")
    ]
    scored_not_rated: int
    images: Annotated[int, Field(description="different source images among the n")]
    spearman: Annotated[Estimate, Field(description="rank correlation, ties averaged")]
    kendall: Annotated[Estimate, Field(description="tau-b")]
    same_sample: Annotated[Accuracy, Field(description="pairs of edits of the same sample: of several runs or repeats")]
    same_category: Annotated[Accuracy, Field(description="all pairs of edits of the same category")]


class PreferenceAgreement(Record):
    """A scorer's scores and which of two edits people prefer."""

    category: Annotated[str | None, Field(description="null: all of them")]
    alias: str | None
    accuracy: Annotated[Accuracy, Field(description="each preference is a pair")]
    not_scored: Annotated[int, Field(description="preferences of which an edit has no score")]
    human_ties: Annotated[int, Field(description="left out: people prefer neither")]


class Consistency(Record):
    """A scorer's several judgements of the same edits."""

    edits: Annotated[int, Field(description="with two judgements at least")]
    sd: Annotated[float | None, Field(description="within an edit, pooled, on the scorer's scale")]
    pairs: Annotated[int, Field(description="of judgements of the same edit")]
    equal: Annotated[float | None, Field(description="share of them that are exactly equal")]
    alpha: Annotated[float | None, Field(description="Krippendorff's alpha among the repeats, for interval data")]
    repeats: Annotated[int, Field(description="judge repeats that accuracies are compared over")]
    compared: Annotated[int, Field(description="rated edits with a score in every repeat: accuracies are of these")]
    one_same_sample: Annotated[float | None, Field(description="accuracy of a single repeat, mean over the repeats")]
    mean_same_sample: Annotated[float | None, Field(description="accuracy of the mean of the repeats")]
    one_same_category: float | None
    mean_same_category: float | None


class CheckedDimension(Record):
    """One dimension of one scorer."""

    scorer: str
    dimension: str
    scale: tuple[float, float]
    overall: Annotated[Agreement | None, Field(description="null: nobody has rated this dimension")]
    categories: Sequence[Agreement]
    preferences: Annotated[PreferenceAgreement | None, Field(description="null: there are none of this dimension")]
    preferences_by_category: Sequence[PreferenceAgreement]
    consistency: Annotated[Consistency | None, Field(description="null: no edit was judged twice")]


class Ceiling(Record):
    """How far people agree among themselves: what one more person would reach, and so what to expect of a judge."""

    dimension: str
    category: Annotated[str | None, Field(description="null: all of them")]
    alias: str | None
    ratings: int
    rated: Annotated[int, Field(description="edits")]
    shared: Annotated[int, Field(description="edits that two people at least have rated")]
    levels: Annotated[int, Field(description="different ratings")]
    raters: int
    leave_one_out: Annotated[
        float | None, Field(description="rank correlation of a rater with the mean of all others, mean over raters")
    ]
    compared_raters: Annotated[int, Field(description="raters who have such a correlation")]
    alpha: Annotated[float | None, Field(description="Krippendorff's alpha among raters, for interval data")]


class Share(Record):
    """How many of so many; the interval is Wilson's."""

    count: int
    of: int
    share: float | None
    ci: Interval | None


class OrderEffects(Record):
    """What one judge said of pairs, and whether the order in which it saw them mattered."""

    judge: Annotated[str | None, Field(description="null: the file does not name it")]
    verdicts: int
    ties: int
    preferred_first: Annotated[Share, Field(description="of the verdicts that are no tie")]
    p: Annotated[float | None, Field(description="of a share so far from one half by chance, exact, two-sided")]
    both_orders: Annotated[int, Field(description="pairs that were judged in both orders")]
    kept: Annotated[Share, Field(description="of these, those with the same winner in both")]
    followed_first: Annotated[Share, Field(description="of these, those in which what was shown first won twice")]
    followed_second: Share
    tied: Annotated[Share, Field(description="of these, those with a tie in one order or in both")]
    accuracy: Annotated[
        Accuracy | None, Field(description="of all verdicts, against people; null: nothing to hold against")
    ]
    accuracy_kept: Annotated[Accuracy | None, Field(description="of the pairs with the same winner in both orders")]


class HumanFile(Record):
    """What people said, in numbers."""

    ratings: int
    preferences: int
    raters: Annotated[int, Field(description="those without a name are one")]


class JudgeCheck(Record):
    """Whether a judge may be trusted."""

    schema_: Annotated[str, Field(alias="schema", serialization_alias="schema")] = SCHEMA
    runs: Sequence[ComparedRun]
    human: HumanFile | None
    notes: Annotated[Sequence[str], Field(description="what limits what can be said")]
    method: Method
    scorers: Sequence[CheckedDimension]
    ceilings: Annotated[Sequence[Ceiling], Field(description="by dimension: all edits, then each category")]
    order_effects: Sequence[OrderEffects]
