"""Three runs and more beside each other: ranks, strengths, and p-values of several pairs."""

from __future__ import annotations

import pytest

from db.ledger import Ledger
from producer.report.gather import gather_report
from tests.producer.by_hand import RunByHand
from tests.producer.comparison.conftest import KEYS, compared, printed, scored_run


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


def test_more_runs_read_as_a_leaderboard(three: list[RunByHand]) -> None:
    text = printed(compared(*three))

    rows = [line.split() for line in text.partition("each two")[0].splitlines()]
    ranked = [row[:2] for row in rows if len(row) > 6 and row[1].isdigit()]
    assert ranked == [["high", "1"], ["middle", "2"], ["low", "3"]]
    assert max(map(len, text.splitlines())) <= 80
