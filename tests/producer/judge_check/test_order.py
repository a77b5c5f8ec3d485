"""What the order in which a judge saw a pair has to do with what it preferred, by hand."""

from __future__ import annotations

import pytest
from scipy import stats

from tests.producer.judge_check.conftest import PAIRS, Check, effects, rated, verdicts


def test_the_order_of_pairs_by_hand(two: list[str], check: Check) -> None:
    found = effects(check(two, None, verdicts(PAIRS)))

    assert (found.judge, found.verdicts, found.ties) == (None, 14, 3)
    assert (found.preferred_first.count, found.preferred_first.of) == (7, 11)
    assert found.p == pytest.approx(stats.binomtest(7, 11).pvalue)
    wilson = stats.binomtest(7, 11).proportion_ci(method="wilson")
    assert found.preferred_first.ci is not None
    assert (found.preferred_first.ci.low, found.preferred_first.ci.high) == pytest.approx((wilson.low, wilson.high))
    assert found.both_orders == 7
    shares = (found.kept, found.followed_first, found.followed_second, found.tied)
    assert [share.count for share in shares] == [2, 2, 1, 2]
    assert found.kept.share == 2 / 7
    assert (found.accuracy, found.accuracy_kept) == (None, None)


def test_verdicts_are_held_against_preferences(two: list[str], check: Check) -> None:
    human = [{"sample": key, "better": "old", "worse": "new"} for key in "abcfgh"]
    human += [{"sample": "d", "better": "old", "worse": "new", "tie": True}]

    found = effects(check(two, human, verdicts(PAIRS)))

    # a twice right, b twice wrong, c one of each, f and g three ties and one that is wrong; d and e are not known
    assert found.accuracy is not None and found.accuracy_kept is not None
    assert (found.accuracy.pairs, found.accuracy.value, found.accuracy.scorer_ties) == (10, 4.5 / 10, 3)
    assert (found.accuracy_kept.pairs, found.accuracy_kept.value) == (2, 0.5)


def test_most_preferences_decide_and_else_the_order_of_the_ratings(two: list[str], check: Check) -> None:
    votes = {"x": ("new", "old"), "y": ("new", "old"), "z": ("old", "new")}
    human = [{"sample": "a", "better": one, "worse": other, "rater": who} for who, (one, other) in votes.items()]
    human += [*rated({"a": 2, "b": 1, "c": 2}, editor="old"), *rated({"a": 1, "b": 2, "c": 2, "d": 1}, editor="new")]

    found = effects(check(two, human, verdicts(PAIRS)))

    assert found.accuracy is not None
    # a is twice wrong by the votes, b twice right by the ratings; c is a tie, d not rated
    assert (found.accuracy.pairs, found.accuracy.value) == (4, 0.5)


def test_judges_are_told_apart_and_judge_repeats_matched(two: list[str], check: Check) -> None:
    pairs = [
        *verdicts({"a": ("first", "second")}, judge="one"),
        *verdicts({"a": ("first", "first")}, judge="one", judge_repeat=1),
        *verdicts({"a": ("second", "first")}, judge="two")[:1],
    ]

    found = check(two, None, pairs)

    assert [(one.judge, one.verdicts, one.both_orders, one.kept.count) for one in found.order_effects] == [
        ("one", 4, 2, 1),
        ("two", 1, 0, 0),
    ]
    assert "no pair of judge two was judged in both orders: whether a verdict keeps is not known" in found.notes
