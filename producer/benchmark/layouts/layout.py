"""A layout: in which columns of a record the parts of a sample stand; `PLAIN` is our own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

Names = tuple[str, ...]
"""What a column may be called; the first that a record has counts."""

ROW_NUMBER = "#"
"""In the place of a column's name: the number of the record, from 1."""

NAME_OF_RECORD = "#key"
"""A column that some readers add: what a record is called by the file that it is in."""

NAME_OF_FOLDER = "#folder"
"""Likewise: the name of the folder that it is in."""

CONSTANT = ":"
"""With this before it, in the place of a column's name: the text that follows, for every record."""

TEMPLATE = "="
"""With this before it, in the place of a column's name: a text with columns in braces, `={img_id}-{turn_index}`."""

_SHOWN = 80
"""Characters of a column's name that a fault repeats."""

_MEANT = {NAME_OF_RECORD: "the record's name in its file", NAME_OF_FOLDER: "the name of its folder"}


def shown_column(name: str) -> str:
    """Return what a fault calls a column, or what stands in the place of one."""
    return _MEANT.get(name, name.removeprefix(TEMPLATE)[:_SHOWN])


@dataclass(frozen=True)
class Layout:
    """Where in a record each part of a sample stands.

    `source` may hold several images, the first being what is edited. What stands in the columns of `fields` is kept
    under their names for rubrics. Records are known by having all columns of `marks`.
    """

    key: Names
    category: Names
    instruction: Names
    source: Names
    description: Names = ()
    reference: Names = ()
    reference_text: Names = ()
    fields: Names = ()
    marks: frozenset[str] = frozenset()

    def with_columns(self, columns: Mapping[str, str]) -> Layout:
        """Return the layout in which these parts of a sample stand in the named columns."""
        return replace(self, **{part: (column,) for part, column in columns.items()})  # type: ignore[arg-type]


PLAIN = Layout(
    key=("pair_id", "key", "id", NAME_OF_RECORD),
    category=("category",),
    instruction=("edit_instruction", "instruction"),
    source=("original_image", "image", "source_image", "images"),
    description=("original_description", "description"),
    reference=("reference_image",),
    reference_text=("reference_text",),
)
"""Our own; the first scripts' names among them."""

PARTS = ("key", "category", "instruction", "source", "description", "reference", "reference_text")
"""The parts of a sample whose columns a user may name."""
