"""Long results in pages, so that neither memory nor a transaction grows with the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, Engine, Row, Select, literal, tuple_

from db.engine import reading

PAGE = 500
"""Rows read at a time, and images or jobs changed in one transaction."""


def pages(engine: Engine, query: Select[Any], *key: Column[Any]) -> Iterator[list[Row[Any]]]:
    """Yield the rows in the order of `key`, a page in a transaction of its own.

    `key` names a row uniquely, and is what the query selects first. Rows may change or vanish between two pages.
    """
    page = query.order_by(*key).limit(PAGE)
    while True:
        with reading(engine) as connection:
            rows = list(connection.execute(page))
        if rows:
            yield rows
        if len(rows) < PAGE:
            return
        last = [literal(value, column.type) for value, column in zip(rows[-1], key, strict=False)]
        page = query.where(tuple_(*key) > tuple_(*last)).order_by(*key).limit(PAGE)
