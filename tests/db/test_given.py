"""Images that were given are the edits of their run: in whole or not at all, scored like any, and never made here."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sqlalchemy import Row, delete, event, select, update

from db.configuration import resolve_configuration
from db.engine import reading, transaction
from db.errors import WrongCall
from db.failed import failed_jobs
from db.given import asked_positions, enter_given, with_images
from db.images import FolderStore
from db.jobs import Failure
from db.lately import finished_lately, nothing_lately
from db.ledger import Ledger
from db.outlook import Lookout
from db.queries import all_runs, find_run, progress_of, shared_edits
from db.rescoring import enter_rescore
from db.tables import FailureKind, Stage, State, edits, runs, scores
from db.upkeep.finding import Inspection, Standing
from db.upkeep.fsck import findings
from tests.db.given_runs import LOOKED_FOR, asked, enter_images, given_edits, samples_of
from tests.db.steps import claimed_scores, edit_outcomes, finish_score, job, job_ids, score_outcomes
from tests.factories import configuration, enter, png

RED, BLUE = "a" * 64, "b" * 64
TWO_SCORERS = [{"name": "simulated", "label": "mild"}, {"name": "simulated", "label": "twice", "repeats": 2}]


def rows(ledger: Ledger, run_id: str) -> list[Row[Any]]:
    """Return the run's edits by sample and repeat."""
    query = select(edits).where(edits.c.run_id == run_id).order_by(edits.c.sample_id, edits.c.repeat)
    with reading(ledger.engine) as connection:
        return list(connection.execute(query))


def states(ledger: Ledger, run_id: str) -> list[str]:
    return [row.state for row in rows(ledger, run_id)]


def stored(images: FolderStore, colour: str) -> str:
    return images.put(png(colour=colour))


# -- entered -----------------------------------------------------------------------------------------------------------


def test_an_image_is_a_done_edit_and_none_a_failure_that_says_what_was_looked_for(ledger: Ledger) -> None:
    run_id, new = enter_images(ledger, [RED, None])

    assert new
    done, missing = rows(ledger, run_id)
    assert (done.state, done.image, done.attempt, done.failure_kind) == ("done", RED, 1, None)
    assert (missing.state, missing.failure_kind, missing.failure_reason) == ("failed", "missing", LOOKED_FOR)
    assert missing.image is None


def test_scores_wait_for_what_has_an_image_and_a_message_is_owed_for_each(ledger: Ledger) -> None:
    run_id, _ = enter_images(ledger, [RED, None, BLUE], scorers=TWO_SCORERS)

    waiting = [job(ledger, Stage.SCORE, number) for number in job_ids(ledger, Stage.SCORE, run_id)]
    assert [(row.state, row.published_at) for row in waiting] == [("queued", None)] * 6
    first, _, last = (row.id for row in rows(ledger, run_id))
    assert [row.edit_id for row in waiting] == [first] * 3 + [last] * 3
    assert not progress_of(ledger.engine, run_id).edits.open


def test_the_same_images_are_the_same_run_and_others_are_another(ledger: Ledger) -> None:
    first = enter_images(ledger, [RED, None])

    assert enter_images(ledger, [RED, None]) == (first[0], False)
    others = [
        enter_images(ledger, [RED, BLUE]),
        enter_images(ledger, [BLUE, None]),
        enter_images(ledger, {(0, 0): RED, (1, 0): None, (0, 1): RED, (1, 1): RED}),
        enter_images(ledger, [RED, None], label="others"),
    ]
    assert all(new for _, new in others)
    assert len({first[0], *(run_id for run_id, _ in others)}) == len(all_runs(ledger.engine)) == 5


def test_the_order_in_which_images_come_changes_nothing() -> None:
    edits = given_edits([RED, BLUE, None])

    assert with_images(asked(), edits) == with_images(asked(), edits[::-1])


def test_every_repeat_of_a_sample_has_its_own_image(ledger: Ledger) -> None:
    run_id, _ = enter_images(ledger, {(0, 0): RED, (0, 1): BLUE, (1, 0): RED, (1, 1): None})

    assert [(row.repeat, row.image) for row in rows(ledger, run_id)] == [(0, RED), (1, BLUE), (0, RED), (1, None)]
    assert find_run(ledger.engine, run_id).configuration["repeats"] == 2


