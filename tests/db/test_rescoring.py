"""New scores on edits that are there: copied with what came of them, shared while they are open, never made again."""

from __future__ import annotations

from threading import Thread
from typing import Any

import pytest
from sqlalchemy import Row, event, func, select, update

from db.configuration import RunConfiguration
from db.engine import reading, transaction
from db.errors import WrongCall
from db.images import FolderStore
from db.intake import MANY
from db.jobs import Failure
from db.ledger import Ledger
from db.queries import all_runs, find_run, progress_of, shared_edits
from db.rescoring import enter_rescore
from db.tables import FailureKind, Stage, State, edits, runs, scores
from db.upkeep.finding import Inspection
from db.upkeep.jobs import missing_edits, missing_scores, needless_edits, stray_scores
from tests.db.steps import IMAGE, claimant, claimed, finish_edit, job, job_ids
from tests.factories import configuration, enter

OTHER_IMAGE = "f" * 64
OTHERS = [{"name": "simulated", "label": "other"}, {"name": "simulated", "label": "twice", "repeats": 2}]


def other(**given: Any) -> RunConfiguration:
    """Return the configuration of the same edits with other scorers."""
    return configuration(scorers=OTHERS, **given)


def rows(ledger: Ledger, run_id: str) -> list[Row[Any]]:
    """Return the run's edits by sample and repeat."""
    query = select(edits).where(edits.c.run_id == run_id).order_by(edits.c.sample_id, edits.c.repeat)
    with reading(ledger.engine) as connection:
        return list(connection.execute(query))


def make(ledger: Ledger, edit_id: int, image: str = IMAGE) -> None:
    assert finish_edit(ledger, claimed(ledger, edit_id), image, seconds=2.5, detail={"steps": 8}) is not None


def mixed(ledger: Ledger, **given: Any) -> str:
    """Enter a run of which one edit is done, one failed, two are cancelled."""
    run_id = enter(ledger, 4, **given)
    done, failed, _running, _waiting = job_ids(ledger, Stage.EDIT, run_id)
    make(ledger, done)
    ledger.fail(claimed(ledger, failed), Failure(FailureKind.INPUT, "no such instruction", detail={"said": "?"}))
    claimed(ledger, job_ids(ledger, Stage.EDIT, run_id)[2])
    ledger.cancel(run_id)
    return run_id


def test_every_edit_is_there_with_what_came_of_it(ledger: Ledger) -> None:
    run_id = mixed(ledger)

    new_id, new = enter_rescore(ledger.engine, run_id, other())

    assert new
    copies, originals = rows(ledger, new_id), rows(ledger, run_id)
    assert [row.state for row in copies] == ["done", "failed", "cancelled", "cancelled"]
    for name in (
        *("sample_id", "repeat", "image", "seconds", "detail", "environment"),
        *("failure_kind", "failure_reason", "finished_at"),
    ):
        assert [row._mapping[name] for row in copies] == [row._mapping[name] for row in originals], name
    assert [row.made_for for row in copies] == [run_id, None, None, None]
    assert shared_edits(ledger.engine, new_id) == {run_id: 1}


def test_what_is_done_has_its_new_scores_waiting_and_nothing_else_has(ledger: Ledger) -> None:
    new_id, _ = enter_rescore(ledger.engine, mixed(ledger), other())

    waiting = [job(ledger, Stage.SCORE, number) for number in job_ids(ledger, Stage.SCORE, new_id)]
    assert [(row.state, row.published_at) for row in waiting] == [("queued", None)] * 3
    assert {row.edit_id for row in waiting} == {rows(ledger, new_id)[0].id}


def test_the_first_run_is_left_as_it_was(ledger: Ledger) -> None:
    run_id = mixed(ledger)
    before, jobs = rows(ledger, run_id), job_ids(ledger, Stage.SCORE, run_id)

    enter_rescore(ledger.engine, run_id, other())

    assert (rows(ledger, run_id), job_ids(ledger, Stage.SCORE, run_id)) == (before, jobs)


def test_asking_again_finds_the_same_run_and_changes_nothing(ledger: Ledger) -> None:
    run_id = mixed(ledger)
    first = enter_rescore(ledger.engine, run_id, other())

    second = enter_rescore(ledger.engine, run_id, other())

    assert (second, first[1]) == ((first[0], False), True)
    assert [row.state for row in rows(ledger, first[0])] == ["done", "failed", "cancelled", "cancelled"]
    assert enter_rescore(ledger.engine, run_id, configuration()) == (run_id, False)  # these scorers it has


def test_a_rescored_run_can_be_rescored(ledger: Ledger) -> None:
    run_id = mixed(ledger)
    second, _ = enter_rescore(ledger.engine, run_id, other())

    third, _ = enter_rescore(ledger.engine, second, configuration(scorers=["psnr"]))

    assert shared_edits(ledger.engine, third) == {run_id: 1}  # by whom it was made, not where it was copied from


def test_an_edit_that_was_retried_stays_marked(ledger: Ledger) -> None:
    run_id = mixed(ledger)
    ledger.retry(run_id)
    make(ledger, rows(ledger, run_id)[1].id)

    new_id, _ = enter_rescore(ledger.engine, run_id, other())

    assert [row.retried for row in rows(ledger, new_id)] == [False, True, False, False]


