"""The figures of a report of a run in the ledger: failures, dimensions, spreads, agreement, what was retried."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from db.ledger import Ledger
from db.tables import FailureKind, Stage
from producer.report.figures import agreements, scorer_reports
from producer.report.gather import gather_report
from producer.report.grids import grids
from producer.report.schema import Failed
from producer.report.scores import Outcome, ScorerScores
from tests.db.given_runs import LOOKED_FOR, enter_images
from tests.db.steps import claimed_scores, finish_score, job_ids
from tests.producer.by_hand import RunByHand
from tests.producer.report.made_up import NAN, gathered, run_scores


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What figures are made of is read alike from both databases, which test_gather shows."""
    return sqlite_url


def test_failures_are_told_apart_by_what_the_ledger_says_of_them(ledger: Ledger) -> None:
    run = RunByHand(ledger, [("物理", key) for key in "abcdef"])
    run.fail_edit("a")
    run.edit("b", "c", "d", "e", "f")
    kinds = (FailureKind.UNPARSED, FailureKind.REFUSED, FailureKind.POISON, FailureKind.SERVICE)
    for key, kind in zip("bcde", kinds, strict=True):
        run.fail_score(key, "严", kind=kind)
    run.score("f", "严", 5)

    found = gathered(run).scorers[0].dimensions[0].overall

    assert found.failed == Failed(edit_failed=1, judge_failed=1, unparsed=1, refused=1, lost=1)


def test_an_image_that_was_not_given_is_counted_for_every_scorer_and_bounds_the_mean(ledger: Ledger) -> None:
    scorers = [{"name": "simulated"}, {"name": "psnr"}]
    run_id, _ = enter_images(ledger, ["e" * 64, None, None], scorers=scorers)
    for claim in claimed_scores(ledger, job_ids(ledger, Stage.SCORE, run_id)[:1]):
        finish_score(ledger, claim, 9.0, seconds=1)

    report = gather_report(ledger.engine, run_id)

    first, second = (scorer.dimensions[0].overall for scorer in report.scorers)
    assert first.failed == second.failed == Failed(missing=2)
    assert (first.n, first.scored, first.mean, first.lower_bound.mean) == (3, 1, 9.0, 3.0)
    assert [(failure.kind, failure.reason) for failure in report.failures] == [("missing", LOOKED_FOR)] * 2
    assert "failed: 2 missing" in [note for grid in grids(report) for note in grid.notes]


def test_a_dimension_that_some_scores_lack_says_so_and_has_its_own_mean(ledger: Ledger) -> None:
    run = RunByHand(ledger)
    run.edit("a", "b")
    run.fail_edit("c")
    run.score("a", "严", 4, following=2, realism=9)
    run.score("b", "严", 6, following=3)

    strict, mild = gathered(run).scorers

    score, following, realism = strict.dimensions
    assert [one.name for one in strict.dimensions] == ["overall", "following", "realism"]
    assert (score.overall.mean, following.overall.mean, realism.overall.mean) == (5, 2.5, 9)
    assert (following.overall.not_given, realism.overall.not_given, realism.overall.scored) == (0, 1, 1)
    assert realism.overall.lower_bound.mean == 4.5  # the edit that failed counts as 0, what was not given does not
    assert [one.name for one in mild.dimensions] == ["overall"]


def test_repeats_spread_over_seeds(ledger: Ledger) -> None:
    run = RunByHand(ledger, [("物理", "a"), ("物理", "b")], repeats=2)
    for key, values in (("a", (2.0, 6.0)), ("b", (5.0, 5.0))):
        for repeat, value in enumerate(values):
            run.edit(key, repeat=repeat)
            run.score(key, "严", value, repeat=repeat)

    strict, mild = gathered(run).scorers

    assert strict.spread_over_seeds.groups == 2
    assert strict.spread_over_seeds.sd == pytest.approx(2.0)  # variances 8 and 0, pooled 4
    assert (strict.spread_over_judging.sd, strict.spread_over_judging.groups) == (None, 0)
    assert (mild.spread_over_seeds.sd, mild.spread_over_seeds.groups) == (None, 0)


def test_judge_repeats_spread_by_themselves() -> None:
    scores = run_scores([1, 5, 9], categories=[0, 0, 0])
    values = np.array([[1.0, 5.0, 9.0], [3.0, 5.0, NAN]])
    outcome = np.where(np.isnan(values), Outcome.UNPARSED, Outcome.SCORED).astype(np.int8)
    twice = ScorerScores("judge", (0.0, 10.0), outcome, {"overall": values})

    report = scorer_reports(replace(scores, scorers=[twice]))[0]

    assert (report.dimensions[0].overall.n, report.dimensions[0].overall.scored) == (6, 5)
    assert report.spread_over_judging.groups == 2
    assert report.spread_over_judging.sd == pytest.approx(1.0)  # variances 2 and 0, pooled 1
    assert report.spread_over_seeds.groups == 0


def test_scorers_agree_on_what_both_have_scored(ledger: Ledger) -> None:
    run = RunByHand(ledger, [("物理", key) for key in "abcd"])
    run.edit(*"abcd")
    for key, strict, mild in (("a", 1, 2), ("b", 5, 6), ("c", 7, 9)):
        run.score(key, "严", strict)
        run.score(key, "宽", mild)
    run.score("d", "严", 9)
    run.fail_score("d", "宽")

    (found,) = gathered(run).agreement

    assert (found.scorers, found.n, found.spearman) == (("严", "宽"), 3, 1.0)
    assert found.alpha == pytest.approx(1 - 2 / 18.4)  # observed 12 / 6 over expected 552 / 30


def test_agreement_of_scales_of_different_length_is_of_where_on_them_a_score_stands() -> None:
    scores = run_scores([0, 5, 10], categories=[0, 0, 0])
    of_five = ScorerScores("other", (1.0, 5.0), scores.scorers[0].outcome, {"overall": np.array([[1.0, 3.0, 5.0]])})

    (found,) = agreements(replace(scores, scorers=[scores.scorers[0], of_five]))

    assert (found.spearman, found.alpha) == (1.0, 1.0)


def test_what_was_retried_can_be_left_out(ledger: Ledger) -> None:
    run = RunByHand(ledger)
    run.edit("a", "b")
    run.fail_edit("c")
    run.score("a", "严", 2)
    run.fail_score("b", "严")
    ledger.retry(run.id)
    run.edit("c")
    run.score("b", "严", 10)
    run.score("c", "严", 6)

    with_them, without = gathered(run), gathered(run, without_retried=True)

    assert with_them.scorers[0].dimensions[0].overall.mean == 6
    first_time = without.scorers[0].dimensions[0].overall
    assert (first_time.mean, first_time.scored, first_time.left_out, first_time.n) == (2, 1, 2, 3)
    assert first_time.coverage == pytest.approx(1 / 3)
    assert (with_them.provenance.retried_edits, with_them.provenance.retried_scores) == (1, 1)
