"""Whether the database answers, is migrated, is right for the farm's hosts and keeps what it is given."""

from __future__ import annotations

import os
from collections.abc import Iterator
from shlex import quote
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from db.broker import broker_address
from db.broker_url import BrokerUrl
from db.engine import address_of
from db.errors import WrongCall, first_line
from db.one_host import is_elsewhere
from db.tables import SCHEMA_VERSION
from producer.doctor.database_sight import NoDatabaseYet
from producer.doctor.disks import network_filesystem
from producer.doctor.finding import Found, State, Trouble, fine
from producer.words import counted

if TYPE_CHECKING:
    from producer.doctor.sights import Sights

CONNECTIONS_PER_WORKER = 5
"""So many a worker has at the most: its two processes keep one each, and their threads take others for moments.

All workers may want theirs at once, as when a database comes back; those that get none wait, and so does their work.
"""

FOR_OTHERS = 10
"""Sessions that producers, reports and a person's own `psql` want besides."""

_TO_POSTGRESQL = (
    "set FARM_DATABASE_URL=postgresql://USER:PASSWORD@HOST/NAME on all hosts (pip install 'editfarm[postgres]')"
)

WRONG_URL = Trouble(
    State.FAULT,
    "FARM_DATABASE_URL cannot be used",
    "set FARM_DATABASE_URL=postgresql://USER:PASSWORD@HOST/NAME, or unset it for SQLite in FARM_HOME",
)
NO_DRIVER = Trouble(State.FAULT, "the driver for PostgreSQL is not installed", "`pip install 'editfarm[postgres]'`")
NO_ANSWER = Trouble(
    State.FAULT,
    "no database answers there",
    "start it (`pg_isready -h {host}` asks whether it runs), or set FARM_DATABASE_URL right",
)
REFUSED = Trouble(
    State.FAULT,
    "the database's server answers, and refuses",
    "set user, password and name right in FARM_DATABASE_URL; where its pg_hba.conf is named, let this host in there",
)
WRONG_FILE = Trouble(
    State.FAULT,
    "the file is no SQLite database, or cannot be opened",
    "name the right file in FARM_DATABASE_URL, or put a backup in its place while no worker runs",
)
NOT_THERE_YET = Trouble(
    State.NOTE, "there is no ledger yet", "nothing to do: the first run makes it; or now: `python -m producer migrate`"
)
OLD = Trouble(
    State.WARNING,
    "the ledger was made by an older version, whose processes must not run any more",
    "stop all workers, then `python -m producer migrate`",
)
NEWER = Trouble(
    State.FAULT,
    "the ledger was made by a newer version",
    "update editfarm on this host to the version of the others",
)
READ_ONLY = Trouble(
    State.FAULT,
    "PostgreSQL takes no writes: a replica, or set so",
    "name the primary in FARM_DATABASE_URL, or `ALTER ROLE {user} SET default_transaction_read_only = off`",
)
CLOSED_FILE = Trouble(
    State.FAULT,
    "this user may not write SQLite's file, or the folder where its log lies",
    "`chown {uid} {path}`, or call as its owner",
)
SEVERAL_HOSTS = Trouble(
    State.FAULT, "SQLite serves one host; this farm has several, or its broker is on another", _TO_POSTGRESQL
)
NETWORK_FILE = Trouble(
    State.FAULT,
    "SQLite's locks and log do not hold on a network file system",
    f"put FARM_HOME on a local disk, or {_TO_POSTGRESQL}",
)
FEW_SESSIONS = Trouble(
    State.WARNING,
    "PostgreSQL takes fewer connections than the known workers will want",
    "`ALTER SYSTEM SET max_connections = {wanted}`, then restart PostgreSQL",
)
NOT_DURABLE = Trouble(
    State.FAULT,
    "after a power cut the ledger may be damaged, or lack what was said to be done",
    "`ALTER SYSTEM SET {name} = on`, then `SELECT pg_reload_conf()`",
)
LATE_TO_DISK = Trouble(
    State.WARNING,
    "after a crash of the server the last results are missing; their jobs run again",
    "`ALTER SYSTEM SET synchronous_commit = on`, then `SELECT pg_reload_conf()`",
)


