"""What the database says of itself: whether its file is sound, and whether its rows keep their own rules."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import CheckConstraint, Engine, Table, select, text

from db.engine import reading
from db.tables import metadata
from db.upkeep.finding import Finding, Standing
from db.upkeep.pages import pages

_BROKEN_RULE = "CHECK constraint failed"


def file_faults(engine: Engine) -> Iterator[Finding]:
    """Yield what SQLite finds wrong in its file; PostgreSQL looks after its own."""
    if engine.dialect.name != "sqlite":
        return
    with reading(engine) as connection:
        found = list(connection.exec_driver_sql("PRAGMA quick_check").scalars())
    for line in found:
        if line != "ok" and not line.startswith(_BROKEN_RULE):  # the rows themselves are named by `rule_faults`
            remedy = "restore the file from a backup, or save what `.recover` of the sqlite3 shell can still read"
            yield Finding(f"database {engine.url.database}", line, Standing.LEFT, remedy)


def link_faults(engine: Engine) -> Iterator[Finding]:
    """Yield the rows that name another which is not there; by hand only, and PostgreSQL allows none."""
    if engine.dialect.name != "sqlite":
        return
    with reading(engine) as connection:
        found = list(connection.exec_driver_sql("PRAGMA foreign_key_check"))
    for table, row_id, parent, _ in found:
        what = f"names a row of {parent} that is not there"
        yield Finding(f"{table} {row_id}", what, Standing.LEFT, "remove this row by hand, or restore the other")


def rule_faults(engine: Engine) -> Iterator[Finding]:
    """Yield the rows that break a constraint of their table: someone switched it off to write them."""
    for table in metadata.sorted_tables:
        for rule in table.constraints:
            if isinstance(rule, CheckConstraint):
                yield from _rows_that_break(engine, table, str(rule.sqltext))


def _rows_that_break(engine: Engine, table: Table, rule: str) -> Iterator[Finding]:
    (key,) = table.primary_key
    for rows in pages(engine, select(key).where(text(f"NOT ({rule})")), key):
        for row in rows:
            yield Finding(f"{table} {row[0]}", f"breaks the rule {rule}", Standing.LEFT, "set this row right by hand")
