"""What a report counts, from a ledger made by hand."""

from __future__ import annotations

from typing import Any

import pytest

from db.engine import open_engine
from db.errors import UnknownRun
from db.ledger import Ledger
from db.tables import Stage
from producer.report.gather import gather_report
from producer.report.schema import FailedJob, Report, ScorerReport
from tests.producer.by_hand import RunByHand


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """SQLite alone is fast; that PostgreSQL says the same is a test of its own."""
    return sqlite_url


Numbers = tuple[int, int, int, float | None]


def numbers_of(report: ScorerReport) -> dict[str | None, Numbers]:
    """Return (n, scored, failed, mean) of every category, and of all under None."""
    score = report.dimensions[0]
    return {
        figures.category: (figures.n, figures.scored, figures.failed.total, figures.mean)
        for figures in (*score.categories, score.overall)
    }


def failed_job(stage: Stage, scorer: str | None, category: str, key: str, **fields: Any) -> FailedJob:
    return FailedJob(
        **{"repeat": 0, "judge_repeat": 0, **fields}, stage=stage, scorer=scorer, category=category, key=key
    )


def gathered(run: RunByHand) -> Report:
    return gather_report(run.ledger.engine, run.id)


def test_scores_are_counted_for_each_scorer_by_category_and_over_all(ledger: Ledger) -> None:
    run = RunByHand(ledger)
    run.edit("a", "b", "c")
    for key, strict, mild in (("a", 2, 4), ("b", 3, 9), ("c", 7, 8)):
        run.score(key, "严", strict)
        run.score(key, "宽", mild)

    report = gathered(run)

    assert [scorer.scorer for scorer in report.scorers] == ["严", "宽"]
    assert numbers_of(report.scorers[0]) == {"社会": (2, 2, 0, 4.5), "物理": (1, 1, 0, 3), None: (3, 3, 0, 4)}
    assert numbers_of(report.scorers[1]) == {"社会": (2, 2, 0, 6), "物理": (1, 1, 0, 9), None: (3, 3, 0, 7)}
    assert report.progress["state"] == "done"
    assert report.failures == []


def test_a_criterion_too_large_for_arithmetic_is_no_number(ledger: Ledger) -> None:
    run = RunByHand(ledger)
    run.edit("a", "b", "c")
    for key in ("a", "b", "c"):
        run.score(key, "严", 5, huge=1e308, plain=7)

    assert [one.name for one in gathered(run).scorers[0].dimensions] == ["overall", "plain"]


def test_categories_stand_in_the_benchmarks_order(ledger: Ledger) -> None:
    run = RunByHand(ledger, [("z", "1"), ("因果", "2"), ("z", "3"), ("a", "4")])

    report = gathered(run)

    assert [figures.category for figures in report.scorers[0].dimensions[0].categories] == ["z", "因果", "a"]


def test_a_failed_score_is_counted_and_enters_no_mean(ledger: Ledger) -> None:
    run = RunByHand(ledger)
    run.edit("a", "b", "c")
    run.score("a", "严", 6)
    run.fail_score("c", "严")

    strict, mild = gathered(run).scorers

    assert numbers_of(strict) == {"社会": (2, 1, 1, 6), "物理": (1, 0, 0, None), None: (3, 1, 1, 6)}
    assert strict.dimensions[0].categories[0].coverage == 0.5
    assert numbers_of(mild)[None] == (3, 0, 0, None)


def test_a_failed_edit_is_a_failed_score_of_every_scorer(ledger: Ledger) -> None:
    run = RunByHand(ledger)
    run.edit("a", "b")
    run.fail_edit("c")
    run.score("a", "严", 6)
    run.score("a", "宽", 0)

    strict, mild = gathered(run).scorers

    assert numbers_of(strict) == {"社会": (2, 1, 1, 6), "物理": (1, 0, 0, None), None: (3, 1, 1, 6)}
    assert numbers_of(mild) == {"社会": (2, 1, 1, 0), "物理": (1, 0, 0, None), None: (3, 1, 1, 0)}


def test_where_everything_failed_there_is_no_mean(ledger: Ledger) -> None:
    run = RunByHand(ledger, [("物理", "a")])
    run.fail_edit("a")

    report = gathered(run)

    assert numbers_of(report.scorers[0]) == {"物理": (1, 0, 1, None), None: (1, 0, 1, None)}
    assert report.progress["state"] == "failed"


