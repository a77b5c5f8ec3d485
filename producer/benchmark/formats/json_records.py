"""Records in one JSON file: a list of them, `[{...}, ...]`, or an object of them by name, `{"p-17": {...}, ...}`.

Of an object, each record's name there is in its column `#key`, whatever the record itself has under that name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from producer.benchmark.formats.json_events import JsonEvents, items, members, skip, value_of
from producer.benchmark.formats.json_mistakes import JsonFault
from producer.benchmark.formats.record import NamedByPath, Record, place_at
from producer.benchmark.layouts.layout import NAME_OF_RECORD
from producer.benchmark.sample import Fault, FileFault, Spot, kind_of

_SHOWN = 200
"""Characters of a record's name that its place repeats."""


class JsonRecords(NamedByPath):
    """The records of a JSON file."""

    def __iter__(self) -> Iterator[Record | Fault]:
        """Yield the records in their order."""
        yield from json_records(self._path)


def json_records(path: Path, shown: str = "") -> Iterator[Record | Fault]:
    """Yield the records of a JSON file; `shown` says which one it is of several. Raises OSError."""
    last = "the beginning"
    try:
        with path.open("rb") as file:
            events = JsonEvents(file)
            for outermost, _ in events:
                if outermost not in ("start_array", "start_map"):
                    yield FileFault(f"{shown}the file", "expected a list of records, or an object of them by name")
                for name, event, value in _values(events, outermost):
                    place, byte = f"[{name if isinstance(name, int) else name[:_SHOWN]!r}]", events.byte
                    record = _record(f"{shown}{place}", byte, name, value_of(events, event, value), path.parent)
                    last = place
                    yield record
    except JsonFault as fault:
        yield fault.behind(last, shown)


def _values(events: JsonEvents, outermost: str) -> Iterator[tuple[int | str, str, Any]]:
    """Yield (position or name, event, value) of each value in the list or object that has begun."""
    if outermost == "start_array":
        yield from ((position, *one) for position, one in enumerate(items(events)))
    elif outermost == "start_map":
        yield from members(events)
    else:
        skip(events, outermost)


def _record(place: str, byte: int, name: int | str, value: Any, folder: Path) -> Record | Fault:
    placed = place_at(place, byte, exact=isinstance(value, Mapping))
    if not isinstance(value, Mapping):
        return Fault(placed, f"expected an object, found {kind_of(value)}", Spot(byte=byte))
    return Record(placed, {**value, NAME_OF_RECORD: name} if isinstance(name, str) else value, folder, byte)