def test_scores_come_from_every_category_early(ledger: Ledger) -> None:
    categories = ["物理"] * 4 + ["社会"] * 4
    run_id, _ = enter_images(ledger, [RED] * 8, benchmark=samples_of(ledger, categories))

    by_edit = {row.id: row.category for row in edit_outcomes(ledger.engine, run_id)}
    in_order = [by_edit[job(ledger, Stage.SCORE, one).edit_id] for one in job_ids(ledger, Stage.SCORE, run_id)]
    assert in_order == ["物理", "社会"] * 4


def test_they_are_shared_with_nobody_that_makes_edits_of_the_same_samples(ledger: Ledger) -> None:
    run_id, _ = enter_images(ledger, [RED])
    other = enter(ledger, 1)
    second, _ = enter_images(ledger, [BLUE])

    assert [states(ledger, one) for one in (run_id, other, second)] == [["done"], ["queued"], ["done"]]
    with reading(ledger.engine) as connection:
        assert connection.scalar(select(runs.c.editing).where(runs.c.id == run_id)) is None


@pytest.mark.parametrize("limit", [None, 1, 2, 100])
def test_what_is_asked_for_is_known_before_samples_are_in(ledger: Ledger, limit: int | None) -> None:
    asking = asked(limit=limit)
    names = [("物理", f"p-{position}") for position in range(3)]
    positions = asked_positions(names, asking)
    of_run = given_edits({(position, 0): RED for position in sorted(positions)})

    benchmark = samples_of(ledger, ["物理"] * 3)
    run_id, _ = enter_given(ledger.engine, benchmark, with_images(asking, of_run), of_run, {})

    assert len(positions) == min(limit or 3, 3)
    assert list(findings(Inspection(ledger, _NoFaults()))) == []
    assert len(rows(ledger, run_id)) == len(positions)


class _NoFaults(FolderStore):
    """A store in which every image is whole."""

    def __init__(self) -> None: ...

    def fault(self, digest: str) -> str | None:
        return None


def test_a_large_run_is_entered_by_a_handful_of_statements_and_soon(ledger: Ledger) -> None:
    many = 10_000
    benchmark = samples_of(ledger, ["物理"] * many)
    statements = []
    event.listen(ledger.engine, "before_cursor_execute", lambda *_: statements.append(1))
    began = time.monotonic()

    run_id, _ = enter_images(ledger, [RED] * many, benchmark=benchmark)

    assert time.monotonic() - began < 20  # it takes one or two
    assert len(statements) < 25
    assert progress_of(ledger.engine, run_id).scores[State.QUEUED] == many


# -- never made here ---------------------------------------------------------------------------------------------------


def test_what_is_missing_is_queued_neither_by_retry_nor_by_resume(ledger: Ledger) -> None:
    run_id, _ = enter_images(ledger, [RED, None])
    (score,) = claimed_scores(ledger, job_ids(ledger, Stage.SCORE, run_id))
    ledger.fail(score, Failure(FailureKind.MODEL, "no"))

    assert ledger.retry(run_id, failed_jobs(ledger.engine, run_id, kinds=[], categories=["物理"])) == 1
    assert ledger.retry(run_id) == 0
    ledger.cancel(run_id)
    assert ledger.resume(run_id) == 1

    assert states(ledger, run_id) == ["done", "failed"]


def test_a_retry_of_what_is_missing_says_what_to_do_instead(ledger: Ledger) -> None:
    run_id, _ = enter_images(ledger, [None])

    with pytest.raises(WrongCall, match="add it to what --edits names and submit that again"):
        failed_jobs(ledger.engine, run_id, kinds=["missing"], categories=[])


def test_no_worker_is_offered_an_edit_even_where_someone_queued_one_by_hand(ledger: Ledger) -> None:
    run_id, _ = enter_images(ledger, [RED, None])
    with transaction(ledger.engine) as connection:
        by_hand = update(edits).where(edits.c.run_id == run_id, edits.c.state == State.FAILED)
        connection.execute(by_hand.values(state="queued", failure_kind=None, failure_reason=None, finished_at=None))

    with ledger.read() as (connection, now):
        openings = Lookout().look(connection, now).openings

    assert [(one.stage, one.waiting, one.to_come) for one in openings] == [(Stage.SCORE, 1, 0)]


