"""The database: an engine from its URL, and a visible door for every transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, extract, func, make_url, select
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from db.errors import ServiceUnreachable, WrongCall, first_line
from db.schema import ensure_schema
from db.settings import make_private
from db.sqlite import BUSY_SECONDS, WRITES, flush, serve_many_writers
from db.tables import SCHEMA_VERSION

LOOK_SECONDS = 5
"""How long PostgreSQL may take to let in who only wants to look."""

KEPT_CONNECTIONS = 1
"""So many connections a process keeps open to PostgreSQL; what its threads need beside is closed after use.

A worker has two processes, and a server takes 100 connections unless it is told otherwise.
"""

_LIBPQ = {
    "connect_timeout": 10,
    # a server whose host is gone says nothing: the kernel finds out, within half a minute
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
_KEPT = {"pool_pre_ping": True, "pool_size": KEPT_CONNECTIONS, "connect_args": _LIBPQ}

_EPOCH_JULIAN_DAY = 2440587.5
_SQLITE_CLOCK = select((func.julianday("now") - _EPOCH_JULIAN_DAY) * 86400)
_POSTGRESQL_CLOCK = select(extract("epoch", func.clock_timestamp()))


def open_engine(url: str) -> Engine:
    """Return an engine whose database answers and has the newest schema; SQLite files and tables are made if absent.

    Raises WrongCall for a URL that cannot be used or a schema newer than this code, ServiceUnreachable when nothing
    answers. Passwords never appear in the messages.
    """
    return _opened(url)[0]


@dataclass(frozen=True)
class Migration:
    """What bringing a ledger up to date did: the schema it had, None where there was no ledger, and has now."""

    ledger: str
    before: str | None
    now: str

    def __str__(self) -> str:
        if self.before is None:
            return f"{self.ledger}: a new ledger, with schema {self.now}"
        if self.before == self.now:
            return f"{self.ledger}: schema {self.now}, nothing to do"
        return f"{self.ledger}: schema {self.before} brought to {self.now}"


def migrate(url: str) -> Migration:
    """Bring the ledger's schema up to date, and say what that did. Raises as `open_engine` does."""
    engine, before = _opened(url)
    engine.dispose()
    return Migration(shown_url(engine.url), before, SCHEMA_VERSION)


def _opened(url: str) -> tuple[Engine, str | None]:
    """Return the engine, and the schema that its database had before."""
    parsed = _parse(url)
    try:
        engine = _create(parsed)
        try:
            before = ensure_schema(engine)
        except BaseException:
            engine.dispose()
            raise
    except (DatabaseError, OSError) as error:
        reason = first_line(error.orig if isinstance(error, DatabaseError) and error.orig else error)
        raise ServiceUnreachable(f"FARM_DATABASE_URL: no database answers at {shown_url(parsed)}: {reason}") from error
    return engine, before


def open_as_it_is(url: str) -> Engine:
    """Return an engine on the database as it stands: no file, table or newer schema is made.

    It connects when it is first used, and then raises what the database does. Raises WrongCall for a URL that cannot be
    used.
    """
    parsed = _parse(url)
    if parsed.drivername != "sqlite":
        return _create(parsed, poolclass=NullPool, connect_args={**_LIBPQ, "connect_timeout": LOOK_SECONDS})
    file = parsed.database if parsed.query.get("uri") else f"file:{quote(parsed.database or '')}"
    # Read-only, SQLite would leave two files beside it; so writing is allowed to it, and forbidden to its statements.
    as_it_is = parsed.set(database=file).update_query_dict({"uri": "true", "mode": "rw"})
    engine = _engine(as_it_is, poolclass=NullPool)
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA query_only = ON"))
    return engine


def address_of(url: str) -> tuple[str, Path | None]:
    """Return the database's address without its password, and the file where it is SQLite's. Raises WrongCall."""
    parsed = _parse(url)
    return shown_url(parsed), Path(parsed.database or "") if parsed.drivername == "sqlite" else None


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that will write; commit at the end of the block, roll back on an exception.

    On SQLite the write lock is taken at once: a reader that turns into a writer half-way fails with "locked". What was
    committed is on disk when the block ends, on PostgreSQL if the server is set so.
    """
    with engine.connect().execution_options(**{WRITES: True}) as connection:
        with connection.begin():
            yield connection
        flush(connection)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that only reads; it sees one consistent state and never waits for writers on SQLite."""
    options = {} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


def database_clock(connection: Connection) -> float:
    """Return the time in seconds since the epoch by the database's clock, the same for all hosts."""
    return float(connection.scalar(_SQLITE_CLOCK if connection.dialect.name == "sqlite" else _POSTGRESQL_CLOCK) or 0)


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # a port that is no number is a ValueError
        raise WrongCall(
            "FARM_DATABASE_URL is not a database URL; expected sqlite:///FILE or postgresql://USER@HOST/NAME"
        ) from None  # the cause may quote a part of the password
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("sqlite", "postgresql+psycopg") or (
        parsed.drivername == "sqlite"
        and (parsed.host or parsed.username or parsed.database in (None, "", ":memory:"))  # two slashes
    ):
        raise WrongCall(f"FARM_DATABASE_URL is a {parsed.drivername!r} URL; expected sqlite:///FILE or postgresql://")
    if parsed.drivername != "sqlite" and url.count("@") > 1:  # a password's, whose rest errors would repeat as a host
        raise WrongCall("FARM_DATABASE_URL has a second @; in a password, or behind the ?, it is written as %40")
    return parsed


def shown_url(url: URL) -> str:
    """Return how a database is named to people: its password is left out."""
    return url.set(query={}).render_as_string(hide_password=True)  # a password may stand in the query, too


def _create(url: URL, **options: Any) -> Engine:
    if url.drivername == "sqlite":
        assert url.database  # checked by _parse
        file = Path(url.database)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not url.query.get("uri"):  # else it is not a path, but SQLite's own kind of URL
            make_private(file)  # SQLite would leave that to the umask; what it makes beside it gets the same mode
        engine = _engine(url, connect_args={"timeout": BUSY_SECONDS})
        serve_many_writers(engine)
        return engine
    return _engine(url, **options or _KEPT)


def _engine(url: URL, **options: Any) -> Engine:
    try:
        return create_engine(url, **options)
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise WrongCall("FARM_DATABASE_URL names PostgreSQL: pip install 'editfarm[postgres]'") from error
    except (ValueError, ArgumentError):  # which repeat what stands there
        raise WrongCall("FARM_DATABASE_URL has something behind its ? that does not hold there") from None
