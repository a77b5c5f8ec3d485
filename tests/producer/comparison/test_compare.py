"""Two runs beside each other: what is compared, what is refused, and the figures by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from db.errors import UnknownRun, WrongCall
from db.ledger import Ledger
from producer.comparison.document import comparison_document
from producer.comparison.gather import compare_runs
from producer.comparison.schema import Comparison
from tests.producer.by_hand import SCORERS, RunByHand
from tests.producer.comparison.conftest import ENTRIES, KEYS, compared, printed, scored_run

# -- two runs ----------------------------------------------------------------------------------------------------------


def test_two_runs_are_compared_on_what_both_have_scored(pair: tuple[RunByHand, RunByHand]) -> None:
    comparison = compared(*pair)

    (strict,) = [one for one in comparison.dimensions if one.scorer == "严"]
    (both,) = strict.pairs
    assert (both.overall.n, both.overall.first_mean) == (3, 5.0)
    assert both.overall.second_mean == pytest.approx(16 / 3)
    assert both.overall.difference == pytest.approx(1 / 3)
    assert (both.overall.wins, both.overall.ties, both.overall.losses) == (1, 1, 1)
    assert (both.only_first, both.only_second) == (0, 1)
    assert both.overall.p == 1.0
    assert [(one.category, one.n, one.difference) for one in both.categories] == [("物理", 2, 1.5), ("社会", 1, -2.0)]


def test_where_nothing_is_scored_by_both_there_is_no_difference(pair: tuple[RunByHand, RunByHand]) -> None:
    (mild,) = [one for one in compared(*pair).dimensions if one.scorer == "宽"]

    assert (mild.pairs[0].overall.n, mild.pairs[0].overall.difference, mild.pairs[0].overall.p) == (0, None, None)
    assert [standing.mean for standing in mild.standings] == [None, None]


def test_the_other_way_round_the_signs_are(pair: tuple[RunByHand, RunByHand]) -> None:
    forth, back = compared(*pair).dimensions[0].pairs[0], compared(*reversed(pair)).dimensions[0].pairs[0]

    assert forth.overall.difference == pytest.approx(-(back.overall.difference or 0))
    assert (forth.overall.wins, forth.overall.losses) == (back.overall.losses, back.overall.wins)
    assert (forth.only_second, back.only_first) == (1, 1)


def test_repeats_of_a_sample_are_one_by_their_mean(ledger: Ledger) -> None:
    first = RunByHand(ledger, ENTRIES, sources=KEYS, repeats=2, fresh=True)
    second = RunByHand(ledger, ENTRIES, sources=KEYS, repeats=3, fresh=True)
    for run, values in ((first, [2, 4]), (second, [1, 5, 9])):
        for repeat, value in enumerate(values):
            run.edit("a", repeat=repeat)
            run.score("a", "严", value, repeat=repeat)

    found = compared(first, second).dimensions[0].pairs[0].overall

    assert (found.n, found.first_mean, found.second_mean, found.difference) == (1, 3, 5, 2)


def test_the_same_scores_in_another_order_are_a_tie(ledger: Ledger) -> None:
    runs = []
    for editor, values in (("old", [0.1, 0.2, 0.3]), ("new", [0.3, 0.2, 0.1])):
        run = RunByHand(
            ledger, ENTRIES, sources=KEYS, repeats=3, fresh=True, editor={"name": "simulated", "label": editor}
        )
        for repeat, value in enumerate(values):
            run.edit("a", repeat=repeat)
            run.score("a", "严", value, repeat=repeat)
        runs.append(run)

    found = compared(*runs).dimensions[0].pairs[0].overall

    assert (found.wins, found.ties, found.losses, found.difference) == (0, 1, 0, 0)


def test_dimensions_that_both_have_are_compared_too(ledger: Ledger) -> None:
    runs = []
    for editor, value in (("old", 3.0), ("new", 8.0)):
        run = RunByHand(ledger, ENTRIES, sources=KEYS, fresh=True, editor={"name": "simulated", "label": editor})
        run.edit("a")
        run.score("a", "严", 5, following=value, **({"realism": 1.0} if editor == "old" else {}))
        runs.append(run)

    found = {(one.scorer, one.dimension): one for one in compared(*runs).dimensions}

    assert list(found) == [("严", "overall"), ("严", "following"), ("宽", "overall")]
    assert compared(*runs).notes == ["dimension realism of scorer 严 is left out: not all runs have it"]
    assert found["严", "following"].pairs[0].overall.difference == 5


# -- what is not compared ----------------------------------------------------------------------------------------------


def test_runs_of_different_benchmarks_are_refused(pair: tuple[RunByHand, RunByHand]) -> None:
    other = scored_run(pair[0].ledger, "other", {"a": 5}, entries=[("物理", "a")], sources=["a"], name="另一个")

    with pytest.raises(WrongCall, match=r"'评测'.*'另一个'.*--shared-only"):
        compared(pair[0], other)


def test_told_so_the_samples_they_share_are_compared(pair: tuple[RunByHand, RunByHand]) -> None:
    entries = [("社会", "c"), ("物理", "x"), ("物理", "a"), ("物理", "b")]
    other = scored_run(
        pair[0].ledger, "other", {"c": 9, "x": 9, "a": 9, "b": 9}, entries=entries, sources=["c", "x", "a", "不同"]
    )

    comparison = compared(pair[0], other, shared_only=True)

    assert comparison.shared_samples == 2  # c and a; the source image of b is another one
    assert comparison.dimensions[0].pairs[0].overall.difference == pytest.approx(((9 - 4) + (9 - 5)) / 2)


def test_runs_that_share_nothing_are_refused(pair: tuple[RunByHand, RunByHand]) -> None:
    other = scored_run(pair[0].ledger, "other", {"y": 5}, entries=[("物理", "y")], sources=["y"])

    with pytest.raises(WrongCall, match="no sample in common"):
        compared(pair[0], other, shared_only=True)


def test_runs_without_a_common_scorer_are_refused(pair: tuple[RunByHand, RunByHand]) -> None:
    other = RunByHand(pair[0].ledger, ENTRIES, sources=KEYS, scorers=["simulated"])

    with pytest.raises(WrongCall, match="no scorer in common"):
        compared(pair[0], other)


def test_a_run_is_not_compared_with_itself_or_with_nothing(pair: tuple[RunByHand, RunByHand]) -> None:
    with pytest.raises(WrongCall, match="given twice"):
        compared(pair[0], pair[0])
    with pytest.raises(WrongCall, match="two runs at least"):
        compared(pair[0])
    with pytest.raises(UnknownRun):
        compare_runs(pair[0].ledger.engine, [pair[0].id, "nope"])


# -- notes -------------------------------------------------------------------------------------------------------------


def test_it_says_when_judges_or_prompts_differ(ledger: Ledger) -> None:
    def judge(**options: Any) -> dict[str, Any]:
        return {"name": "api", "label": "judge", "base_url": "http://h/v1", "model": "m", **options}

    prompts = {"default": {"system": "s", "user": "u {{ instruction }}"}}
    settings: dict[str, Any] = {"entries": ENTRIES, "sources": KEYS}
    first = RunByHand(ledger, **settings, scorers=[judge(prompts=prompts)])
    batch = RunByHand(ledger, **settings, seed=1, scorers=[judge(prompts=prompts, batch_size=3)])
    model = RunByHand(ledger, **settings, scorers=[judge(prompts=prompts, model="n")])
    words = RunByHand(ledger, **settings, scorers=[judge(prompts={"default": {"system": "s", "user": "v {{ key }}"}})])

    assert compared(first, batch).notes == []
    (of_model,) = compared(first, model).notes
    assert "scorer judge is not the same" in of_model
    assert "options.model" in of_model
    (of_words,) = compared(first, words).notes
    assert "prompts of scorer judge differ" in of_words


def test_a_scorer_that_one_run_lacks_is_left_out_and_named(pair: tuple[RunByHand, RunByHand]) -> None:
    other = scored_run(pair[0].ledger, "other", {"a": 1}, scorers=SCORERS[:1])

    comparison = compared(pair[0], other)

    assert comparison.notes == ["scorer 宽 is left out: other has none of that name"]
    assert {one.scorer for one in comparison.dimensions} == {"严"}


def test_an_unfinished_run_is_called_partial(pair: tuple[RunByHand, RunByHand]) -> None:
    text = printed(compared(*pair))

    assert "PARTIAL: of old 1 edit and 5 scores are still to come" in text
    assert "PARTIAL: of new 0 edits and 4 scores are still to come" in text


def test_editors_of_one_name_are_told_apart_by_their_runs(ledger: Ledger) -> None:
    one, other = scored_run(ledger, "same", {"a": 1}), scored_run(ledger, "same", {"a": 2}, seed=1)

    assert [run.name for run in compared(one, other).runs] == [f"same ({one.id})", f"same ({other.id})"]


# -- how it reads ------------------------------------------------------------------------------------------------------


def test_two_runs_read_by_category(pair: tuple[RunByHand, RunByHand]) -> None:
    text = printed(compared(*pair), width=120)

    assert "scorer 严: new (second) minus old (first)" in text
    (row,) = [line.split() for line in text.partition("scorer 宽")[0].splitlines() if line.strip().startswith("all")]
    assert row[:5] == ["all", "3", "5.00", "5.33", "+0.33"]
    assert row[-4:] == ["1", "1", "1", "1.000"]
    assert "not compared: 1 sample that new has a score of and old has not" in text


@pytest.mark.parametrize("format_name", ["json", "csv", "md"])
def test_every_format_has_the_difference(pair: tuple[RunByHand, RunByHand], format_name: str) -> None:
    text = comparison_document(compared(*pair)).as_text(format_name)

    assert "0.33" in text
    if format_name == "json":
        assert json.loads(text)["schema"] == "editfarm.compare/1"
        assert Comparison.model_validate_json(text) == compared(*pair)
