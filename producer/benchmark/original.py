"""The first scripts' `benchmark.json`: categories of pairs, images in base64 or by path; streamed, never held whole.

    {"name": ..., "categories": [{"name": "物理", "pairs": [{"pair_id": ..., "original_image_b64": ..., ...}]}]}

Categories may also be an object keyed by name, whose values are `{"pairs": [...]}` or the list of pairs itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import ijson

from producer.benchmark.sample import MAX_KEY, Fault, FieldFault, Sample, check_text, read_sample

_BUFFER = 1 << 20  # ijson's default of 64 kB is half as fast on images of megabytes
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_Event = tuple[str, str, Any]


@dataclass
class _Outline:
    """What must be known before the pairs are read: a category's name may stand behind its pairs."""

    name: str | None = None
    categories: bool = False
    category_names: dict[int, Any] = field(default_factory=dict)


class OriginalBenchmark:
    """Reads the original layout."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self._path

    @property
    def name(self) -> str:
        """The file's `name`, else its file name."""
        return self._outline.name or self._path.stem

    def __iter__(self) -> Iterator[Sample | Fault]:
        """Yield the pairs in their order."""
        last = "the beginning"
        try:
            if not self._outline.categories:
                yield Fault("categories", "missing; expected a list of categories, or an object keyed by their names")
                return
            with self._path.open("rb") as file:
                for place, category, record in self._pairs(_events(file)):
                    last = place
                    yield self._sample(place, category, record)
        except ijson.JSONError as error:
            yield Fault(f"after {last}", f"is not valid JSON: {' '.join(str(error).split())[:200]}")
        except UnicodeDecodeError as error:
            yield Fault(f"after {last}", f"is not UTF-8: {error.reason}")

    @cached_property
    def _outline(self) -> _Outline:
        outline = _Outline()
        position = -1
        with self._path.open("rb") as file:
            for prefix, event, value in _events(file):
                if prefix == "categories":
                    outline.categories |= event in ("start_array", "start_map")
                elif prefix == "name" and event == "string":
                    outline.name = value.strip()[:MAX_KEY] or None
                elif prefix == "categories.item" and event == "start_map":
                    position += 1
                elif prefix == "categories.item.name":
                    outline.category_names[position] = value
        return outline

    def _sample(self, place: str, category: object, record: object) -> Sample | Fault:
        if isinstance(record, Fault):
            return record
        try:
            if not isinstance(category, str) or not category.strip():
                raise FieldFault("its category has no name")
            name = check_text(category, "the category's name", MAX_KEY)
        except FieldFault as fault:
            return Fault(place, str(fault))
        return read_sample(record, place=place, folder=self._path.parent, category=name)

    def _pairs(self, events: Iterator[_Event]) -> Iterator[tuple[str, object, object]]:
        """Yield (place, name of the category, the pair's record) from the events of the whole file."""
        for prefix, event, value in events:
            if prefix == "categories.item" and event == "start_map":
                yield from self._listed_categories(events)
                return
            if prefix == "categories" and event == "map_key":
                yield from _keyed_categories(events, value)
                return

    def _listed_categories(self, events: Iterator[_Event]) -> Iterator[tuple[str, object, object]]:
        category, pair = 0, 0
        for prefix, event, value in events:
            if prefix == "categories.item.pairs.item":
                place = f"categories[{category}].pairs[{pair}]"
                yield place, self._outline.category_names.get(category), _value(events, prefix, event, value)
                pair += 1
            elif prefix == "categories.item" and event == "start_map":
                category, pair = category + 1, 0


def _keyed_categories(events: Iterator[_Event], name: str) -> Iterator[tuple[str, object, object]]:
    pair = 0
    for prefix, event, value in events:
        if prefix == "categories" and event == "map_key":
            name, pair = value, 0
        elif prefix in (f"categories.{name}.pairs.item", f"categories.{name}.item"):
            yield f"categories[{name!r}].pairs[{pair}]", name, _value(events, prefix, event, value)
            pair += 1


def _value(events: Iterator[_Event], prefix: str, event: str, value: Any) -> object:
    """Build the value that begins with this event; of the events it takes exactly those that belong to it."""
    builder = ijson.ObjectBuilder()
    builder.event(event, value)
    if event in ("start_map", "start_array"):
        end = event.replace("start", "end")
        for inner_prefix, inner_event, inner_value in events:
            builder.event(inner_event, inner_value)
            if inner_prefix == prefix and inner_event == end:
                break
    return builder.value


def _events(file: BinaryIO) -> Iterator[_Event]:
    if file.read(len(_BYTE_ORDER_MARK)) != _BYTE_ORDER_MARK:
        file.seek(0)
    return iter(ijson.parse(file, buf_size=_BUFFER, use_float=True))
