"""The same records in every form that one file of records may have."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = dict[str, Any]
"""A record by the names of its columns; `key` comes first."""


@dataclass(frozen=True)
class Form:
    """How records are written, and how the place of one is told, by its position and the bytes of the file."""

    name: str
    suffix: str
    write: Callable[[Sequence[Row]], bytes]
    place: Callable[[int, Row, bytes], str]
    is_table: bool = False
    key_is_called: str = "key"

    def file(self, folder: Path, rows: Sequence[Row]) -> Path:
        """Write the records into a file of this form."""
        path = folder / f"made up{self.suffix}"
        path.write_bytes(self.write(rows))
        return path

    def byte(self, place: str) -> int | None:
        """Return the byte that the place names."""
        named = re.search(r"at byte ([\d,]+)", place)
        return None if named is None else int(named[1].replace(",", ""))


def one_line_each(rows: Sequence[Row]) -> bytes:
    return b"".join(as_json(row) + b"\n" for row in rows)


def listed(rows: Sequence[Row]) -> bytes:
    return b"[\n" + b",\n".join(map(as_json, rows)) + b"\n]"


def keyed(rows: Sequence[Row]) -> bytes:
    return b"{" + b", ".join(map(member, rows)) + b"}"


def original(rows: Sequence[Row]) -> bytes:
    """Each record is a category of its own, so that any order of categories can be written."""
    categories = (
        b'{"name": ' + json.dumps(row.get("category")).encode() + b', "pairs": [' + as_json(row) + b"]}" for row in rows
    )
    return b'{"categories": [' + b", ".join(categories) + b"]}"


def table(delimiter: str) -> Callable[[Sequence[Row]], bytes]:
    def write(rows: Sequence[Row]) -> bytes:
        text = io.StringIO()
        columns = list(dict.fromkeys(name for row in rows for name in row))
        writer = csv.DictWriter(text, columns, delimiter=delimiter, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue().encode()

    return write


def as_json(row: Row) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode()


def named(row: Row) -> bytes:
    return json.dumps(row["key"]).encode() + b": "


def member(row: Row) -> bytes:
    return named(row) + as_json(without_key(row))


def without_key(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "key"}


_FORMS = [
    Form("JSON Lines", ".jsonl", one_line_each, lambda at, _, __: f"line {at + 1}"),
    Form("CSV", ".csv", table(","), lambda at, _, __: f"line {at + 2}", is_table=True),
    Form("TSV", ".tsv", table("\t"), lambda at, _, __: f"line {at + 2}", is_table=True),
    Form("CSV with semicolons", ".csv", table(";"), lambda at, _, __: f"line {at + 2}", is_table=True),
    Form("JSON list", ".json", listed, lambda at, row, raw: f"[{at}] at byte {raw.index(as_json(row)):,}"),
    Form(
        "keyed object",
        ".json",
        keyed,
        lambda _, row, raw: f"[{row['key']!r}] at byte {raw.index(member(row)) + len(named(row)):,}",
        key_is_called="the record's name in its file",
    ),
    Form(
        "original",
        ".json",
        original,
        lambda at, row, raw: f"categories[{at}].pairs[0] at byte {raw.index(as_json(row)):,}",
    ),
]
FORMS = {form.name: form for form in _FORMS}
