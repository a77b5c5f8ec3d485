"""Rows as the text of a CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

from producer.report.schema import Interval


def as_csv(columns: tuple[str, ...], rows: Iterable[dict[str, Any]]) -> str:
    """Return rows, by the names of their columns, as CSV (RFC 4180); what is not defined is empty."""
    file = io.StringIO()
    writer = csv.DictWriter(file, columns, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: _unharmful(value) for name, value in row.items()} for row in rows)
    return file.getvalue()


def interval_cells(ci: Interval | None, name: str = "ci") -> dict[str, float | None]:
    """Return the ends of an interval as two cells, named after it."""
    return {f"{name}_low": ci.low if ci else None, f"{name}_high": ci.high if ci else None}


def _unharmful(value: Any) -> Any:
    """Return text so that no spreadsheet takes it for a formula: a stranger may have called a category `=...`."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
