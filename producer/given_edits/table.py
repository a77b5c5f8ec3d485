"""Images named by a table, one edit a row: CSV or TSV with a header, or JSON Lines.

    {"key": "p-17", "category": "物理", "repeat": 0, "image": "outputs/p-17.png"}

`image` is a path relative to the table's folder and inside it; where it is null or empty, there is none. `category` may
be left out where no other category has the key, `repeat` counts from 0 and is 0 where it is left out. What else a row
holds is not looked at.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from db.categories import with_alias
from db.errors import BenchmarkInvalid
from producer.benchmark.faults import Faults
from producer.benchmark.fields import optional_text, required_text
from producer.benchmark.formats.record import Record
from producer.benchmark.formats.rows import SUFFIXES, rows_of, table_at
from producer.benchmark.sample import Fault, FieldFault, kind_of
from producer.benchmark.text_values import MAX_KEY, check_name
from producer.given_edits.names import Found, Names, composed, folded

MOST_REPEATS = 1000

SPARSE, AT_LEAST = 50, 1000
"""Where repeats are numbered so that so many times the edits of the table would be asked for, a number is a mistake."""

_COUNT = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class _Row:
    """One row as it was read; `category` is None where it names none, `image` empty where there is none."""

    place: str
    key: str
    category: str | None
    repeat: int
    image: str


def find_in_table(path: Path, names: Names, asked: Collection[int], faults: Faults) -> list[Found]:
    """Return an edit for every repeat of every sample asked for; what is wrong with the table is added to the faults.

    Raises BenchmarkInvalid where it cannot be read.
    """
    by_place: dict[tuple[int, int], _Row] = {}
    for row in _rows(path):
        if isinstance(row, Fault):
            faults.add(row)
            continue
        try:
            place = _position(row, names), row.repeat
        except FieldFault as fault:
            faults.add(Fault(row.place, str(fault)))
            continue
        first = by_place.setdefault(place, row)
        if first is not row:
            again = f", repeat {row.repeat}" if row.repeat else ""
            faults.add(Fault(row.place, f"{names.shown(place[0])}{again}: was named before, at {first.place}"))
    repeats = 1 + max((repeat for _, repeat in by_place), default=0)
    if len(names.samples) * repeats > SPARSE * len(by_place) + AT_LEAST:
        many = f"{len(names.samples):,} samples and {repeats:,} repeats"
        faults.add(f"{many} are far more than the table has: is a repeat misnumbered?")
        repeats = 1
    folder = _Folder(path)
    places = ((position, repeat) for position in sorted(asked) for repeat in range(repeats))
    return [_found(place, by_place.get(place), folder, faults) for place in places]


def _position(row: _Row, names: Names) -> int:
    """Return which sample the row means. Raises FieldFault where there is none, or several."""
    category = None if row.category is None else names.categories.get(folded(row.category))
    if row.category is not None and category is None:
        raise FieldFault(f"the benchmark has no category {row.category!r}")
    alike = names.by_key.get(composed(row.key), ())
    meant = [one for one in alike if category in (None, names.samples[one][0])]
    if not meant:
        within = "" if category is None else f" in category {with_alias(category)}"
        raise FieldFault(f"the benchmark has no sample {row.key!r}{within}")
    if len(meant) > 1:
        categories = ", ".join(with_alias(names.samples[one][0]) for one in meant)
        raise FieldFault(f"key {row.key!r} is in several categories: say which of {categories}")
    return meant[0]


def _found(place: tuple[int, int], row: _Row | None, folder: _Folder, faults: Faults) -> Found:
    if row is None:
        return Found(*place, "", None, f"the table has no row of it, repeat {place[1]}")
    if not row.image:
        return Found(*place, row.place, None, f"the table names no image of it, repeat {place[1]}")
    try:
        return Found(*place, row.place, folder.path(row.image))
    except FieldFault as fault:
        faults.add(Fault(row.place, str(fault)))
        return Found(*place, row.place, None)


class _Folder:
    """The folder of a table, which none of its images may lie outside of."""

    def __init__(self, table: Path) -> None:
        self._folder = os.path.realpath(table.parent)

    def path(self, image: str) -> str:
        """Return where the image is. Raises FieldFault."""
        try:
            path = os.path.realpath(os.path.join(self._folder, image))  # noqa: PTH118 - some thousand times
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise FieldFault(f"image: {image[:MAX_KEY]!r} cannot be read: {reason}") from error
        if not path.startswith(self._folder.rstrip(os.sep) + os.sep):
            raise FieldFault(f"image: {image[:MAX_KEY]!r} lies outside the table's folder")
        return path


# -- read --------------------------------------------------------------------------------------------------------------


def _rows(path: Path) -> Iterator[_Row | Fault]:
    table = table_at(path, required=("key", "image"))
    if table is None:
        raise BenchmarkInvalid(f"{path}: is no table by its name; expected one of {', '.join(SUFFIXES)}")
    for record in rows_of(table):
        yield record if isinstance(record, Fault) else _row(record)


def _row(record: Record) -> _Row | Fault:
    values = record.values
    try:
        key = required_text(values, "key")
        image = values.get("image")
        if image is not None and not isinstance(image, str):
            raise FieldFault(f"image: expected a text, found {kind_of(image)}")
        return _Row(
            record.place,
            key,
            optional_text(values, "category", check_name) or None,
            _repeat(values.get("repeat")),
            image or "",
        )
    except FieldFault as fault:
        return Fault(record.place, str(fault))


def _repeat(value: object) -> int:
    if value is None:
        return 0
    if isinstance(value, str) and _COUNT.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < MOST_REPEATS:
        shown = value if isinstance(value, int) and abs(value) < 10**9 else kind_of(value)
        raise FieldFault(f"repeat: expected a whole number from 0 to {MOST_REPEATS - 1}, found {shown}")
    return value
