"""The schema of a database, brought up to date: made anew from the tables, or migrated by alembic."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock
from sqlalchemy import Connection, Engine, func, inspect, select, text

from db.errors import WrongCall
from db.sqlite import WRITES
from db.tables import SCHEMA_VERSION, metadata

_MIGRATION_LOCK = 0x65646974  # any fixed number; PostgreSQL's advisory locks are named by one


def schema_version(connection: Connection) -> str | None:
    """Return the schema that the database has, newer ones included; None where there is none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return version


def ensure_schema(engine: Engine) -> str | None:
    """Give the database the newest schema; return the one it had, None where it had no ledger."""
    if _schema_version(engine) == SCHEMA_VERSION:
        return SCHEMA_VERSION
    if engine.dialect.name == "sqlite":
        with FileLock(f"{engine.url.database}.lock", mode=0o600):
            with engine.connect() as connection:
                driver = connection.connection.driver_connection
                assert driver is not None
                driver.execute("PRAGMA journal_mode = WAL")  # kept in the file; cannot be set inside a transaction
            return _upgrade(engine)
    return _upgrade(engine)


def _schema_version(engine: Engine) -> str | None:
    with engine.connect() as connection, connection.begin():
        return _version_of(connection)


def _version_of(connection: Connection) -> str | None:
    version = schema_version(connection)
    if version is not None and version > SCHEMA_VERSION:
        raise WrongCall(
            f"the ledger has schema {version}, newer than this editfarm knows ({SCHEMA_VERSION}): update editfarm"
        )
    return version


def _upgrade(engine: Engine) -> str | None:
    with engine.connect().execution_options(**{WRITES: True}) as connection:
        if engine.dialect.name == "sqlite":  # it makes a table anew to change it, while others refer to it
            connection.connection.cursor().execute("PRAGMA foreign_keys = OFF")
        with connection.begin():
            if engine.dialect.name == "postgresql":
                connection.execute(select(func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
            version = _version_of(connection)
            if version is None:
                _create_schema(connection)
            elif version != SCHEMA_VERSION:  # else another process was faster
                _migrate(connection)
    engine.dispose()  # with it the connection that does not look at foreign keys
    return version


def _create_schema(connection: Connection) -> None:
    """Make a new ledger's tables from their definition; the migrations give the same, which a test compares."""
    metadata.create_all(connection)
    connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    connection.execute(text("INSERT INTO alembic_version VALUES (:version)"), {"version": SCHEMA_VERSION})


def _migrate(connection: Connection) -> None:
    from alembic import command  # ten megabytes that only an old ledger needs
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
