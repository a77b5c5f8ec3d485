"""An older ledger is brought up to date when it is opened: nothing in it is lost, and it becomes as a new one is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import IntegrityError

import db
from db.engine import open_engine, reading, transaction
from db.tables import metadata

ROWS = [
    "INSERT INTO benchmarks VALUES ('b', 'made up', 1, 1.0, TRUE)",
    "INSERT INTO samples (id, benchmark_id, position, key, category, instruction, source_image)"
    " VALUES (1, 'b', 0, 'p-1', '物理', 'make it rain', 's')",
    "INSERT INTO runs (id, benchmark_id, configuration, priority, created_at) VALUES ('r', 'b', '{}', 'normal', 1.0)",
    "INSERT INTO run_scorers (id, run_id, label, configuration, batch_size) VALUES (1, 'r', 'simulated', '{}', 4)",
    f"INSERT INTO edits (id, state, attempt, not_before, finished_at, run_id, sample_id, repeat, image)"
    f" VALUES (1, 'done', 1, 1.0, 2.0, 'r', 1, 0, '{'e' * 64}')",
    "INSERT INTO edits (id, state, not_before, run_id, sample_id, repeat) VALUES (2, 'queued', 1.0, 'r', 1, 1)",
    "INSERT INTO scores (id, state, attempt, not_before, finished_at, edit_id, scorer_id, value)"
    " VALUES (1, 'done', 1, 1.0, 2.0, 1, 1, 7.5)",
]


def old_ledger(url: str, revision: str) -> None:
    """Make a ledger as the code of that revision left it, with a run in it."""
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg") if "postgres" in url else url)
    config = Config()
    config.set_main_option("script_location", str(Path(db.__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        for row in ROWS:
            connection.execute(text(row))
    engine.dispose()


def constraints(engine: Engine) -> set[str]:
    """Return the names of everything that the database holds to."""
    with reading(engine) as connection:
        if engine.dialect.name == "sqlite":
            made = connection.scalars(text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")).all()
            found = {name for sql in made for name in re.findall(r"(?:CONSTRAINT|INDEX) \"?(\w+)\"?", sql)}
            return {name for name in found if not name.startswith("alembic")}
        named = "SELECT conname FROM pg_constraint JOIN pg_namespace n ON n.oid = connamespace WHERE nspname = 'public'"
        return set(connection.scalars(text(f"{named} AND contype <> 'n' AND conname NOT LIKE 'alembic%'")))


@pytest.fixture(params=["0001", "0002", "0003", "0005"])
def upgraded(request: pytest.FixtureRequest, database_url: str) -> Engine:
    """An older ledger with a run in it, opened by this code."""
    old_ledger(database_url, request.param)
    engine = open_engine(database_url)
    request.addfinalizer(engine.dispose)
    return engine


def test_nothing_is_lost(upgraded: Engine) -> None:
    with reading(upgraded) as connection:
        edits = connection.execute(text("SELECT id, state, attempt, image FROM edits ORDER BY id")).all()
        assert [tuple(row) for row in edits] == [(1, "done", 1, "e" * 64), (2, "queued", 0, None)]
        assert connection.execute(text("SELECT edit_id, value FROM scores")).one() == (1, 7.5)


def test_it_becomes_as_a_new_one_is(upgraded: Engine, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    new = f"sqlite:///{tmp_path / 'new.db'}"
    if upgraded.dialect.name == "postgresql":
        new = request.getfixturevalue("shared_engine").url.render_as_string(hide_password=False)
    fresh = open_engine(new)
    request.addfinalizer(fresh.dispose)
    with upgraded.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    assert constraints(upgraded) == constraints(fresh)


def test_what_must_never_be_is_refused_from_then_on(upgraded: Engine) -> None:
    for change in ("UPDATE scores SET value = 101", "UPDATE edits SET image = 'x' WHERE id = 1", "DELETE FROM edits"):
        with pytest.raises(IntegrityError), transaction(upgraded) as connection:
            connection.execute(text(change))
