"""The first scripts' `benchmark.json`: categories of pairs, images in base64 or by path; streamed, never held whole.

    {"name": ..., "categories": [{"name": "物理", "pairs": [{"pair_id": ..., "original_image_b64": ..., ...}]}]}

Categories may also be an object keyed by name, whose values are `{"pairs": [...]}` or the list of pairs itself. A
category may bring `system_prompt` and `user_prompt` for its judge.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import ijson

from db.prompts import OwnPrompt
from producer.benchmark.record import Record
from producer.benchmark.sample import Fault, kind_of
from producer.benchmark.text_values import MAX_KEY

_BUFFER = 1 << 20  # ijson's default of 64 kB is half as fast on images of megabytes
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_Event = tuple[str, str, Any]

_DEEPEST = 64
_LONGEST_NAME = 1000


class _OutOfBounds(Exception):
    """A file that is JSON, and made to exhaust its reader."""


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
                for place, category, record in self._pairs(_events(file)):
                    last = place
                    yield self._record(place, category, record)
            if not self._outline.categories:
                yield Fault("categories", "missing; expected a list of categories, or an object keyed by their names")
        except ijson.JSONError as error:
            yield Fault(f"after {last}", f"is not valid JSON: {_reason(error)}")
        except UnicodeDecodeError as error:
            yield Fault(f"after {last}", f"is not UTF-8: {error.reason}")
        except _OutOfBounds as error:
            yield Fault(f"after {last}", str(error))

    @cached_property
    def _outline(self) -> _Outline:
        outline = _Outline()
        with self._path.open("rb") as file:
            try:
                _read_outline(outline, _events(file))
            except (ijson.JSONError, UnicodeDecodeError, _OutOfBounds):
                outline.broken = True  # the reading of the pairs comes to the same place and says so
        return outline

    def _record(self, place: str, category: object, pair: object) -> Record | Fault:
        if isinstance(pair, Fault):
            return pair
        if not isinstance(category, str) or not category.strip():
            return Fault(place, "its category has no name")
        if not isinstance(pair, Mapping):
            return Fault(place, f"expected an object, found {kind_of(pair)}")
        return Record(place, {**pair, "category": category}, self._path.parent)

    def _pairs(self, events: Iterator[_Event]) -> Iterator[tuple[str, object, object]]:
        """Yield (place, name of the category, the pair's record or a Fault) from the events of the whole file."""
        position, name = 0, ""
        for prefix, event, value in events:
            if prefix == "categories" and event == "map_key":
                name = value
            elif prefix == "categories.item" and name != "item":
                yield from _pairs_of(events, prefix, event, f"categories[{position}]", self._listed_name(position))
                position += 1
            elif prefix == f"categories.{name}":
                yield from _pairs_of(events, prefix, event, f"categories[{name!r}]", name)

    def _listed_name(self, position: int) -> object:
        unknown = "?" if self._outline.broken else None  # where the file breaks off, that fault is enough
        return self._outline.category_names.get(position, unknown)


def _read_outline(outline: _Outline, events: Iterator[_Event]) -> None:
    position, name = -1, ""
    for prefix, event, value in events:
        if prefix == "categories":
            outline.categories |= event in ("start_array", "start_map")
            name = value if event == "map_key" else name
        elif prefix == "name" and event == "string":
            outline.name = value.strip()[:MAX_KEY] or None
        elif prefix == "categories.item" and event not in ("map_key", "end_map", "end_array"):
            position += 1
        elif prefix == "categories.item.name":
            outline.category_names[position] = value
        elif prefix.endswith("_prompt") and event not in ("map_key", "end_map", "end_array", "null"):
            _read_prompt(outline, prefix, position, name, _WHOLE.get(event, value))


_WHOLE: Mapping[str, object] = {"start_map": {}, "start_array": []}
"""What stands for a value that comes in several events; that it is no text is all that matters."""


def _read_prompt(outline: _Outline, prefix: str, position: int, name: str, value: object) -> None:
    for which in ("system_prompt", "user_prompt"):
        if prefix == f"categories.item.{which}" and name != "item":
            outline.prompts.setdefault(position, {})[which] = value
        elif prefix == f"categories.{name}.{which}":
            outline.prompts.setdefault(name, {})[which] = value


def _pairs_of(
    events: Iterator[_Event], prefix: str, event: str, place: str, name: object
) -> Iterator[tuple[str, object, object]]:
    """Yield the pairs of the category whose value begins with this event; it takes the events up to the value's end."""
    pairs = prefix if event == "start_array" else f"{prefix}.pairs"
    listed, number = event == "start_array", 0
    if event in ("start_map", "start_array"):
        end = event.replace("start", "end")
        for inner_prefix, inner_event, value in events:
            if inner_prefix == prefix and inner_event == end:
                break
            if listed and inner_prefix == f"{pairs}.item":
                yield f"{place}.pairs[{number}]", name, _value(events, inner_prefix, inner_event, value)
                number += 1
            listed |= inner_prefix == pairs and inner_event == "start_array"
    if not listed:
        yield place, name, Fault(place, "has no pairs; expected a list of them, or an object with `pairs`")


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


def _reason(error: ijson.JSONError) -> str:
    given = error.args[0] if error.args else ""  # bytes where the parser could not decode what it quotes
    text = given.decode(errors="replace") if isinstance(given, bytes) else str(given)
    return " ".join(text.split())[:200]


def _events(file: BinaryIO) -> Iterator[_Event]:
    if file.read(len(_BYTE_ORDER_MARK)) != _BYTE_ORDER_MARK:
        file.seek(0)
    return iter(ijson.parse(_within_bounds(ijson.basic_parse(file, buf_size=_BUFFER, use_float=True))))


def _within_bounds(events: Iterator[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Pass the events on. Raises _OutOfBounds where the path of names to an event, which each repeats, grows too long.

    ijson writes that path for all that it has read at once: 20 kB of opening brackets took a gigabyte.
    """
    depth = 0
    for event, value in events:
        if event in ("start_map", "start_array"):
            depth += 1
            if depth > _DEEPEST:
                raise _OutOfBounds(f"is nested too deep; at most {_DEEPEST} levels are read")
        elif event in ("end_map", "end_array"):
            depth -= 1
        elif event == "map_key" and len(value) > _LONGEST_NAME:
            raise _OutOfBounds(f"a name has {len(value):,} characters; at most {_LONGEST_NAME:,} are read")
        yield event, value