def test_a_lost_image_is_not_made_anew_but_submitted_again(ledger: Ledger, images: FolderStore) -> None:
    benchmark = samples_of(ledger, ["物理"], source=stored(images, "teal"))
    red = stored(images, "red")
    run_id, _ = enter_images(ledger, [red], benchmark=benchmark)
    images.path(red).unlink()

    (found,) = findings(Inspection(ledger, images))

    remedy = "submit the images again with --edits, which stores it anew"
    assert (found.standing, found.remedy) == (Standing.LEFT, remedy)
    assert states(ledger, run_id) == ["done"]
    assert progress_of(ledger.engine, run_id).scores.total == 1


def test_a_deleted_edit_is_not_queued_but_entered_again_with_its_image(ledger: Ledger, images: FolderStore) -> None:
    benchmark = samples_of(ledger, ["物理", "物理"], source=stored(images, "teal"))
    both = [stored(images, "red"), stored(images, "blue")]
    run_id, _ = enter_images(ledger, both, benchmark=benchmark)
    with transaction(ledger.engine) as connection:
        gone = select(edits.c.id).where(edits.c.image == both[1])
        connection.execute(delete(scores).where(scores.c.edit_id.in_(gone)))
        connection.execute(delete(edits).where(edits.c.image == both[1]))

    (found,) = findings(Inspection(ledger, images))
    assert found.standing is Standing.LEFT
    assert states(ledger, run_id) == ["done"]

    assert enter_images(ledger, both, benchmark=benchmark) == (run_id, False)
    assert [row.image for row in rows(ledger, run_id)] == both
    assert progress_of(ledger.engine, run_id).scores.by_state == {State.QUEUED: 2}
    assert list(findings(Inspection(ledger, images))) == []


# -- as any other run --------------------------------------------------------------------------------------------------


def test_asking_again_changes_nothing_of_what_came_of_it(ledger: Ledger) -> None:
    run_id, _ = enter_images(ledger, [RED, None])
    (score,) = claimed_scores(ledger, job_ids(ledger, Stage.SCORE, run_id))
    finish_score(ledger, score, 7.0, seconds=1.0)

    enter_images(ledger, [RED, None])

    assert [row.value for row in score_outcomes(ledger.engine, run_id)] == [7.0]
    assert states(ledger, run_id) == ["done", "failed"]


def test_other_scorers_judge_the_same_images_and_what_is_missing_stays_so(ledger: Ledger) -> None:
    run_id, _ = enter_images(ledger, [RED, None])
    run = find_run(ledger.engine, run_id)

    again = resolve_configuration({**run.configuration, "scorers": ["psnr"]})
    new_id, new = enter_rescore(ledger.engine, run_id, again)

    assert new
    assert [(row.state, row.image, row.failure_kind) for row in rows(ledger, new_id)] == [
        ("done", RED, None),
        ("failed", None, "missing"),
    ]
    assert shared_edits(ledger.engine, new_id) == {run_id: 1}
    assert find_run(ledger.engine, new_id).is_given
    assert ledger.retry(new_id) == 0
    assert enter_images(ledger, [RED, None], scorers=["psnr"]) == (new_id, False)


def test_what_is_missing_is_counted_beside_how_fast_it_goes(ledger: Ledger) -> None:
    run_id, _ = enter_images(ledger, [RED, None, None])

    lately = finished_lately(ledger.engine, run_id)

    assert (lately.finished, lately.missing, lately.reasons()) == ([], 2, " (2 missing)")
    assert nothing_lately(ledger.engine, run_id).missing == 2
    assert finished_lately(ledger.engine, enter(ledger)).reasons() == ""


def test_the_name_stands_for_no_folder_of_weights(ledger: Ledger, tmp_path: Any, monkeypatch: Any) -> None:
    run_id, _ = enter_images(ledger, [RED])
    (tmp_path / "given").mkdir()
    monkeypatch.chdir(tmp_path)

    stored = find_run(ledger.engine, run_id).configuration

    assert resolve_configuration(stored).shaping() == stored


def test_nothing_that_is_not_a_digest_is_taken_for_the_images() -> None:
    with pytest.raises(WrongCall, match="images"):
        configuration(editor={"name": "given", "images": "../x"})


def test_of_no_samples_none_is_asked_for() -> None:
    assert asked_positions([], asked()) == set()
