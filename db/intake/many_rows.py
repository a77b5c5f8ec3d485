"""Many rows entered at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Table, insert, text

AT_ONCE = 5000
"""So many rows are sent to the database together."""


MANY = 1000
"""So many new edits change what PostgreSQL should think of their table."""


COUNTED = {"preserve_rowcount": True}  # else SQLAlchemy forgets how many rows psycopg entered


def insert_in_parts(connection: Connection, table: Table, rows: Iterator[Mapping[str, Any]]) -> None:
    """Enter rows as they come, some thousands at a time."""
    while some := list(islice(rows, AT_ONCE)):
        connection.execute(insert(table), some)


def count_anew(connection: Connection, entered: int) -> None:
    """Have PostgreSQL count the edits where many were entered: what it knows of the table is of before."""
    if entered >= MANY and connection.dialect.name == "postgresql":
        connection.execute(text("ANALYZE edits"))