def answers(sights: Sights) -> Iterator[Found]:
    """See that it answers, and what it is."""
    from sqlalchemy.exc import DatabaseError

    settings = sights.settings()
    found = sights.database.tried()
    if isinstance(found, WrongCall):
        yield NO_DRIVER(first_line(found)) if "pip install" in str(found) else WRONG_URL(first_line(found))
    elif isinstance(found, NoDatabaseYet):
        yield NOT_THERE_YET(f"no file {found}")
    elif isinstance(found, DatabaseError | OSError):
        address, file = address_of(settings.database)
        seen = f"{address}: {first_line(getattr(found, 'orig', None) or found)}"
        host = urlsplit(address).hostname or "localhost"
        if file is not None:
            yield WRONG_FILE(seen)
        else:  # FATAL is how PostgreSQL itself turns somebody away
            yield REFUSED(seen) if "FATAL:" in seen else NO_ANSWER(seen, host=host)
    elif isinstance(found, Exception):
        raise found
    else:
        yield fine(f"{found.name} at {found.address}")


def schema(sights: Sights) -> Iterator[Found]:
    """Hold the ledger's schema against the one of this version; nothing is migrated."""
    theirs = sights.database().schema
    if theirs is None:
        yield NOT_THERE_YET("the database is empty")
    elif theirs == SCHEMA_VERSION:
        yield fine(f"schema {theirs}, the newest")
    else:
        seen = f"the ledger has schema {theirs}, this editfarm {SCHEMA_VERSION}"
        yield NEWER(seen) if theirs > SCHEMA_VERSION else OLD(seen)


def writable(sights: Sights) -> Iterator[Found]:
    """See whether this user may write it, and whether the server takes writes at all."""
    database = sights.database()
    if database.file is None:
        read_only = database.settings.get("transaction_read_only") == "on"
        user = database.engine.url.username or "USER"
        yield READ_ONLY("transactions are read-only", user=user) if read_only else fine("yes")
        return
    closed = [path for path in (database.file, database.file.parent) if path.exists() and not os.access(path, os.W_OK)]
    uid = os.geteuid()
    if closed:
        yield CLOSED_FILE(f"{closed[0]}: uid {uid} may not write it", uid=uid, path=quote(str(closed[0])))
    else:
        yield fine("yes")


def hosts(sights: Sights) -> Iterator[Found]:
    """See whether the database is one that all the farm's hosts can share."""
    _, file = address_of(sights.settings().database)
    if file is None:
        yield fine("PostgreSQL, for any number of hosts")
        return
    filesystem = network_filesystem(file)
    if filesystem is not None:
        yield NETWORK_FILE(f"{file} is on {filesystem}")
    elsewhere = [host for host, _ in BrokerUrl.read(broker_address()).hosts if is_elsewhere(host)]
    ledger = sights.ledger.tried()
    others = [] if isinstance(ledger, Exception) else ledger.hosts
    if len(others) > 1:
        yield SEVERAL_HOSTS(f"SQLite, and workers on {', '.join(host.partition('/')[0] for host in others)}")
    elif elsewhere:
        yield SEVERAL_HOSTS(f"SQLite, and a broker on another host ({elsewhere[0]})")
    elif filesystem is None:
        yield fine("SQLite, for one host")


def connections(sights: Sights) -> Iterator[Found]:
    """Hold PostgreSQL's connections against the workers that there are."""
    database = sights.database()
    if database.file is not None:
        return
    most = int(database.settings["max_connections"])
    kept_back = sum(int(database.settings.get(f"{who}reserved_connections", 0)) for who in ("superuser_", ""))
    workers = len(sights.ledger().living)
    wanted = workers * CONNECTIONS_PER_WORKER + FOR_OTHERS
    takers = f"{counted(workers, 'worker')} and others may take {wanted}"
    seen = f"{database.sessions} in use, {most - kept_back} of {most} for the farm; {takers}"
    yield FEW_SESSIONS(seen, wanted=wanted + kept_back) if wanted > most - kept_back else fine(seen)


def durability(sights: Sights) -> Iterator[Found]:
    """See whether what is committed is on disk."""
    database = sights.database()
    if database.file is not None:
        yield fine("every commit is flushed to disk")
        return
    off = [name for name in ("fsync", "full_page_writes", "synchronous_commit") if database.settings[name] == "off"]
    for name in off:
        yield (
            LATE_TO_DISK(f"{name} is off") if name == "synchronous_commit" else NOT_DURABLE(f"{name} is off", name=name)
        )
    if not off:
        yield fine("fsync, full_page_writes and synchronous_commit are on")