def test_repeats_are_counted_each(ledger: Ledger) -> None:
    run = RunByHand(ledger, [("物理", "a"), ("社会", "b")], repeats=2)
    run.edit("a", "b", repeat=0)
    run.edit("a", repeat=1)
    run.fail_edit("b", repeat=1)
    run.score("a", "严", 2, repeat=0)
    run.score("a", "严", 8, repeat=1)
    run.fail_score("b", "严", repeat=0)

    report = gathered(run)

    assert numbers_of(report.scorers[0]) == {"物理": (2, 2, 0, 5), "社会": (2, 0, 2, None), None: (4, 2, 2, 5)}
    assert [(failure.key, failure.repeat, failure.stage) for failure in report.failures] == [
        ("b", 0, Stage.SCORE),
        ("b", 1, Stage.EDIT),
    ]


def test_only_the_samples_within_the_limit_are_asked(ledger: Ledger) -> None:
    run = RunByHand(ledger, limit=2)

    assert numbers_of(gathered(run).scorers[0])[None] == (2, 0, 0, None)


@pytest.mark.parametrize("waiting", ["nothing done", "an edit under way", "a score waiting", "a score under way"])
def test_a_report_is_not_final_while_a_job_waits_or_runs(ledger: Ledger, waiting: str) -> None:
    run = RunByHand(ledger, [("物理", "a")], scorers=["simulated"])
    if waiting == "an edit under way":
        run.start_edit("a")
    if "score" in waiting:
        run.edit("a")
    if waiting == "a score under way":
        run.start_score("a", "simulated")

    report = gathered(run)

    assert report.progress["state"] == "running"
    assert numbers_of(report.scorers[0])[None] == (1, 0, 0, None)


def test_what_was_cancelled_is_asked_and_neither_scored_nor_failed(ledger: Ledger) -> None:
    run = RunByHand(ledger, [("物理", "a"), ("物理", "b")])
    run.edit("a")
    run.score("a", "严", 4)
    ledger.cancel(run.id)

    report = gathered(run)

    assert numbers_of(report.scorers[0])[None] == (2, 1, 0, 4)
    assert report.scorers[0].dimensions[0].overall.coverage == 0.5
    assert report.failures == []


def test_every_failure_is_listed_with_its_reason_in_the_benchmarks_order(ledger: Ledger) -> None:
    run = RunByHand(ledger)
    run.edit("a", "c")
    run.fail_score("c", "宽", "回答不可读")
    run.fail_score("c", "严", "no number")
    run.fail_score("a", "宽", "no number")
    run.fail_edit("b", "unknown instruction")

    assert gathered(run).failures == [
        failed_job(Stage.SCORE, "宽", "社会", "a", kind="model", reason="no number"),
        failed_job(Stage.EDIT, None, "物理", "b", kind="input", reason="unknown instruction"),
        failed_job(Stage.SCORE, "严", "社会", "c", kind="model", reason="no number"),
        failed_job(Stage.SCORE, "宽", "社会", "c", kind="model", reason="回答不可读"),
    ]


def test_what_was_retried_with_success_is_no_failure_any_more(ledger: Ledger) -> None:
    run = RunByHand(ledger, [("物理", "a")])
    run.fail_edit("a")
    ledger.retry(run.id)
    run.edit("a")

    assert gathered(run).failures == []


def test_two_runs_of_one_benchmark_do_not_mix(ledger: Ledger) -> None:
    one, other = RunByHand(ledger), RunByHand(ledger, seed=1)
    for run, value in ((one, 2), (other, 8)):
        run.edit("a")
        run.score("a", "严", value)

    assert [numbers_of(gathered(run).scorers[0])[None][3] for run in (one, other)] == [2, 8]


def test_a_run_that_nobody_asked_for_is_unknown(ledger: Ledger) -> None:
    with pytest.raises(UnknownRun, match="'nope'"):
        gather_report(ledger.engine, "nope")


def test_both_databases_give_the_same_report(ledger: Ledger, postgres_url: str) -> None:
    engine = open_engine(postgres_url)
    reports = []
    for run in (RunByHand(ledger, repeats=2), RunByHand(Ledger(engine), repeats=2)):
        run.edit("a", "b")
        run.edit("c", repeat=1)
        run.fail_edit("c", "未知指令")
        run.score("a", "严", 10 / 3)
        run.fail_score("b", "宽")
        reports.append(gathered(run))
    engine.dispose()

    on_sqlite, on_postgresql = reports
    assert on_sqlite.scorers == on_postgresql.scorers
    assert on_sqlite.failures == on_postgresql.failures
    assert on_sqlite.progress == on_postgresql.progress
