"""SQLite for many writers: who writes takes the lock at once, in turn, and has the disk take what it committed."""

from __future__ import annotations

import os
import random
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event

WRITES = "farm_writes"
"""The execution option of a connection whose transactions write."""

BUSY_SECONDS = 30
"""How long a SQLite writer waits for another one."""

FIRST_TRY_SECONDS, LONGEST_TRY_SECONDS = 0.001, 0.025
"""How long it waits, about, before it tries again, at first and at last."""

_LOG_FILE = "farm_log_file"
_sync = getattr(os, "fdatasync", os.fsync)  # the data matter, not the time of the change; macOS has only the other
_PRIMARY_CODE = 0xFF  # of SQLite's result codes; the rest says more of the same


def serve_many_writers(engine: Engine) -> None:
    """Prepare each of the engine's connections, and begin its transactions as its option WRITES says."""
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)


def _prepare(connection: sqlite3.Connection, record: Any) -> None:
    connection.isolation_level = None  # the driver's own implicit BEGIN is deferred; ours is in _begin
    connection.execute("PRAGMA synchronous = NORMAL")  # the rest is done by flush
    connection.execute("PRAGMA foreign_keys = ON")
    ((_, _, file),) = connection.execute("PRAGMA database_list")
    record.info[_LOG_FILE] = Path(f"{file}-wal")


def flush(connection: Connection) -> None:
    """Have the disk take what was just committed to SQLite's log.

    With `synchronous = FULL` SQLite does the same with its write lock held: while the disk was slow, and disks are for
    half a second at times, every other writer stood still.
    """
    log = connection.info.get(_LOG_FILE)
    if log is None:
        return
    with suppress(FileNotFoundError), log.open("rb") as file:  # without a log all is in the database, and on disk
        _sync(file.fileno())


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get(WRITES):
        _begin_writing(connection)
    else:
        connection.exec_driver_sql("BEGIN")


def _begin_writing(connection: Connection) -> None:
    """Take the write lock as soon as it is free, more or less in turn.

    SQLite itself asks ten times a second after a while, and those who have just come go before: with 24 writers some
    waited for more than a second while the lock was mostly free.
    """
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    wait, deadline = FIRST_TRY_SECONDS, time.monotonic() + BUSY_SECONDS
    driver.execute("PRAGMA busy_timeout = 0")
    try:
        while _is_taken(driver) and time.monotonic() < deadline:
            time.sleep(wait * random.uniform(0.5, 1.5))
            wait = min(2 * wait, LONGEST_TRY_SECONDS)
        if not driver.in_transaction:
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # raises what stands in the way
    finally:
        driver.execute(f"PRAGMA busy_timeout = {round(1000 * BUSY_SECONDS)}")


def _is_taken(driver: sqlite3.Connection) -> bool:
    """Begin to write; tell whether another one is at it."""
    try:
        driver.execute("BEGIN IMMEDIATE")
    except sqlite3.Error as error:
        return error.sqlite_errorcode & _PRIMARY_CODE == sqlite3.SQLITE_BUSY
    return False
