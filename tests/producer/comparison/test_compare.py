"""Runs beside each other: what is compared, what is refused, and the figures by hand."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from rich.console import Console

from db.errors import UnknownRun, WrongCall
from db.ledger import Ledger
from producer.comparison.document import comparison_document
from producer.comparison.gather import compare_runs
from producer.comparison.schema import Comparison
from producer.report.gather import gather_report
from tests.producer.by_hand import SCORERS, RunByHand

KEYS = ["a", "b", "c", "d"]
ENTRIES = [("物理", "a"), ("物理", "b"), ("社会", "c"), ("社会", "d")]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is compared is read by the report's own statements, which are tested on both databases."""
    return sqlite_url


def scored_run(ledger: Ledger, editor: str, scores: dict[str, float], **given: Any) -> RunByHand:
    """Make a run of this editor whose scorer 严 gave these scores; the samples without one have failed."""
    settings = {"entries": ENTRIES, "sources": KEYS, "fresh": True, **given}
    run = RunByHand(ledger, settings.pop("entries"), editor={"name": "simulated", "label": editor}, **settings)
    for key, value in scores.items():
        run.edit(key)
        run.score(key, "严", value)
    return run


def compared(*runs: RunByHand, **given: Any) -> Comparison:
    return compare_runs(runs[0].ledger.engine, [run.id for run in runs], **given)


def printed(comparison: Comparison, width: int = 80) -> str:
    file = io.StringIO()
    comparison_document(comparison).print(Console(width=width, file=file))
    return file.getvalue()


@pytest.fixture
def pair(ledger: Ledger) -> tuple[RunByHand, RunByHand]:
    """Two runs that share three scored samples."""
    first = scored_run(ledger, "old", {"a": 4, "b": 6, "c": 5})
    return first, scored_run(ledger, "new", {"a": 7, "b": 6, "c": 3, "d": 10})


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


# -- three runs and more -----------------------------------------------------------------------------------------------


@pytest.fixture
def three(ledger: Ledger) -> list[RunByHand]:
    """Three runs of three scored samples each and one that not all have."""
    given = {"low": (1, 2, 3, 4), "high": (8, 7, 9, 9), "middle": (5, 6, 2, None)}
    return [
        scored_run(ledger, name, {key: value for key, value in zip(KEYS, values, strict=True) if value is not None})
        for name, values in given.items()
    ]


def test_a_leaderboard_ranks_by_the_mean_over_what_all_have(three: list[RunByHand]) -> None:
    strict = compared(*three).dimensions[0]

    low, high, middle = (run.id for run in three)
    assert [standing.run for standing in strict.standings] == [high, middle, low]
    assert [standing.rank for standing in strict.standings] == [1, 2, 3]
    assert [standing.mean for standing in strict.standings] == [8, pytest.approx(13 / 3), 2]
    assert {standing.n for standing in strict.standings} == {3}
    assert [(standing.scored, standing.shared) for standing in strict.standings] == [(4, 4), (3, 4), (4, 4)]
    strengths = [standing.strength or 0 for standing in strict.standings]
    assert strengths == sorted(strengths, reverse=True)
    assert sum(strengths) == pytest.approx(0)
    assert all(standing.ci is not None and standing.strength_ci is not None for standing in strict.standings)


def test_a_mean_has_the_interval_that_its_report_has(ledger: Ledger) -> None:
    values = dict(zip(KEYS, (1, 2, 8, 9), strict=True))  # alike within a category
    runs = [scored_run(ledger, name, values, seed=seed) for seed, name in enumerate(("x", "y"))]

    strict = compared(*runs).dimensions[0]

    (reported, *_) = gather_report(ledger.engine, runs[0].id).scorers[0].dimensions
    assert {standing.ci for standing in strict.standings} == {reported.overall.ci}
    assert reported.overall.ci is not None


def test_equal_means_share_a_rank(ledger: Ledger) -> None:
    runs = [scored_run(ledger, name, {"a": value}) for name, value in (("x", 5), ("y", 5), ("z", 1))]

    assert [standing.rank for standing in compared(*runs).dimensions[0].standings] == [1, 1, 3]


def test_p_values_of_several_pairs_are_adjusted(three: list[RunByHand]) -> None:
    pairs = compared(*three).dimensions[0].pairs

    assert len(pairs) == 3
    assert all((pair.p_holm or 0) >= (pair.overall.p or 0) for pair in pairs)
    assert any((pair.p_holm or 0) > (pair.overall.p or 0) for pair in pairs)


def test_two_runs_have_no_strength(pair: tuple[RunByHand, RunByHand]) -> None:
    assert {standing.strength for standing in compared(*pair).dimensions[0].standings} == {None}


# -- how it reads ------------------------------------------------------------------------------------------------------


def test_two_runs_read_by_category(pair: tuple[RunByHand, RunByHand]) -> None:
    text = printed(compared(*pair), width=120)

    assert "scorer 严: new (second) minus old (first)" in text
    (row,) = [line.split() for line in text.partition("scorer 宽")[0].splitlines() if line.strip().startswith("all")]
    assert row[:5] == ["all", "3", "5.00", "5.33", "+0.33"]
    assert row[-4:] == ["1", "1", "1", "1.000"]
    assert "not compared: 1 sample that new has a score of and old has not" in text


def test_more_runs_read_as_a_leaderboard(three: list[RunByHand]) -> None:
    text = printed(compared(*three))

    rows = [line.split() for line in text.partition("each two")[0].splitlines()]
    ranked = [row[:2] for row in rows if len(row) > 6 and row[1].isdigit()]
    assert ranked == [["high", "1"], ["middle", "2"], ["low", "3"]]
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("format_name", ["json", "csv", "md"])
def test_every_format_has_the_difference(pair: tuple[RunByHand, RunByHand], format_name: str) -> None:
    text = comparison_document(compared(*pair)).as_text(format_name)

    assert "0.33" in text
    if format_name == "json":
        assert json.loads(text)["schema"] == "editfarm.compare/1"
        assert Comparison.model_validate_json(text) == compared(*pair)
