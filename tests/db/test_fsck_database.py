"""`fsck` of the database itself, and of a ledger too large to be held in memory."""

from __future__ import annotations

import sqlite3
import tracemalloc
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select, text, update

from db.engine import open_engine, reading, transaction
from db.images import FolderStore
from db.intake import enter_run, enter_samples
from db.ledger import Ledger
from db.queries import find_run
from db.tables import Stage, edits, run_scorers
from db.upkeep.finding import Inspection, Standing, Tally
from db.upkeep.fsck import findings
from db.upkeep.pages import PAGE, pages
from tests.db.checked_farm import changed, checked, edited, entered, finished, finished_run, lose, work
from tests.db.steps import job_ids
from tests.factories import configuration, content_digest, png

LARGE = 10_000
"""Samples that would take 10 MB and more if they were held at once."""


# -- the database itself -----------------------------------------------------------------------------------------------


def test_rows_that_break_a_rule_are_named(ledger: Ledger, images: FolderStore) -> None:
    (broken, *_) = job_ids(ledger, Stage.SCORE, finished_run(ledger, images))
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