def test_edits_that_are_open_are_made_once_for_both(ledger: Ledger) -> None:
    run_id = enter(ledger, 2)
    running, waiting = job_ids(ledger, Stage.EDIT, run_id)
    claim = claimed(ledger, running)

    new_id, _ = enter_rescore(ledger.engine, run_id, other())
    assert [row.state for row in rows(ledger, new_id)] == ["queued", "queued"]
    assert finish_edit(ledger, claim, IMAGE, seconds=1.0) is not None
    make(ledger, waiting)

    assert [(row.state, row.made_for) for row in rows(ledger, new_id)] == [("done", run_id)] * 2
    assert progress_of(ledger.engine, new_id).scores[State.QUEUED] == 6


def test_an_edit_that_is_finished_while_its_run_is_rescored_is_handed_on(ledger: Ledger) -> None:
    run_id = enter(ledger, 1)
    claim = claimed(ledger, job_ids(ledger, Stage.EDIT, run_id)[0])
    finisher = Thread(target=lambda: finish_edit(ledger, claim, IMAGE, seconds=1.0))
    waited = []

    def finish(_: object) -> None:
        if finisher.ident is None:
            finisher.start()
            finisher.join(0.5)
            waited.append(finisher.is_alive())

    event.listen(ledger.engine, "commit", finish)
    try:
        new_id, _ = enter_rescore(ledger.engine, run_id, other())
    finally:
        event.remove(ledger.engine, "commit", finish)
    finisher.join(20)

    assert waited == [True]
    assert [row.state for row in rows(ledger, new_id)] == ["done"]


def test_a_run_that_shares_nothing_is_rescored_only_when_its_edits_are_done(ledger: Ledger) -> None:
    run_id = enter(ledger, 1, fresh=True)
    with pytest.raises(WrongCall, match="shares its edits with no other run, and 1 of them are still to come"):
        enter_rescore(ledger.engine, run_id, other())
    assert len(all_runs(ledger.engine)) == 1

    make(ledger, rows(ledger, run_id)[0].id, OTHER_IMAGE)
    new_id, _ = enter_rescore(ledger.engine, run_id, other())

    assert [row.image for row in rows(ledger, new_id)] == [OTHER_IMAGE]
    with reading(ledger.engine) as connection:
        assert connection.scalar(select(runs.c.editing).where(runs.c.id == new_id)) is None


def test_a_run_of_the_same_that_has_other_edits_is_not_taken_for_it(ledger: Ledger) -> None:
    asked_first = enter(ledger, 1, scorers=OTHERS)
    make(ledger, rows(ledger, asked_first)[0].id)
    run_id = enter(ledger, 1, fresh=True)
    make(ledger, rows(ledger, run_id)[0].id, OTHER_IMAGE)

    with pytest.raises(WrongCall, match=f"run {asked_first} asked for these scores before, of edits of its own"):
        enter_rescore(ledger.engine, run_id, other())


def test_the_benchmarks_own_prompts_go_on_with_it(ledger: Ledger) -> None:
    run_id = mixed(ledger)
    with transaction(ledger.engine) as connection:
        connection.execute(update(runs).where(runs.c.id == run_id).values(prompts={"物理": {"user": "?"}}))

    new_id, _ = enter_rescore(ledger.engine, run_id, other())

    assert find_run(ledger.engine, new_id).prompts == {"物理": {"user": "?"}}


def test_fsck_finds_nothing_wrong_with_it(ledger: Ledger, images: FolderStore) -> None:
    new_id, _ = enter_rescore(ledger.engine, mixed(ledger, repeats=1), other())

    inspection = Inspection(ledger, images, find_run(ledger.engine, new_id))
    for check in (missing_edits, needless_edits, stray_scores, missing_scores):
        assert list(check(inspection)) == [], check


def test_what_was_cancelled_can_be_resumed_and_what_failed_retried(ledger: Ledger) -> None:
    run_id = mixed(ledger)
    new_id, _ = enter_rescore(ledger.engine, run_id, other())

    assert (ledger.resume(new_id), ledger.retry(new_id)) == (2, 1)
    for row in rows(ledger, new_id)[1:]:
        make(ledger, row.id)

    assert {row.state for row in rows(ledger, new_id)} == {"done"}


def test_the_priority_is_that_which_is_asked_for(ledger: Ledger) -> None:
    new_id, _ = enter_rescore(ledger.engine, mixed(ledger), other(priority="high"))

    assert find_run(ledger.engine, new_id).priority == "high"


def test_a_large_run_is_rescored_by_a_handful_of_statements(ledger: Ledger) -> None:
    run_id = enter(ledger, 3 * MANY)
    with transaction(ledger.engine) as connection:
        done = {"state": "done", "image": IMAGE, "attempt": 1, "finished_at": 1.0}
        connection.execute(update(edits).where(edits.c.run_id == run_id).values(**done))

    new_id, _ = enter_rescore(ledger.engine, run_id, other())

    with reading(ledger.engine) as connection:
        count = select(func.count()).select_from(scores.join(edits, scores.c.edit_id == edits.c.id))
        assert connection.scalar(count.where(edits.c.run_id == new_id)) == 9 * MANY
    assert ledger.claim_scores(scores.c.edit_id == rows(ledger, new_id)[-1].id, claimant())
