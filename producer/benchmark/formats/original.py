"""The first scripts' `benchmark.json`: categories of pairs, images in base64 or by path; streamed, never held whole.

    {"name": ..., "categories": [{"name": "物理", "pairs": [{"pair_id": ..., "original_image_b64": ..., ...}]}]}

Categories may also be an object keyed by name, whose values are `{"pairs": [...]}` or the list of pairs itself. A
category may bring `system_prompt` and `user_prompt` for its judge.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

from db.prompts import OwnPrompt
from producer.benchmark.formats.json_events import JsonEvents, items, members, skip, value_of
from producer.benchmark.formats.json_mistakes import JsonFault
from producer.benchmark.formats.record import Record, place_at
from producer.benchmark.sample import Fault, FileFault, Spot, kind_of
from producer.benchmark.text_values import MAX_KEY

PROMPTS = ("system_prompt", "user_prompt")


@dataclass
class _Outline:
    """What must be known before the pairs are read: a category's name may stand behind its pairs."""

    name: str | None = None
    categories: bool = False
    broken: bool = False
    category_names: dict[int, Any] = field(default_factory=dict)
    prompts: dict[int | str, dict[str, Any]] = field(default_factory=dict)


class Original:
    """The pairs of a file in the original layout, each with the name of its category."""

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

    @property
    def prompts(self) -> Mapping[str, OwnPrompt]:
        """The categories' own prompts; of a category's two, one may be missing."""
        own: dict[str, OwnPrompt] = {}
        for category, texts in self._outline.prompts.items():
            name = self._outline.category_names.get(category) if isinstance(category, int) else category
            if isinstance(name, str):
                place = f"categories[{category!r}]"
                own[name.strip()] = OwnPrompt(place, texts.get("system_prompt"), texts.get("user_prompt"))
        return own

    def columns(self) -> tuple[str, ...]:
        """None: they are known when the records are read."""
        return ()

    def __iter__(self) -> Iterator[Record | Fault]:
        """Yield the pairs in their order."""
        last = "the beginning"
        try:
            with self._path.open("rb") as file:
                for place, item in self._pairs(JsonEvents(file)):
                    last = place
                    yield item
            if not self._outline.categories:
                expected = "expected a list of categories, or an object keyed by their names"
                yield FileFault("categories", f"missing; {expected}")
        except JsonFault as fault:
            yield fault.behind(last)

    @cached_property
    def _outline(self) -> _Outline:
        outline = _Outline()
        with self._path.open("rb") as file:
            try:
                events = JsonEvents(file)
                for which, event in _categories(events, outline):
                    _read_category(outline, events, which, event)
            except JsonFault:
                outline.broken = True  # the reading of the pairs comes to the same place and says so
        return outline

    def _pairs(self, events: JsonEvents) -> Iterator[tuple[str, Record | Fault]]:
        """Yield each pair, or the fault in its place, and where it stands without the byte."""
        for which, event in _categories(events, _Outline()):
            name = which if isinstance(which, str) else self._listed_name(which)
            yield from self._pairs_of(events, event, f"categories[{which!r}]", name)

    def _listed_name(self, position: int) -> object:
        unknown = "?" if self._outline.broken else None  # where the file breaks off, that fault is enough
        return self._outline.category_names.get(position, unknown)

    def _pairs_of(
        self, events: JsonEvents, event: str, place: str, category: object
    ) -> Iterator[tuple[str, Record | Fault]]:
        begun, listed, number = events.byte, False, count()
        for inner in _lists_of_pairs(events, event):
            listed = True
            for one, value in items(inner):
                byte = events.byte
                found = f"{place}.pairs[{next(number)}]"
                yield found, self._record(found, byte, category, value_of(events, one, value))
        if not listed:
            what = "has no pairs; expected a list of them, or an object with `pairs`"
            yield place, FileFault(place_at(place, begun, exact=event == "start_map"), what, Spot(byte=begun))

    def _record(self, place: str, byte: int, category: object, pair: object) -> Record | Fault:
        placed = place_at(place, byte, exact=isinstance(pair, Mapping))
        if not isinstance(category, str) or not category.strip():
            return Fault(placed, "its category has no name", Spot(byte=byte))
        if not isinstance(pair, Mapping):
            return Fault(placed, f"expected an object, found {kind_of(pair)}", Spot(byte=byte))
        return Record(placed, {**pair, "category": category}, self._path.parent, byte)


def _categories(events: JsonEvents, outline: _Outline) -> Iterator[tuple[int | str, str]]:
    """Yield (position in the list or name, event that begins its value) of each category, and note what is beside them.

    Who asks takes the rest of the value.
    """
    positions = count()
    for outermost, _ in events:
        if outermost != "start_map":
            skip(events, outermost)
            continue
        for name, event, value in members(events):
            if name == "categories" and event == "start_array":
                outline.categories = True
                yield from ((next(positions), inner) for inner, _ in items(events))
            elif name == "categories" and event == "start_map":
                outline.categories = True
                yield from ((category, inner) for category, inner, _ in members(events))
            elif name == "name" and event == "string":
                outline.name = value.strip()[:MAX_KEY] or None
            else:
                skip(events, event)


def _lists_of_pairs(events: JsonEvents, event: str) -> Iterator[JsonEvents]:
    """Yield the events each time that a list of pairs has begun in the value of a category, which begins with this."""
    if event == "start_array":
        yield events
    elif event == "start_map":
        for name, inner, _ in members(events):
            if name == "pairs" and inner == "start_array":
                yield events
            else:
                skip(events, inner)


def _read_category(outline: _Outline, events: JsonEvents, which: int | str, event: str) -> None:
    """Note the name of a category that is listed, and the prompts that it brings."""
    if event != "start_map":
        skip(events, event)
        return
    for name, inner, value in members(events):
        if name in PROMPTS and inner != "null":
            outline.prompts.setdefault(which, {})[name] = _WHOLE.get(inner, value)
        elif name == "name" and isinstance(which, int):
            outline.category_names[which] = value
        skip(events, inner)


_WHOLE: Mapping[str, object] = {"start_map": {}, "start_array": []}
"""What stands for a value that comes in several events; that it is no text is all that matters."""
