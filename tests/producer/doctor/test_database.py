"""What the doctor says of real databases, none of which it changes, and that what it advises mends them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.exc import OperationalError

from db.engine import open_as_it_is, open_engine
from db.owner import Process
from db.presence import enter_worker
from db.schema import schema_version
from db.settings import settings
from producer.doctor import disks
from producer.doctor.disks import network_filesystem
from producer.doctor.finding import State
from tests.farm.postgres import Postgres
from tests.producer.doctor.conftest import Look, commands_of, states

pytestmark = pytest.mark.integration

CHECKS = (
    *("database", "database-schema", "database-writable", "database-hosts"),
    *("database-connections", "database-durability", "database-clock"),
)


def hosts_work(engine: Engine, *hosts: str, workers_each: int = 1) -> None:
    for host in hosts:
        for number in range(workers_each):
            enter_worker(engine, f"edit-gpu{number}@{host}", Process(f"{host}/boot/1", number + 1, "1"), str(number))


def test_a_ledger_as_it_should_be_has_nothing_but_ok(look: Look, database_url: str) -> None:
    open_engine(database_url).dispose()

    for name in CHECKS:
        assert {*states(look(name, FARM_DATABASE_URL=database_url))} <= {State.OK}, name


def test_looking_at_a_sqlite_ledger_leaves_every_file_as_it_was(look: Look, sqlite_url: str, tmp_path: Path) -> None:
    open_engine(sqlite_url).dispose()
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}

    for name in (*CHECKS, "workers", "leases", "messages", "store", "home", "weights"):
        look(name, FARM_DATABASE_URL=sqlite_url, FARM_HOME=str(tmp_path / "nowhere"))

    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_sqlite_ledger_that_is_not_there_is_not_made(look: Look, sqlite_url: str, tmp_path: Path) -> None:
    assert states(look("database", FARM_DATABASE_URL=sqlite_url)) == [State.NOTE]
    assert [look(name) for name in ("database-schema", "workers")] == [[], []]
    assert [*tmp_path.iterdir()] == []


def test_a_sqlite_file_that_is_opened_as_it_is_is_neither_made_nor_written(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / '账本 100%?#.db'}"  # what means something in a URI of SQLite's
    as_it_is = open_as_it_is(url)
    with pytest.raises(OperationalError, match="unable to open"), as_it_is.connect():
        pass
    assert [*tmp_path.iterdir()] == []

    open_engine(url).dispose()
    with as_it_is.connect() as connection:
        assert schema_version(connection) is not None
        with pytest.raises(OperationalError, match="readonly"):
            connection.execute(text("DELETE FROM runs"))


def test_an_empty_postgresql_is_a_note_and_stays_empty(look: Look, postgres_url: str) -> None:
    assert states(look("database-schema", FARM_DATABASE_URL=postgres_url)) == [State.NOTE]
    assert look("workers") == []

    engine = create_engine(postgres_url.replace("postgresql://", "postgresql+psycopg://"))
    assert inspect(engine).get_table_names() == []
    engine.dispose()


@pytest.mark.parametrize(("version", "state"), [("9999", State.FAULT), ("0006", State.WARNING)])
def test_a_ledger_of_another_version_is_told_and_not_migrated(
    look: Look, engine: Engine, database_url: str, version: str, state: State
) -> None:
    set_version = text("UPDATE alembic_version SET version_num = :version")
    with engine.begin() as connection:
        connection.execute(set_version, {"version": version})

    (found,) = look("database-schema", FARM_DATABASE_URL=database_url)

    assert found.state is state
    assert look("workers") == []  # whose table may be another
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == version


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:s3cret@127.0.0.1:1/farm",  # nobody listens
        "postgresql://user:s3/cret@127.0.0.1:1/farm",  # a password that is written wrongly
        "postgresql://user:s3@cret@127.0.0.1:1/farm",
        "mysql://user:s3cret@127.0.0.1/farm",
        "nonsense s3cret",
    ],
)
def test_a_database_that_cannot_be_reached_is_a_fault_that_shows_no_password(look: Look, url: str) -> None:
    (found,) = look("database", FARM_DATABASE_URL=url)

    assert found.state is State.FAULT
    assert not any(part in found.model_dump_json() for part in ("s3cret", "cret@", "s3/cret"))
    assert look("database-schema") == []


def test_a_postgresql_that_turns_somebody_away_is_not_told_to_be_started(look: Look, postgres_url: str) -> None:
    (found,) = look("database", FARM_DATABASE_URL=postgres_url.replace("://postgres", "://nobody"))

    assert (found.state, "pg_isready" in (found.fix or "")) == (State.FAULT, False)


def test_a_file_that_is_no_database_is_a_fault(look: Look, tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_text("not a database" * 100)

    (found,) = look("database", FARM_DATABASE_URL=f"sqlite:///{tmp_path / 'ledger.db'}")

    assert found.state is State.FAULT
    assert "file is not a database" in found.seen


def test_sqlite_with_a_broker_on_another_host_is_a_fault(look: Look, sqlite_url: str) -> None:
    (found,) = look("database-hosts", FARM_DATABASE_URL=sqlite_url, FARM_BROKER_URL="redis://192.0.2.7:6379/0")

    assert found.state is State.FAULT
    assert "FARM_DATABASE_URL=postgresql://" in (found.fix or "")
    assert states(look("database-hosts", FARM_BROKER_URL="redis://localhost:6379/0")) == [State.OK]


def test_workers_of_two_hosts_are_a_fault_on_sqlite_and_none_on_postgresql(
    look: Look, engine: Engine, database_url: str
) -> None:
    hosts_work(engine, "one", "two")

    (found,) = look("database-hosts", FARM_DATABASE_URL=database_url)

    assert found.state is (State.FAULT if database_url.startswith("sqlite") else State.OK)


def test_a_database_that_takes_no_writes_is_a_fault_and_its_fix_mends_it(look: Look, postgres_url: str) -> None:
    admin = create_engine(postgres_url.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("ALTER ROLE postgres SET default_transaction_read_only = on"))
        try:
            (found,) = look("database-writable", FARM_DATABASE_URL=postgres_url)
        finally:
            connection.execute(text("SET default_transaction_read_only = off"))
            connection.execute(text("ALTER ROLE postgres SET default_transaction_read_only = off"))
    admin.dispose()

    assert found.state is State.FAULT
    assert "`ALTER ROLE postgres SET default_transaction_read_only = off`" in (found.fix or "")
    assert states(look("database-writable")) == [State.OK]


# -- a server of its own -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


def carry_out(server: Postgres, *statements: str) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)  # type: ignore[arg-type]  # not a literal: it is what the fix says


def test_what_keeps_no_promise_of_durability_is_named_and_its_fixes_mend_it(look: Look, postgres: Postgres) -> None:
    off = [f"ALTER SYSTEM SET {name} = off" for name in ("fsync", "full_page_writes", "synchronous_commit")]
    carry_out(postgres, *off, "SELECT pg_reload_conf()")
    eventually_seen = look("database-durability", FARM_DATABASE_URL=postgres.url)

    assert states(eventually_seen) == [State.FAULT, State.FAULT, State.WARNING]
    carry_out(postgres, *(command for found in eventually_seen for command in commands_of(found)))
    assert states(look("database-durability")) == [State.OK]


def test_a_postgresql_without_five_connections_a_worker_is_named_and_its_fix_mends_it(
    look: Look, postgres: Postgres
) -> None:
    url = postgres.create("small")
    engine = open_engine(url)
    hosts_work(engine, "one", "two", workers_each=9)
    engine.dispose()

    (found,) = look("database-connections", FARM_DATABASE_URL=url)

    assert found.state is State.WARNING
    carry_out(postgres, *commands_of(found))
    postgres.restart()
    assert states(look("database-connections")) == [State.OK]


def test_a_postgresql_that_is_down_is_a_fault_until_it_is_up(look: Look, postgres: Postgres) -> None:
    postgres.stop()
    (found,) = look("database", FARM_DATABASE_URL=postgres.url)
    postgres.start()

    assert found.state is State.FAULT
    assert states(look("database")) == [State.OK]


@pytest.mark.chaos
def test_a_postgresql_that_says_nothing_is_one_fault_within_its_time(look: Look, postgres: Postgres) -> None:
    postgres.freeze()
    (found,) = look("database", FARM_DATABASE_URL=postgres.url)
    postgres.thaw()

    assert found.state is State.FAULT
    assert "timeout" in found.seen
    assert states(look("database")) == [State.OK]


# -- files -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "told"), [("nfs4", "nfs4"), ("cifs", "cifs"), ("fuse.sshfs", "fuse.sshfs"), ("ext4", None), ("xfs", None)]
)
def test_a_network_file_system_is_known_by_the_mount_that_the_path_lies_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, told: str | None
) -> None:
    mounts = tmp_path / "mountinfo"  # as the kernel writes it
    mounts.write_text(
        "25 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
        f"90 25 0:51 / {tmp_path.resolve()} rw,relatime shared:2 - {kind} somewhere rw,vers=4.2\n"
    )
    monkeypatch.setattr(disks, "_MOUNTS", mounts)

    assert network_filesystem(tmp_path / "farm" / "farm.db") == told
    assert network_filesystem(Path("/etc")) is None


def test_sqlite_on_a_network_file_system_is_a_fault(
    look: Look, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text("25 1 0:51 / / rw,relatime shared:1 - nfs4 nas:/home rw\n")
    monkeypatch.setattr(disks, "_MOUNTS", mounts)

    (found,) = look("database-hosts")

    assert found.state is State.FAULT
    assert "nfs4" in found.seen
    assert settings().database_url is None
