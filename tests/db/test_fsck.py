"""fsck: what the ledger says is in the store, whole, and every run has the jobs that it asks for."""

from __future__ import annotations

import sqlite3
import tracemalloc
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert, select, text, update

from db.doorbells import take_owed
from db.engine import open_engine, reading, transaction
from db.images import FolderStore, digest_of
from db.intake import enter_run, enter_samples
from db.ledger import Ledger
from db.queries import find_run, progress_of
from db.tables import Stage, State, edits, run_scorers, samples, scores
from db.upkeep.finding import Finding, Inspection, Standing, Tally
from db.upkeep.fsck import findings
from db.upkeep.pages import PAGE, pages
from tests.db.steps import claimed, claimed_scores, finish_edit, finish_score, job, job_ids
from tests.factories import configuration, content_digest, png

REFERENCE = png(colour="white")

LARGE = 10_000
"""Samples that would take 10 MB and more if they were held at once."""


def entered(ledger: Ledger, images: FolderStore, count: int = 2, **given: Any) -> str:
    """Enter a run of a benchmark whose images are in the store; return its id."""
    rows = [
        {
            "position": position,
            "key": f"p-{position}",
            "category": "物理",
            "instruction": "make it rain",
            "description": None,
            "source_image": images.put(source(position)),
            "reference_image": images.put(REFERENCE),
        }
        for position in range(count)
    ]
    benchmark = content_digest(rows)
    enter_samples(ledger.engine, benchmark, "评测", count, [rows])
    return enter_run(ledger.engine, benchmark, configuration(**given))[0]


def source(position: int) -> bytes:
    return png(width=position + 1)


def edited(edit_id: int) -> bytes:
    return png(height=edit_id + 1, colour="navy")


def work(ledger: Ledger, images: FolderStore, run_id: str) -> None:
    """Do whatever of the run waits, as workers would."""
    for edit_id in job_ids(ledger, Stage.EDIT, run_id):
        if job(ledger, Stage.EDIT, edit_id).state == State.QUEUED:
            claim = claimed(ledger, edit_id)
            images.get(claim.source_image)
            assert finish_edit(ledger, claim, images.put(edited(edit_id)), seconds=1.0) is not None
    for score_id in job_ids(ledger, Stage.SCORE, run_id):
        for score in claimed_scores(ledger, [score_id]):
            images.get(score.edited_image)
            assert finish_score(ledger, score, 7.0, seconds=1.0)


@pytest.fixture
def run_id(ledger: Ledger, images: FolderStore) -> str:
    """A run of two samples under two scorers, finished."""
    scorers = [{"name": "simulated", "label": label} for label in ("严", "宽")]
    run_id = entered(ledger, images, scorers=scorers)
    work(ledger, images, run_id)
    return run_id


def checked(ledger: Ledger, images: FolderStore, run_id: str | None = None, *, repair: bool = True) -> list[Finding]:
    run = None if run_id is None else find_run(ledger.engine, run_id)
    return list(findings(Inspection(ledger, images, run, repair=repair)))


def changed(engine: Engine, *statements: Any) -> None:
    """Change the ledger by hand."""
    with transaction(engine) as connection:
        for statement in statements:
            connection.execute(statement)


def lose(images: FolderStore, content: bytes, damage: bytes | None = None) -> str:
    """Lose an image, or leave damaged bytes in its place; return its digest."""
    path = images.path(digest_of(content))
    path.unlink()
    if damage is not None:
        path.write_bytes(damage)
    return path.name


def finished(ledger: Ledger, run_id: str) -> bool:
    return progress_of(ledger.engine, run_id).complete


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


# -- the database itself -----------------------------------------------------------------------------------------------


def test_rows_that_break_a_rule_are_named(ledger: Ledger, images: FolderStore, run_id: str) -> None:
    (broken, *_) = job_ids(ledger, Stage.SCORE, run_id)
    without_rules(ledger.engine, "scores", "value", f"UPDATE scores SET value = NULL WHERE id = {broken}")

    (finding,) = checked(ledger, images)

    assert (finding.where, finding.standing) == (f"scores {broken}", Standing.LEFT)
    assert finding.what == "breaks the rule (state = 'done') = (value IS NOT NULL)"


