"""The door to the database: URLs, the schema, and transactions that hold what they promise."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, func, insert, make_url, select, text, update
from sqlalchemy.exc import OperationalError

import db
from db.engine import database_clock, open_engine, reading, transaction
from db.errors import FarmError, ServiceUnreachable, WrongCall
from db.tables import SCHEMA_VERSION, benchmarks, metadata
from tests.db.test_ledger_threads import at_once

A_BENCHMARK = {"id": "b" * 64, "name": "made up", "sample_count": 0, "created_at": 0.0, "complete": False}


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on a database of its own: these tests meddle with the schema."""
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


def count(engine: Engine) -> int:
    with reading(engine) as connection:
        return connection.scalar(select(func.count()).select_from(benchmarks)) or 0


# -- URLs --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "",
        "farm.db",
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://root:geheim@127.0.0.1/farm",
        "postgresql+asyncpg://root:geheim@127.0.0.1/farm",
        "postgresql://root:geheim@127.0.0.1:port/farm",
        "postgresql://root:1@geheim@127.0.0.1/farm",
        "postgresql://root:1@geheim/2@127.0.0.1/farm",
        "postgresql://root:1@2/geheim@127.0.0.1/farm",
        "postgresql://root@127.0.0.1/farm?port=geheim",
        "sqlite://data/farm.db",
        "sqlite:///farm.db?timeout=geheim",
    ],
)
def test_a_url_that_cannot_be_used_is_a_wrong_call_that_names_the_setting(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a file is made before its URL's options are found wrong
    with pytest.raises(WrongCall, match=r"^FARM_DATABASE_URL") as error:
        open_engine(url)
    assert "geheim" not in f"{error.value} {error.value.__cause__}"
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://root:geheim@127.0.0.1:1/farm",
        "postgresql://root:ge/heim@127.0.0.1:1/farm",
        "postgresql://root:geheim?@127.0.0.1:1/farm",
        "postgres://127.0.0.1:1/farm?user=root&password=geheim",
        "postgres://127.0.0.1:1/farm?user=root&passwd=geheim",
        "postgres://127.0.0.1:1/farm?sslpassword=geheim&sslmode=nonsense",
    ],
)
def test_a_database_that_does_not_answer_is_named_without_its_password(url: str) -> None:
    with pytest.raises(ServiceUnreachable, match=r"^FARM_DATABASE_URL: no database answers at .*127\.0\.0\.1") as error:
        open_engine(url)
    assert "geheim" not in str(error.value)
    assert "\n" not in str(error.value)


def test_a_postgresql_database_that_does_not_exist_is_unreachable(postgres_url: str) -> None:
    with pytest.raises(ServiceUnreachable, match='"nowhere" does not exist'):
        open_engine(make_url(postgres_url).set(database="nowhere").render_as_string(hide_password=False))


def test_a_file_that_is_no_database_is_one_line_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "notes.db"
    file.write_bytes(b"these are my notes\n" * 100)
    with pytest.raises(FarmError, match=r"^FARM_DATABASE_URL.*file is not a database"):
        open_engine(f"sqlite:///{file}")
    assert file.read_bytes() == b"these are my notes\n" * 100


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FarmError, match=r"^FARM_DATABASE_URL"):
        open_engine(f"sqlite:///{tmp_path / 'file' / 'farm' / 'farm.db'}")


def test_the_folder_of_a_new_sqlite_ledger_is_made_and_private(tmp_path: Path) -> None:
    open_engine(f"sqlite:///{tmp_path / 'farm' / 'farm.db'}").dispose()
    assert stat.S_IMODE((tmp_path / "farm").stat().st_mode) == 0o700


# -- the schema --------------------------------------------------------------------------------------------------------


def test_the_migrations_give_exactly_the_tables(engine: Engine) -> None:
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_schema_version_is_the_newest_migration(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(db.__file__).parent / "migrations"))
    with reading(engine) as connection:
        stored = connection.scalar(text("SELECT version_num FROM alembic_version"))
    assert ScriptDirectory.from_config(config).get_current_head() == SCHEMA_VERSION == stored


def test_a_ledger_that_is_opened_again_keeps_what_is_in_it(engine: Engine, database_url: str) -> None:
    with transaction(engine) as connection:
        connection.execute(insert(benchmarks).values(A_BENCHMARK))
    again = open_engine(database_url)
    assert count(again) == 1
    again.dispose()


