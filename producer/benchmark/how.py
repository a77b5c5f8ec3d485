"""What a person says of a benchmark that cannot be seen from its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from db.errors import WrongCall
from producer.benchmark.layouts.layout import CONSTANT, PARTS, ROW_NUMBER, TEMPLATE

_IMAGES = ("source", "reference")

_LONGEST_NAME = 200
"""Characters of a column's name: no benchmark has a longer one, and faults repeat it."""


@dataclass(frozen=True)
class HowToRead:
    """The layout, columns by the parts of a sample, where image paths begin, split and subset; each may be left out."""

    layout: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    images: Path | None = None
    split: str | None = None
    subset: str | None = None


def columns_by_part(given: Sequence[str]) -> dict[str, str]:
    """Return what `--column PART=COLUMN` was given as a mapping. Raises WrongCall."""
    columns: dict[str, str] = {}
    for one in given:
        part, equals, column = one.partition("=")
        said = f"--column {one[:_LONGEST_NAME]}"
        if not equals or part not in PARTS or not column.strip():
            raise WrongCall(f"{said}: expected PART=COLUMN, where PART is one of {', '.join(PARTS)}")
        if part in columns:
            raise WrongCall(f"{said}: {part} was given before, as {columns[part][:_LONGEST_NAME]}")
        if column == ROW_NUMBER and part != "key":
            raise WrongCall(f"{said}: only a key can be the row's number")
        if column.startswith((CONSTANT, TEMPLATE)) and part in _IMAGES:
            raise WrongCall(f"{said}: an image cannot be a text for all rows; expected a column's name")
        if part == "key" and (column.startswith(CONSTANT) or (column.startswith(TEMPLATE) and "{" not in column)):
            raise WrongCall(f"{said}: every row would have the same key; `#` numbers them")
        if column in (CONSTANT, TEMPLATE):
            raise WrongCall(f"{said}: the text after {column!r} is empty")
        if len(column) > _LONGEST_NAME and not column.startswith((CONSTANT, TEMPLATE)):
            raise WrongCall(f"{said}: a column's name has {_LONGEST_NAME} characters at most")
        columns[part] = column
    return columns
