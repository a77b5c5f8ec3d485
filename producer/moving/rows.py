"""Rows as JSON Lines, a limited number of them in one member."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, TypeVar

from pydantic import ValidationError

from db.configuration import first_fault
from db.errors import FarmError
from db.moving.records import Record
from producer.moving.archive import ArchiveInvalid, Member

ROWS_IN_A_MEMBER = 1000
BYTES_IN_A_MEMBER = 4 * 1024**2
"""A member of rows ends once it has so many."""

DEEPEST = 200
"""So deep lists and objects may stand in each other."""

_TOO_DEEP = f"nested more than {DEEPEST} deep"

_Record = TypeVar("_Record", bound=Record)


def digest(content: bytes) -> str:
    """Return the sha-256 of a member."""
    return hashlib.sha256(content).hexdigest()


def line(row: dict[str, Any]) -> bytes:
    """Return a row as a line, the same for the same row; names stay in their order, which reports show."""
    try:
        return json.dumps(row, separators=(",", ":"), allow_nan=False).encode() + b"\n"
    except ValueError as error:
        raise FarmError(f"the ledger has a number that JSON cannot hold: {error}") from error


def in_members(kind: str, rows: Iterable[dict[str, Any]]) -> Iterator[Member]:
    """Yield the rows as members `kind/00000001.jsonl` and so on."""
    number, lines, size = 1, [], 0
    for row in rows:
        lines.append(line(row))
        size += len(lines[-1])
        if len(lines) == ROWS_IN_A_MEMBER or size >= BYTES_IN_A_MEMBER:
            yield Member(name_of(kind, number), b"".join(lines))
            number, lines, size = number + 1, [], 0
    if lines:
        yield Member(name_of(kind, number), b"".join(lines))


def name_of(kind: str, number: int) -> str:
    """Return what a member of rows is called; `number` from 1."""
    return f"{kind}/{number:08}.jsonl"


def rows_of(member: Member, record: type[_Record]) -> Iterator[_Record]:
    """Yield the rows of a member. Raises ArchiveInvalid naming the line."""
    for number, text in enumerate(member.content.split(b"\n")[:-1], start=1):
        yield read(text, record, f"{member.name}, line {number}")


def read(text: bytes, record: type[_Record], where: str) -> _Record:
    """Return what JSON of a stranger says. Raises ArchiveInvalid."""
    try:
        return record.model_validate(parse(text, where))
    except ValidationError as error:
        raise ArchiveInvalid(f"archive: {where}: {first_fault(error)}") from None


def parse(text: bytes, where: str) -> Any:
    """Return a JSON value that every database takes, and whose nesting is not for its own sake."""
    try:
        value = json.loads(text, parse_float=_finite, parse_constant=_finite)
        _require_storable(value)
    except RecursionError:
        raise ArchiveInvalid(f"archive: {where}: {_TOO_DEEP}") from None
    except ValueError as error:
        raise ArchiveInvalid(f"archive: {where}: {error}") from None
    return value


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is no number")
    return number


def _require_storable(value: Any) -> None:
    level = [value]
    for _ in range(DEEPEST):
        for one in level:
            if isinstance(one, str):
                _require_characters(one)
        level = [part for one in level for part in _parts(one)]
        if not level:
            return
    raise ValueError(_TOO_DEEP)


def _require_characters(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("a text holds half of a surrogate pair, which is no character") from None
    if "\0" in text:
        raise ValueError("a text holds the character NUL")


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return chain(value, value.values())
    return value if isinstance(value, list) else ()