def without_rules(engine: Engine, table: str, rule: str, statement: str) -> None:
    """Execute a statement that this rule of the table would refuse; the rule holds again for what comes after."""
    with transaction(engine) as connection:
        if engine.dialect.name == "sqlite":
            connection.execute(text("PRAGMA ignore_check_constraints = ON"))
            connection.execute(text(statement))
            connection.execute(text("PRAGMA ignore_check_constraints = OFF"))
            return
        name = f"ck_{table}_{rule}"
        defined = connection.scalar(
            text(f"SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = '{name}'")
        ).removesuffix(" NOT VALID")
        connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))
        connection.execute(text(statement))
        connection.execute(text(f"ALTER TABLE {table} ADD CONSTRAINT {name} {defined} NOT VALID"))


@pytest.fixture
def sqlite_ledger(sqlite_url: str) -> Ledger:
    """A ledger in SQLite: PostgreSQL checks its files and its foreign keys by itself."""
    return Ledger(open_engine(sqlite_url))


def by_hand(ledger: Ledger, *statements: str) -> None:
    """Change the file as someone would who knows nothing of foreign keys."""
    ledger.engine.dispose()
    with closing(sqlite3.connect(str(ledger.engine.url.database))) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def overwrite_page(ledger: Ledger, name: str) -> None:
    """Damage the file where this table or index begins."""
    with reading(ledger.engine) as connection:
        page = connection.scalar(text(f"SELECT rootpage FROM sqlite_master WHERE name = '{name}'")) or 0
        page_bytes = connection.scalar(text("PRAGMA page_size")) or 0
    ledger.engine.dispose()
    with Path(str(ledger.engine.url.database)).open("r+b") as file:
        file.seek((page - 1) * page_bytes)
        file.write(b"\xff" * 100)


def test_a_row_that_names_another_which_is_not_there_is_named(sqlite_ledger: Ledger, images: FolderStore) -> None:
    entered(sqlite_ledger, images, count=1)
    by_hand(
        sqlite_ledger, "INSERT INTO scores (id, state, not_before, edit_id, scorer_id) VALUES (5, 'queued', 0, 9, 1)"
    )

    (finding,) = checked(sqlite_ledger, images)

    assert (finding.where, finding.what) == ("scores 5", "names a row of edits that is not there")
    assert finding.standing is Standing.LEFT
    sqlite_ledger.engine.dispose()


def test_a_damaged_database_file_is_named_and_not_written_to(sqlite_ledger: Ledger, images: FolderStore) -> None:
    run_id = entered(sqlite_ledger, images)
    work(sqlite_ledger, images, run_id)
    lose(images, edited(1))
    overwrite_page(sqlite_ledger, "ix_scores_state_published_at")

    found = checked(sqlite_ledger, images)

    assert {finding.standing for finding in found} == {Standing.LEFT}
    assert all(finding.where.startswith("database ") for finding in found)
    assert finished(sqlite_ledger, run_id)
    sqlite_ledger.engine.dispose()


# -- a large ledger ----------------------------------------------------------------------------------------------------


def test_pages_give_every_row_once_in_order(ledger: Ledger, images: FolderStore) -> None:
    entered(ledger, images)
    rows = [
        {"run_id": find_run(ledger.engine, "latest").id, "label": f"{number:04}", "configuration": {}, "batch_size": 1}
        for number in range(2 * PAGE)
    ]
    changed(ledger.engine, insert(run_scorers).values(rows))
    query = select(run_scorers.c.run_id, run_scorers.c.label)

    found = list(pages(ledger.engine, query, run_scorers.c.run_id, run_scorers.c.label))

    assert [len(page) for page in found] == [PAGE, PAGE, 1]
    assert [row.label for page in found for row in page] == sorted([*(row["label"] for row in rows), "simulated"])


@pytest.mark.slow
def test_memory_does_not_grow_with_the_ledger(sqlite_ledger: Ledger, images: FolderStore) -> None:
    engine = sqlite_ledger.engine
    image = images.put(png())
    sample = {"category": "物理", "instruction": "make it rain", "description": None, "reference_image": None}
    rows = [{**sample, "position": n, "key": f"p-{n}", "source_image": image} for n in range(LARGE)]
    benchmark = content_digest(rows)
    enter_samples(engine, benchmark, "large", LARGE, [rows])
    enter_run(engine, benchmark, configuration())
    done = {"state": "done", "image": image, "finished_at": 1.0, "attempt": 1}  # and no scores
    changed(engine, update(edits).values(**done))
    del rows

    tally = Tally()
    tracemalloc.start()
    for _ in tally.counted(findings(Inspection(sqlite_ledger, images))):
        pass
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert str(tally) == f"{LARGE:,} found: {LARGE:,} repaired"
    assert peak_bytes < 4e6
    engine.dispose()
