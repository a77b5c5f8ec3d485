"""What came of each sample of a run, as the ledger tells it."""

from __future__ import annotations

from sqlalchemy import Engine

from db.jobs import Failure
from db.ledger import Ledger
from db.queries import all_runs
from db.samples import RecordedFailure, recorded_samples
from db.tables import FailureKind, Stage, State
from tests.browser.scene import Edit, Sample, Score, Scorer, enter
from tests.db.steps import IMAGE, claimed, claimed_scores, finish_edit, finish_score, job_ids, queued_scores
from tests.factories import enter as enter_queued


def test_a_sample_has_its_edits_by_repeat_and_their_scores_by_scorer(engine: Engine) -> None:
    scores = {"严": [Score(1), Score(2, judge_repeat=1)], "宽": Score(3)}
    given = Sample("b", "1" * 64, [Edit(IMAGE, scores=scores), Edit(IMAGE)], reference="2" * 64)
    enter(engine, "a" * 12, [given], [Scorer("严", repeats=2), Scorer("宽")])
    enter(engine, "b" * 12, [Sample("of another run", "1" * 64, [Edit(IMAGE)])], [])

    (first,) = recorded_samples(engine, "a" * 12)
    assert (first.key, first.category, first.source_image, first.reference_image) == ("b", "物理", "1" * 64, "2" * 64)
    assert [edit.repeat for edit in first.edits] == [0, 1]
    assert [(one.scorer, one.judge_repeat, one.value) for one in first.edits[0].scores] == [
        ("严", 0, 1),
        ("严", 1, 2),
        ("宽", 0, 3),
    ]
    assert first.edits[1].scores == []


def test_a_run_of_a_part_of_its_benchmark_has_no_other_samples(engine: Engine) -> None:
    enter(
        engine, "a" * 12, [Sample("b", "1" * 64, [Edit()]), Sample("a", "1" * 64, [Edit()]), Sample("c", "1" * 64)], []
    )

    assert [sample.key for sample in recorded_samples(engine, "a" * 12)] == ["b", "a"]


def test_an_edit_under_way_has_neither_image_nor_failure(ledger: Ledger) -> None:
    (sample,) = recorded_samples(ledger.engine, enter_queued(ledger))

    (edit,) = sample.edits
    assert (edit.state, edit.image, edit.failure, edit.seconds) == (State.QUEUED, None, None, None)


def test_a_failed_edit_has_its_kind_and_reason(ledger: Ledger) -> None:
    run_id = enter_queued(ledger)
    ledger.fail(claimed(ledger, job_ids(ledger, Stage.EDIT, run_id)[0]), Failure(FailureKind.INPUT, "未知指令"))

    (sample,) = recorded_samples(ledger.engine, run_id)
    assert (sample.edits[0].state, sample.edits[0].failure) == (State.FAILED, RecordedFailure("input", "未知指令"))


def test_a_score_has_what_its_judge_said(ledger: Ledger) -> None:
    (score_id,) = queued_scores(ledger)
    detail = {"reasoning": "好", "criteria": {"realism": 7, "not a number": "x"}}
    finish_score(ledger, claimed_scores(ledger, [score_id])[0], 6.5, seconds=2.5, detail=detail)

    (score,) = recorded_samples(ledger.engine, _only_run(ledger))[0].edits[0].scores
    assert (score.value, score.reasoning, score.criteria, score.seconds) == (6.5, "好", {"realism": 7.0}, 2.5)
    assert score.failure is None


def test_an_unreadable_reply_is_kept_with_its_failure(ledger: Ledger) -> None:
    (score_id,) = queued_scores(ledger)
    failure = Failure(FailureKind.MODEL, "the reply names no score", detail={"reply": "Hm."})
    ledger.fail(claimed_scores(ledger, [score_id])[0], failure)

    (score,) = recorded_samples(ledger.engine, _only_run(ledger))[0].edits[0].scores
    assert score.failure == RecordedFailure("model", "the reply names no score", "Hm.")


def test_what_was_done_again_is_marked(engine: Engine) -> None:
    edits = [Edit(IMAGE, scores={"s": Score(3, retried=True)}), Edit(IMAGE, retried=True)]
    enter(engine, "a" * 12, [Sample("k", "1" * 64, edits)], [Scorer("s")])

    first, second = recorded_samples(engine, "a" * 12)[0].edits
    assert (first.retried, first.scores[0].retried, second.retried) == (False, True, True)


def test_an_edit_without_detail_is_read(ledger: Ledger) -> None:
    run_id = enter_queued(ledger)
    finish_edit(ledger, claimed(ledger, job_ids(ledger, Stage.EDIT, run_id)[0]), IMAGE, seconds=1.0, detail=None)

    assert recorded_samples(ledger.engine, run_id)[0].edits[0].image == IMAGE


def _only_run(ledger: Ledger) -> str:
    (run,) = all_runs(ledger.engine)
    return run.id