def test_a_newer_schema_is_refused(engine: Engine, database_url: str) -> None:
    with transaction(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(
        WrongCall, match=rf"schema 9999, newer than this editfarm knows \({SCHEMA_VERSION}\): update editfarm"
    ):
        open_engine(database_url)


_OPEN = """
import sys
from sqlalchemy import func, select
from db.engine import open_engine, reading
from db.tables import benchmarks
print("ready", flush=True)
sys.stdin.readline()
with reading(open_engine(sys.argv[1])) as connection:
    print(connection.scalar(select(func.count()).select_from(benchmarks)))
"""


def test_processes_that_open_the_same_new_database_at_once_all_succeed(database_url: str) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _OPEN, database_url],
            cwd=Path(db.__file__).parents[1],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.communicate(timeout=60) for process in processes] == [("0\n", "")] * 4


# -- transactions ------------------------------------------------------------------------------------------------------


def test_a_transaction_that_raises_leaves_nothing(engine: Engine) -> None:
    with pytest.raises(KeyboardInterrupt), transaction(engine) as connection:
        connection.execute(insert(benchmarks).values(A_BENCHMARK))
        raise KeyboardInterrupt
    assert count(engine) == 0


def test_a_reader_sees_one_state_whatever_is_written_meanwhile(engine: Engine) -> None:
    with reading(engine) as connection:
        before = connection.scalar(select(func.count()).select_from(benchmarks))
        with transaction(engine) as writer:
            writer.execute(insert(benchmarks).values(A_BENCHMARK))
        assert connection.scalar(select(func.count()).select_from(benchmarks)) == before == 0
    assert count(engine) == 1


def test_writers_that_read_first_wait_for_each_other_instead_of_failing(sqlite_url: str) -> None:
    engine = open_engine(sqlite_url)
    with transaction(engine) as connection:
        connection.execute(insert(benchmarks).values(A_BENCHMARK))

    def count_up(_number: int) -> None:
        for _ in range(5):
            with transaction(engine) as connection:
                found = connection.scalar(select(benchmarks.c.sample_count))
                time.sleep(0.001)  # the others read in between, if they can
                connection.execute(update(benchmarks).values(sample_count=found + 1))

    at_once(6, count_up)
    with reading(engine) as connection:
        assert connection.scalar(select(benchmarks.c.sample_count)) == 30
    engine.dispose()


def test_a_writer_that_never_gets_its_turn_fails_and_can_try_again(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.sqlite.BUSY_SECONDS", 0.2)
    holder, waiter = open_engine(sqlite_url), open_engine(sqlite_url)
    with transaction(holder), pytest.raises(OperationalError, match="locked"), transaction(waiter):
        pass
    with transaction(waiter) as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one() == 200


def test_what_is_committed_to_sqlite_is_flushed_while_others_may_write(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, other = open_engine(sqlite_url), open_engine(sqlite_url)
    flushed: list[Path] = []

    def sync(descriptor: int) -> None:
        monkeypatch.undo()
        with transaction(other) as connection:  # neither locked nor too early
            assert connection.scalar(select(func.count()).select_from(benchmarks)) == 1
        flushed.append(Path(f"/proc/self/fd/{descriptor}").readlink())

    monkeypatch.setattr("db.sqlite._sync", sync)
    with transaction(engine) as connection:
        connection.execute(insert(benchmarks).values(A_BENCHMARK))
        assert not flushed
    assert flushed == [Path(f"{make_url(sqlite_url).database}-wal")]


def test_what_is_not_committed_is_not_flushed(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = open_engine(sqlite_url)
    monkeypatch.setattr("db.sqlite._sync", lambda _: pytest.fail("flushed"))
    with suppress(KeyError), transaction(engine) as connection:
        connection.execute(insert(benchmarks).values(A_BENCHMARK))
        raise KeyError


def test_a_sqlite_ledger_is_read_while_it_is_written(sqlite_url: str) -> None:
    engine = open_engine(sqlite_url)
    with transaction(engine) as connection:
        connection.execute(insert(benchmarks).values(A_BENCHMARK))
        assert count(engine) == 0
    engine.dispose()


def test_foreign_keys_hold_on_every_connection_to_sqlite(sqlite_url: str) -> None:
    engine = open_engine(sqlite_url)
    with reading(engine) as first, reading(engine) as second:
        assert [one.scalar(text("PRAGMA foreign_keys")) for one in (first, second)] == [1, 1]
    engine.dispose()


def test_the_databases_clock_runs_on_within_a_transaction(engine: Engine) -> None:
    with transaction(engine) as connection:
        first = database_clock(connection)
        time.sleep(0.002)
        second = database_clock(connection)
    assert 0 < second - first < 10
    assert abs(second - time.time()) < 60


def test_a_ledger_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root writes everywhere")
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(FarmError, match=r"^FARM_DATABASE_URL"):
            open_engine(f"sqlite:///{tmp_path / 'farm.db'}")
    finally:
        tmp_path.chmod(0o700)
