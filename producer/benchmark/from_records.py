"""Samples from records: what a layout says of their columns, read and checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from db.errors import one_line
from db.prompts import OwnPrompt
from producer.benchmark.formats.record import HasRemarks, Record, Records
from producer.benchmark.image_values import columns_like, images_in
from producer.benchmark.layouts.layout import (
    CONSTANT,
    NAME_OF_FOLDER,
    NAME_OF_RECORD,
    PARTS,
    ROW_NUMBER,
    TEMPLATE,
    Layout,
    Names,
    shown_column,
)
from producer.benchmark.sample import Fault, FieldFault, FileFault, Sample, Spot
from producer.benchmark.text_values import (
    MAX_KEY,
    Check,
    check_name,
    check_text,
    columns_in,
    composed,
    field_in,
    text_in,
)

_NO_COLUMNS = (ROW_NUMBER, CONSTANT, TEMPLATE)
"""What begins so, in the place of a column's name, is none that a record has of itself."""

_UNREAD_SHOWN = 10
"""Columns that a remark names at most."""

_PART = {"source": "image"}
"""What a part of a sample is called where a fault speaks of it, if not as in `--column`."""


@dataclass(frozen=True)
class RecordBenchmark:
    """A benchmark whose samples are records of one layout.

    `images` is where their paths begin and what they must lie in; None: their own folders, and `inside`, or the
    benchmark's own. `called` is the benchmark's name where its files do not say it.
    `asked` are the columns that a person has named for parts of a sample: some record must have each.
    """

    records: Records
    layout: Layout
    images: Path | None = None
    asked: Mapping[str, str] = field(default_factory=dict)
    layout_name: str = "plain"
    called: str | None = None
    inside: Path | None = None
    _unread: set[str] = field(default_factory=set, init=False, compare=False)

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.records.path

    @property
    def name(self) -> str:
        """What it calls itself."""
        return (self.called or self.records.name)[:MAX_KEY]

    @property
    def prompts(self) -> Mapping[str, OwnPrompt]:
        """The judge's prompts that it brings."""
        return self.records.prompts

    def remarks(self) -> Iterator[str]:
        """Yield what else there is to say of it, once it was read."""
        if isinstance(self.records, HasRemarks):
            yield from self.records.remarks()
        if unread := sorted(self._unread)[:_UNREAD_SHOWN]:
            named = ", ".join(one_line(shown_column(column)) for column in unread)
            yield f"read for no part of a sample: {named}; where one should be, --column PART=NAME says so"

    def __iter__(self) -> Iterator[Sample | Fault]:
        """Yield the samples in their order, a fault where there is no usable one."""
        path = self.records.path
        inside = self.images or self.inside or (path if path.is_dir() else path.parent)
        absent = {part: column for part, column in self.asked.items() if not column.startswith(_NO_COLUMNS)}
        empty = dict.fromkeys(self.records.columns())  # the cells that a row of a table leaves empty
        known = _columns_of(self.layout) if self.layout_name == "plain" else None
        row = 0
        for record in self.records:
            if isinstance(record, FileFault):
                yield record
                continue
            row += 1
            if isinstance(record, Fault):
                yield replace(record, spot=replace(record.spot, row=row))
                continue
            if empty:
                record = replace(record, values={**empty, **record.values})
            if known is not None and len(self._unread) < _UNREAD_SHOWN:
                self._unread.update(record.values.keys() - known)
            if absent:
                absent = {
                    part: column for part, column in absent.items() if not columns_like(column) & {*record.values}
                }
            yield self._sample(record, row, inside)
        if row:
            yield from (
                FileFault(f"--column {part}={column}", f"no record has a column {column!r}")
                for part, column in absent.items()
            )

    def _sample(self, record: Record, row: int, inside: Path) -> Sample | Fault:
        layout = self.layout
        values = {**record.values, ROW_NUMBER: row} if ROW_NUMBER in layout.key else record.values
        shown = (_shown_key(values, layout.key) or "")[:MAX_KEY] or None
        place = f"{record.place} ({shown})" if shown else record.place
        spot = Spot(row, shown, record.byte)
        folder = self.images or record.folder
        try:
            source, *more = images_in(values, layout.source, folder, inside) or (None,)
            if source is None:
                raise _nothing_in(values, "source", layout.source)
            reference, *others = images_in(values, layout.reference, folder, inside) or (None,)
            if others:
                raise FieldFault(f"{layout.reference[0]}: expected one image, found {1 + len(others)}")
            return Sample(
                place=place,
                key=_required(values, "key", layout.key, check_name),
                category=_required(values, "category", layout.category, check_name),
                instruction=_required(values, "instruction", layout.instruction, check_text),
                description=text_in(values, layout.description, check_text),
                source=source,
                more_sources=tuple(more),
                reference=reference,
                reference_text=text_in(values, layout.reference_text, check_text) or None,
                fields={name: value for name in layout.fields if (value := field_in(values, name)) is not None},
                spot=spot,
            )
        except FieldFault as fault:
            return Fault(place, str(fault), spot)


def _columns_of(layout: Layout) -> set[str]:
    """Return every column that some part of a sample may be read from."""
    read = {NAME_OF_RECORD, NAME_OF_FOLDER, *layout.fields}
    for part in PARTS:
        for name in getattr(layout, part):
            read |= set(columns_in(name)) if name.startswith(TEMPLATE) else columns_like(name)
    return read


def _required(values: Mapping[str, Any], part: str, names: Names, check: Check) -> str:
    """Return the text of this part of a sample. Raises FieldFault, which says where it was looked for."""
    text = text_in(values, names, check, numbers=part == "key")
    if not text:
        raise _nothing_in(values, part, names)
    return text


def _nothing_in(values: Mapping[str, Any], part: str, names: Names) -> FieldFault:
    """Return what is said of a part of a sample that must be there, and is not."""
    there = [name for name in names if name in values]
    if there:
        empty = next((name for name in there if values[name] is not None), there[0])
        return FieldFault(f"{shown_column(empty)} is empty")
    looked = ", ".join(map(shown_column, names))
    return FieldFault(f"no {_PART.get(part, part)}: looked for {looked}; --column {part}=NAME names another column")


def _shown_key(values: Mapping[str, Any], names: Names) -> str | None:
    """Return what a fault calls the record beside its place, right or wrong; None where there is nothing to show."""
    for name in names:
        if name.startswith(TEMPLATE):
            with suppress(FieldFault):
                return composed(values, name)
        elif _can_be_shown(value := values.get(name)):
            return str(value)
    return None


def _can_be_shown(key: object) -> bool:
    return isinstance(key, str | int | float) and key != ""  # what is nested may be too deep to be written
