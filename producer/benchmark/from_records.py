"""Samples from records: what a layout says of their columns, read and checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from db.prompts import OwnPrompt
from producer.benchmark.image_values import images_in
from producer.benchmark.layouts import ROW_NUMBER, TEMPLATE, Layout, Names
from producer.benchmark.record import Record, Records
from producer.benchmark.sample import Fault, FieldFault, Sample
from producer.benchmark.text_values import MAX_KEY, check_name, check_text, composed, field_in, required_text, text_in


@dataclass(frozen=True)
class RecordBenchmark:
    """A benchmark whose samples are records of one layout.

    `images` is where their paths begin and what they must lie in; None: their own folders, and the benchmark's.
    """

    records: Records
    layout: Layout
    images: Path | None = None

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.records.path

    @property
    def name(self) -> str:
        """What it calls itself."""
        return self.records.name[:MAX_KEY]

    @property
    def prompts(self) -> Mapping[str, OwnPrompt]:
        """The judge's prompts that it brings."""
        return self.records.prompts

    def __iter__(self) -> Iterator[Sample | Fault]:
        """Yield the samples in their order, a fault where there is no usable one."""
        path = self.records.path
        inside = self.images or (path if path.is_dir() else path.parent)
        for number, record in enumerate(self.records, start=1):
            yield record if isinstance(record, Fault) else self._sample(record, number, inside)

    def _sample(self, record: Record, number: int, inside: Path) -> Sample | Fault:
        layout = self.layout
        values = {**record.values, ROW_NUMBER: number} if ROW_NUMBER in layout.key else record.values
        shown = _shown_key(values, layout.key)
        place = f"{record.place} ({shown[:MAX_KEY]})" if shown else record.place
        folder = self.images or record.folder
        try:
            source, *more = images_in(values, layout.source, folder, inside) or (None,)
            if source is None:
                raise FieldFault(f"no image: expected {layout.source[0]}_b64 or {layout.source[0]}")
            reference, *others = images_in(values, layout.reference, folder, inside) or (None,)
            if others:
                raise FieldFault(f"{layout.reference[0]}: expected one image, found {1 + len(others)}")
            fields = {name: value for name in layout.fields if (value := field_in(values, name)) is not None}
            return Sample(
                place=place,
                key=required_text(values, layout.key, check_name, numbers=True),
                category=required_text(values, layout.category, check_name),
                instruction=required_text(values, layout.instruction, check_text),
                description=text_in(values, layout.description, check_text),
                source=source,
                more_sources=tuple(more),
                reference=reference,
                reference_text=text_in(values, layout.reference_text, check_text) or None,
                fields=fields,
            )
        except FieldFault as fault:
            return Fault(place, str(fault))


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
