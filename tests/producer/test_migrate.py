"""`migrate`, the job that runs before a release's workers: what it says, and its exit codes."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, make_url, text

from db.tables import SCHEMA_VERSION
from tests.db.test_migrations import lay_down
from tests.producer.shell import Shell

pytestmark = pytest.mark.integration


def test_migrate_says_from_which_schema_to_which(shell: Shell, database_url: str) -> None:
    lay_down(database_url, "0003")

    first = shell("migrate", FARM_DATABASE_URL=database_url)
    second = shell("migrate", FARM_DATABASE_URL=database_url)

    assert (first.code, first.err) == (second.code, second.err) == (0, "")
    assert first.out.endswith(f": schema 0003 brought to {SCHEMA_VERSION}\n")
    assert second.out.endswith(f": schema {SCHEMA_VERSION}, nothing to do\n")


def test_migrate_makes_a_new_ledger_and_says_so(shell: Shell) -> None:
    done = shell("migrate")

    assert (done.code, done.err) == (0, "")
    assert done.out.endswith(f": a new ledger, with schema {SCHEMA_VERSION}\n")


def test_migrate_refuses_a_newer_schema(shell: Shell, sqlite_url: str) -> None:
    shell("migrate", FARM_DATABASE_URL=sqlite_url)
    engine = create_engine(make_url(sqlite_url))
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()

    done = shell("migrate", FARM_DATABASE_URL=sqlite_url)

    assert done.code == 2
    assert "newer than this editfarm knows" in done.complaint


def test_migrate_of_a_database_that_is_not_there_ends_with_3_and_names_no_password(shell: Shell) -> None:
    done = shell("migrate", FARM_DATABASE_URL="postgresql://farm:hidden@127.0.0.1:1/farm")

    assert done.code == 3
    assert "no database answers" in done.complaint
    assert "hidden" not in done.err
