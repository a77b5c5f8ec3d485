"""`fsck`: whatever can go wrong with images and jobs is found, and what can be mended is."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, insert, select, update

from db.doorbells import take_owed
from db.images import FolderStore
from db.ledger import Ledger
from db.queries import progress_of
from db.tables import Stage, State, edits, run_scorers, samples, scores
from db.upkeep.finding import Finding, Standing, Tally
from tests.db.checked_farm import (
    REFERENCE,
    changed,
    checked,
    edited,
    entered,
    finished,
    finished_run,
    lose,
    source,
    work,
)
from tests.db.steps import claimed, finish_edit, job, job_ids


@pytest.fixture
def run_id(ledger: Ledger, images: FolderStore) -> str:
    return finished_run(ledger, images)


# -- a sound farm ------------------------------------------------------------------------------------------------------


def test_nothing_is_wrong_with_a_run_at_any_time(ledger: Ledger, images: FolderStore) -> None:
    run_id = entered(ledger, images, count=3, repeats=2, limit=2)
    assert checked(ledger, images) == []
    edit_ids = job_ids(ledger, Stage.EDIT, run_id)
    assert finish_edit(ledger, claimed(ledger, edit_ids[0]), images.put(edited(1)), seconds=1)
    assert checked(ledger, images) == []
    work(ledger, images, run_id)
    assert checked(ledger, images) == checked(ledger, images, run_id) == []
    assert finished(ledger, run_id)


# -- images ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("damage", "fault"), [(None, "missing"), (b"", "damaged"), (edited(1)[:-1], "damaged")])
def test_an_edit_whose_image_is_lost_is_made_again_and_the_run_finishes(
    ledger: Ledger, images: FolderStore, run_id: str, damage: bytes | None, fault: str
) -> None:
    edit_id = job_ids(ledger, Stage.EDIT, run_id)[0]
    lost = lose(images, edited(edit_id), damage)

    (finding,) = checked(ledger, images)

    assert finding.standing is Standing.REPAIRED
    assert finding.where == f"run {run_id}, edit {edit_id} of 'p-0' (物理)"
    assert finding.what == f"edited image {lost} is {fault}"
    assert [bell.job_id for bell in take_owed(ledger, Stage.EDIT)] == [edit_id]
    assert progress_of(ledger.engine, run_id).scores.total == 2
    work(ledger, images, run_id)
    assert images.get(lost) == edited(edit_id)
    assert finished(ledger, run_id)
    assert checked(ledger, images) == []


@pytest.mark.parametrize(("content", "use"), [(source(0), "source"), (REFERENCE, "reference")])
@pytest.mark.parametrize("damage", [None, b"half"], ids=["missing", "damaged"])
def test_a_lost_image_of_a_sample_is_left_to_another_submit(
    ledger: Ledger, images: FolderStore, run_id: str, content: bytes, use: str, damage: bytes | None
) -> None:
    lost = lose(images, content, damage)

    found = checked(ledger, images)

    assert {finding.standing for finding in found} == {Standing.LEFT}
    assert found[0].where == "benchmark '评测', sample 'p-0' (物理)"
    assert found[0].what == f"{use} image {lost} is {'missing' if damage is None else 'damaged'}"
    assert found[0].remedy.startswith("submit the benchmark again")
    assert finished(ledger, run_id)
    images.put(content)
    assert checked(ledger, images) == []


def test_no_edit_is_made_again_that_could_only_fail(ledger: Ledger, images: FolderStore, run_id: str) -> None:
    edit_id = job_ids(ledger, Stage.EDIT, run_id)[0]
    lose(images, edited(edit_id))
    lose(images, source(0))

    found = checked(ledger, images)

    assert [finding.standing for finding in found] == [Standing.LEFT, Standing.LEFT]
    assert found[1].what.endswith("is missing, and so is its source")
    assert finished(ledger, run_id)
    images.put(source(0))
    assert [finding.standing for finding in checked(ledger, images)] == [Standing.REPAIRED]


def test_the_wrong_folder_of_images_costs_no_score(ledger: Ledger, images: FolderStore, run_id: str) -> None:
    nowhere = FolderStore(images.folder.parent / "nowhere")

    found = checked(ledger, nowhere)

    assert {finding.standing for finding in found} == {Standing.LEFT}
    assert len(found) == 6  # two sources, two references, two edits
    assert finished(ledger, run_id)


def test_what_a_gc_that_died_has_set_aside_is_put_back(ledger: Ledger, images: FolderStore, run_id: str) -> None:
    images.set_aside(list(images.stored()))

    assert checked(ledger, images) == []
    assert list(images.all_set_aside()) == []


def test_a_run_is_checked_by_itself(ledger: Ledger, images: FolderStore, run_id: str) -> None:
    other = entered(ledger, images, count=3, limit=1)
    lose(images, source(2))
    lose(images, edited(job_ids(ledger, Stage.EDIT, run_id)[1]))

    assert checked(ledger, images, other) == []
    assert len(checked(ledger, images, run_id)) == 1
    assert len(checked(ledger, images)) == 1


# -- jobs --------------------------------------------------------------------------------------------------------------


def test_a_score_that_a_done_edit_lacks_is_queued(ledger: Ledger, images: FolderStore, run_id: str) -> None:
    gone = job_ids(ledger, Stage.SCORE, run_id)[2]
    edit_id = job(ledger, Stage.SCORE, gone).edit_id
    changed(ledger.engine, delete(scores).where(scores.c.id == gone))

    (finding,) = checked(ledger, images)

    assert (finding.where, finding.what) == (f"run {run_id}, edit {edit_id} of 'p-1' (物理)", "no score by 严")
    assert finding.standing is Standing.REPAIRED
    assert len(take_owed(ledger, Stage.SCORE)) == 1
    work(ledger, images, run_id)
    assert finished(ledger, run_id)
    assert progress_of(ledger.engine, run_id).scores.total == 4


def test_a_score_of_an_edit_that_is_not_done_is_forgotten(ledger: Ledger, images: FolderStore, run_id: str) -> None:
    edit_id = job_ids(ledger, Stage.EDIT, run_id)[0]
    again = {"state": "queued", "image": None, "finished_at": None, "attempts_allowed": 9}
    changed(ledger.engine, update(edits).where(edits.c.id == edit_id).values(**again))

    found = checked(ledger, images)

    assert [(finding.what, finding.standing) for finding in found] == [("its edit is queued", Standing.REPAIRED)] * 2
    assert found[0].remedy == "score forgotten (value 7)"
    work(ledger, images, run_id)
    assert finished(ledger, run_id)


def test_a_score_by_the_scorer_of_another_run_is_forgotten(ledger: Ledger, images: FolderStore, run_id: str) -> None:
    other = entered(ledger, images, seed=1)
    edit_id = job_ids(ledger, Stage.EDIT, run_id)[0]
    scorer = select(run_scorers.c.id).where(run_scorers.c.run_id == other).scalar_subquery()
    changed(ledger.engine, insert(scores).values(edit_id=edit_id, scorer_id=scorer, state="queued", not_before=0))

    (finding,) = checked(ledger, images)

    assert (finding.what, finding.standing) == ("its scorer is of another run", Standing.REPAIRED)
    assert progress_of(ledger.engine, run_id).scores.total == 4
    assert progress_of(ledger.engine, other).scores.total == 0


def test_an_edit_that_a_run_lacks_is_queued(ledger: Ledger, images: FolderStore) -> None:
    run_id = entered(ledger, images, count=3, repeats=2, limit=2)
    gone = job_ids(ledger, Stage.EDIT, run_id)[3]
    changed(ledger.engine, delete(edits).where(edits.c.id == gone))

    (finding,) = checked(ledger, images)

    assert (finding.where, finding.what) == (f"run {run_id}, sample 'p-1' (物理)", "no edit of repeat 1")
    assert finding.standing is Standing.REPAIRED
    assert progress_of(ledger.engine, run_id).edits.by_state == {State.QUEUED: 4}
    assert checked(ledger, images) == []


@pytest.mark.parametrize(("position", "repeat"), [(0, 1), (2, 0)], ids=["beyond its repeats", "beyond its limit"])
def test_an_edit_that_its_run_does_not_ask_for_is_named_and_left(
    ledger: Ledger, images: FolderStore, position: int, repeat: int
) -> None:
    run_id = entered(ledger, images, count=3, limit=2)
    sample = select(samples.c.id).where(samples.c.position == position).scalar_subquery()
    extra = {"run_id": run_id, "sample_id": sample, "repeat": repeat, "state": "queued", "not_before": 0}
    changed(ledger.engine, insert(edits).values(**extra))

    (finding,) = checked(ledger, images)

    assert (finding.what, finding.standing) == ("its run does not ask for it", Standing.LEFT)
    assert f"of 'p-{position}' (物理), repeat {repeat}" in finding.where


# -- a dry run ---------------------------------------------------------------------------------------------------------


def test_a_dry_run_names_the_same_and_changes_nothing(ledger: Ledger, images: FolderStore, run_id: str) -> None:
    edit_ids, score_ids = job_ids(ledger, Stage.EDIT, run_id), job_ids(ledger, Stage.SCORE, run_id)
    lose(images, edited(edit_ids[0]))
    changed(ledger.engine, delete(scores).where(scores.c.id == score_ids[3]))

    dry = checked(ledger, images, repair=False)

    assert checked(ledger, images, repair=False) == dry
    assert {finding.standing for finding in dry} == {Standing.REPAIRABLE}
    assert "without --dry-run: edit queued again" in str(dry[0])
    assert progress_of(ledger.engine, run_id).edits.by_state == {State.DONE: 2}
    assert progress_of(ledger.engine, run_id).scores.by_state == {State.DONE: 3}
    wet = checked(ledger, images)
    assert [(finding.where, finding.what) for finding in wet] == [(finding.where, finding.what) for finding in dry]


def test_a_tally_counts_what_passes_and_knows_whether_anything_is_left() -> None:
    repaired, left = (Finding("here", "broken", standing, "-") for standing in (Standing.REPAIRED, Standing.LEFT))
    none, one, both = Tally(), Tally(), Tally()
    assert list(one.counted([repaired])) == [repaired]
    list(both.counted([repaired, left, left]))

    assert [tally.all_repaired for tally in (none, one, both)] == [True, True, False]
    assert [str(tally) for tally in (none, one, both)] == [
        "nothing is wrong",
        "1 found: 1 repaired",
        "3 found: 1 repaired, 2 left for you",
    ]
