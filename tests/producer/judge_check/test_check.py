"""What a check of a judge says, by hand for few edits: against ratings, preferences, and its own repeats."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from db.errors import WrongCall
from db.ledger import Ledger
from producer.judge_check.document import check_document
from producer.statistics.bootstrap import mean_interval
from tests.producer.by_hand import RunByHand
from tests.producer.judge_check.conftest import Check, Publish, only, rated, scored

# -- ratings -----------------------------------------------------------------------------------------------------------


def test_few_edits_by_hand(publish: Publish, check: Check) -> None:
    runs = publish(scored({"a": 1, "b": 2, "c": 2, "d": 3, "failed": None, "unrated": 5}))

    found = only(check(runs, rated({"a": 1, "b": 3, "c": 2, "d": 2, "failed": 9}))).overall

    assert found is not None
    assert (found.n, found.rated_not_scored, found.scored_not_rated, found.images) == (4, 1, 1, 4)
    assert found.kendall.value == pytest.approx(2 / 5)
    assert found.spearman.value == pytest.approx(stats.spearmanr([1, 2, 2, 3], [1, 3, 2, 2]).statistic)
    pairs = found.same_category
    assert (pairs.value, pairs.pairs, pairs.scorer_ties) == (pytest.approx(3.5 / 5), 5, 1)
    assert (found.same_sample.value, found.same_sample.pairs, found.same_sample.ci) == (None, 0, None)


def test_pairs_of_a_category_do_not_reach_into_another(publish: Publish, check: Check) -> None:
    lines = [*scored({"a": 1, "b": 2}), *scored({"c": 9, "d": 8}, category="社会")]

    found = only(check(publish(lines), rated({"a": 1, "b": 2, "c": 3, "d": 4})))

    assert found.overall is not None
    assert (found.overall.same_category.pairs, found.overall.same_category.value) == (2, 0.5)
    assert found.overall.kendall.value == pytest.approx(4 / 6)  # which looks at all six pairs
    by_category = {one.category: (one.n, one.same_category.value) for one in found.categories}
    assert by_category == {"物理": (2, 1.0), "社会": (2, 0.0)}
    assert [one.alias for one in found.categories] == ["physical", "social"]


def test_editors_are_held_against_each_other_sample_by_sample(publish: Publish, check: Check) -> None:
    lines = [*scored({"a": 1, "b": 9, "c": 5}, editor="old"), *scored({"a": 2, "b": 8, "c": 5}, editor="new")]
    human = [*rated({"a": 1, "b": 4, "c": 1}, editor="old"), *rated({"a": 2, "b": 5, "c": 3}, editor="new")]

    found = only(check(publish(lines), human)).overall

    assert found is not None
    assert (found.same_sample.pairs, found.same_sample.value, found.same_sample.scorer_ties) == (3, 0.5, 1)


def test_repeats_of_a_sample_are_pairs_of_it(publish: Publish, check: Check) -> None:
    lines = [{"sample": "a", "repeat": repeat, "value": value} for repeat, value in enumerate((3, 1, 2))]
    human = [{"sample": "a", "repeat": repeat, "value": value} for repeat, value in enumerate((3, 1, 1))]

    found = only(check(publish(lines), human)).overall

    assert found is not None
    assert (found.same_sample.pairs, found.same_sample.value) == (2, 1.0)
    assert found.same_sample.ci is None  # of one image


def test_several_judgements_and_several_ratings_count_by_their_means(publish: Publish, check: Check) -> None:
    lines = [
        {"sample": key, "judge_repeat": repeat, "value": value}
        for key, values in {"a": (1, 5), "b": (2, 2), "c": (9, 9)}.items()
        for repeat, value in enumerate(values)
    ]
    human = [*rated({"a": 3, "b": 1, "c": 9}, rater="x"), *rated({"a": 3, "b": 4, "c": 9}, rater="y")]

    found = only(check(publish(lines), human)).overall

    assert found is not None
    assert found.kendall.value == 1.0


def test_random_ratings_are_as_scipy_has_them_and_intervals_as_means_have_them(publish: Publish, check: Check) -> None:
    draw = np.random.default_rng(0)
    scores, ratings = draw.integers(0, 6, (2, 40)), draw.integers(1, 5, (2, 40))
    ratings[1] = np.where(ratings[1] == ratings[0], ratings[1] + 1, ratings[1])
    keys = [f"s{number}" for number in range(40)]
    lines, human = [], []
    for number, editor in enumerate(("old", "new")):
        lines += scored(dict(zip(keys, scores[number].tolist(), strict=True)), editor=editor)
        human += rated(dict(zip(keys, ratings[number].tolist(), strict=True)), editor=editor)

    found = only(check(publish(lines), human)).overall

    assert found is not None
    assert found.spearman.value == pytest.approx(stats.spearmanr(scores.ravel(), ratings.ravel()).statistic)
    assert found.kendall.value == pytest.approx(stats.kendalltau(scores.ravel(), ratings.ravel()).statistic)
    right = (1 + np.sign(scores[0] - scores[1]) * np.sign(ratings[0] - ratings[1])) / 2
    assert found.same_sample.value == pytest.approx(right.mean())
    assert found.same_sample.ci is not None
    of_one_category = np.zeros(40, dtype=int)
    assert (found.same_sample.ci.low, found.same_sample.ci.high) == mean_interval(right, np.arange(40), of_one_category)
    for estimate in (found.spearman, found.kendall):
        assert estimate.ci is not None and estimate.value is not None
        assert estimate.ci.low < estimate.value < estimate.ci.high


def test_samples_of_one_source_image_have_no_interval_and_the_check_says_so(publish: Publish, check: Check) -> None:
    runs = publish(scored({"a": 1, "b": 2, "c": 3}, source="cat.png"))

    found = check(runs, rated({"a": 1, "b": 2, "c": 3}))

    overall = only(found).overall
    assert overall is not None
    assert (overall.images, overall.kendall.value, overall.kendall.ci, overall.same_category.ci) == (1, 1.0, None, None)
    assert any("fewer than two source images: there are no intervals" in note for note in found.notes)


def test_a_scorer_that_always_gives_the_same_has_no_correlation(publish: Publish, check: Check) -> None:
    found = check(publish(scored({"a": 5, "b": 5, "c": 5})), rated({"a": 1, "b": 2, "c": 3}))

    overall = only(found).overall
    assert overall is not None
    assert (overall.kendall.value, overall.kendall.ci, overall.spearman.value) == (None, None, None)
    assert (overall.same_category.value, overall.same_category.scorer_ties) == (0.5, 3)
    assert "NaN" not in check_document(found).as_text("json")


def test_a_dimension_is_held_against_ratings_of_that_dimension(publish: Publish, check: Check) -> None:
    lines = [*scored({"a": 5, "b": 5}), *scored({"a": 1, "b": 2}, dimension="realism")]
    human = [*rated({"a": 1, "b": 2}), *rated({"a": 2, "b": 1}, dimension="realism")]
    runs = publish([*lines, *scored({"a": 1, "b": 2}, scorer="other")])

    found = {(one.scorer, one.dimension): one.overall for one in check(runs, human).scorers}

    assert {place: one.same_category.value for place, one in found.items() if one is not None} == {
        ("judge", "overall"): 0.5,
        ("judge", "realism"): 0.0,
        ("other", "overall"): 1.0,
    }
    chosen = check(runs, human, scorers=["judge"], dimensions=["realism"])
    assert [(one.scorer, one.dimension) for one in chosen.scorers] == [("judge", "realism")]
    assert {one.dimension for one in chosen.ceilings} == {"realism"}
    beside = check(runs, human, scorers=["other"])
    assert "ratings of realism are held against nothing: none of these scorers gives it" in beside.notes


def test_what_is_still_open_is_rated_but_not_scored(ledger: Ledger, check: Check) -> None:
    run = RunByHand(ledger)
    run.edit("a", "b")
    run.score("a", "严", 6)

    found = check([run.id], rated({"a": 1, "b": 2, "c": 3}), scorers=["严"])

    overall = only(found).overall
    assert overall is not None
    assert (overall.n, overall.rated_not_scored, overall.scored_not_rated) == (1, 2, 0)
    assert found.runs[0].missing is not None


def test_a_run_without_the_scorer_has_no_scores_for_its_ratings(publish: Publish, check: Check) -> None:
    lines = [*scored({"a": 1, "b": 2}), *scored({"a": 3, "b": 4}, editor="new", scorer="other")]

    found = check(publish(lines), rated({"a": 1, "b": 2}, editor="new"), scorers=["judge"])

    overall = only(found).overall
    assert overall is not None
    assert (overall.n, overall.rated_not_scored, overall.scored_not_rated) == (0, 2, 2)
    assert "scorer judge: new has none of that name, and so no scores for the ratings" in found.notes


# -- preferences -------------------------------------------------------------------------------------------------------


def test_preferences_by_hand(publish: Publish, check: Check) -> None:
    old, new = {"a": 1, "b": 5, "c": 5, "d": 9, "e": None, "f": 1}, {"a": 2, "b": 4, "c": 5, "d": 1, "e": 5, "f": 2}
    human = [{"sample": key, "better": "new", "worse": "old"} for key in "abce"]
    human += [{"sample": "f", "better": "old", "worse": "new", "tie": True}]

    found = only(check(publish([*scored(old), *scored(new, editor="new")]), human))

    assert found.overall is None
    assert found.preferences is not None
    accuracy = found.preferences.accuracy
    assert (accuracy.pairs, accuracy.value, accuracy.scorer_ties) == (3, 0.5, 1)
    assert accuracy.ci is not None
    assert (found.preferences.not_scored, found.preferences.human_ties) == (1, 1)
    (category,) = found.preferences_by_category
    assert category.model_copy(update={"category": None, "alias": None}) == found.preferences


# -- people among themselves -------------------------------------------------------------------------------------------


def test_people_are_held_against_each_other(publish: Publish, check: Check) -> None:
    keys = "abcdef"
    given = {"x": (1, 2, 3, 4, 5, 5), "y": (1, 3, 2, 4, 4, 5), "z": (2, 1, 3, 3, 5, 4)}
    human = [line for rater, row in given.items() for line in rated(dict(zip(keys, row, strict=True)), rater=rater)]
    table = np.array(list(given.values()), dtype=float)

    found = check(publish(scored(dict.fromkeys(keys, 1))), human).ceilings

    others = [np.delete(table, one, axis=0).mean(axis=0) for one in range(3)]
    expected = np.mean([stats.spearmanr(table[one], others[one]).statistic for one in range(3)])
    assert [(one.category, one.raters, one.rated, one.shared) for one in found] == [(None, 3, 6, 6), ("物理", 3, 6, 6)]
    assert found[0].leave_one_out == pytest.approx(expected)
    assert found[0].alpha is not None and 0.5 < found[0].alpha < 1
    assert found[0].levels == 5


def test_of_one_rater_there_is_no_ceiling(publish: Publish, check: Check) -> None:
    (found,) = check(publish(scored({"a": 1, "b": 2})), rated({"a": 1, "b": 2})).ceilings

    assert (found.raters, found.shared, found.leave_one_out, found.alpha) == (1, 0, None, None)


# -- judge repeats -----------------------------------------------------------------------------------------------------


def test_a_judge_is_held_against_itself(publish: Publish, check: Check) -> None:
    repeats = {"a": (4, 1, 1), "b": (2, 3, 2), "c": (9, None, 9)}
    lines = [
        line
        for repeat in range(3)
        for line in scored({key: values[repeat] for key, values in repeats.items()}, judge_repeat=repeat)
    ]
    runs = publish(lines)

    alone = only(check(runs)).consistency
    found = only(check(runs, rated({"a": 1, "b": 2, "c": 3}))).consistency

    assert alone is not None and found is not None
    assert (alone.edits, alone.pairs, alone.equal) == (3, 7, 3 / 7)
    assert alone.sd == pytest.approx(np.sqrt((6 + 2 / 3) / 5))
    assert (alone.compared, alone.one_same_category) == (0, None)
    assert alone.alpha is not None
    # a and b have all repeats: b is better in two of three repeats, and by the mean (2.33 after 2)
    assert (found.compared, found.one_same_category, found.mean_same_category) == (2, pytest.approx(2 / 3), 1.0)
    assert found.one_same_sample is None


def test_without_repeats_ratings_or_pairs_there_is_nothing_to_say(publish: Publish, check: Check) -> None:
    with pytest.raises(WrongCall, match=r"--human FILE .*--pairs FILE .*rescore RUN --set scorer\.repeats=3"):
        check(publish(scored({"a": 1, "b": 2})))
