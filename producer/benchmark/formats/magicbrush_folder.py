"""MagicBrush's development and test sets as they are downloaded: a list of turns in JSON beside a folder of images.

    test/edit_turns.json               [{"input": "9-input.png", "mask": ..., "output": "9-output1.png", ...}, ...]
    test/images/9/9-input.png, 9-mask1.png, 9-output1.png, ...

A turn becomes a record with the columns of the data set on the Hub, images by their paths. Its number is nowhere but in
the name of its output. Where `edit_turns.json` is missing, the turns are those of `edit_sessions.json`, in its order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from db.errors import BenchmarkInvalid
from producer.benchmark.files import open_regular
from producer.benchmark.formats.json_events import JsonEvents, items, members, skip, value_of
from producer.benchmark.formats.json_mistakes import JsonFault
from producer.benchmark.formats.record import NamedByPath, Record, place_at
from producer.benchmark.sample import Fault, FileFault, Spot, kind_of

TURNS = "edit_turns.json"
SESSIONS = "edit_sessions.json"
IMAGES = "images"

_OUTERMOST = {
    TURNS: ("start_array", "a list of turns"),
    SESSIONS: ("start_map", "an object of sessions, each a list of turns"),
}
"""The event that each list of turns begins with, and what it is."""

_SHOWN = 80
"""Characters of a session's name that a place repeats."""

_OUTPUT = re.compile(r"(.+)-output([1-9]\d{0,3})\.\w+")
_IMAGE_COLUMNS = {"input": "source_img", "mask": "mask_img", "output": "target_img"}


class MagicBrushFolder(NamedByPath):
    """The turns of a downloaded folder. Raises BenchmarkInvalid where it has no list of them."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        lists = [path / name for name in (TURNS, SESSIONS) if (path / name).exists()]
        if not lists:
            raise BenchmarkInvalid(f"{path}: holds neither {TURNS} nor {SESSIONS}")
        self._turns = lists[0]

    @property
    def name(self) -> str:
        """The name of the data set and of the folder."""
        return f"MagicBrush {super().name}"

    def columns(self) -> tuple[str, ...]:
        """Return the columns of the data set on the Hub."""
        return ("img_id", "turn_index", *_IMAGE_COLUMNS.values(), "instruction")

    def __iter__(self) -> Iterator[Record | Fault]:
        """Yield the turns in their order."""
        last = "the beginning"
        try:
            with open_regular(self._turns) as file:
                for place, turn in self._read(JsonEvents(file)):
                    last = place
                    yield turn
        except OSError as error:
            yield FileFault(self._turns.name, f"cannot be read: {error.strerror}")
        except JsonFault as fault:
            yield fault.behind(last)

    def _read(self, events: JsonEvents) -> Iterator[tuple[str, Record | Fault]]:
        """Yield each turn, or the fault in its place, and where it stands without the byte."""
        begins, expected = _OUTERMOST[self._turns.name]
        for outermost, _ in events:
            if outermost != begins:
                yield self._turns.name, FileFault(self._turns.name, f"expected {expected}")
                skip(events, outermost)
                continue
            for place, event, value in _listed(events, outermost):
                byte = events.byte
                yield place, self._record(place, byte, value_of(events, event, value))

    def _record(self, place: str, byte: int, turn: object) -> Record | Fault:
        placed = place_at(place, byte, exact=isinstance(turn, Mapping))
        if not isinstance(turn, Mapping):
            return Fault(placed, f"expected an object, found {kind_of(turn)}", Spot(byte=byte))
        output = turn.get("output")
        named = _OUTPUT.fullmatch(output) if isinstance(output, str) else None
        if named is None:
            return Fault(placed, "output: expected a name such as 123-output1.png", Spot(byte=byte))
        folder = f"{IMAGES}/{named[1]}"
        images = {
            column: f"{folder}/{turn[part]}"
            for part, column in _IMAGE_COLUMNS.items()
            if isinstance(turn.get(part), str)
        }
        values = {"img_id": named[1], "turn_index": int(named[2]), **images, "instruction": turn.get("instruction")}
        return Record(placed, values, self._path, byte)


def _listed(events: JsonEvents, outermost: str) -> Iterator[tuple[str, str, Any]]:
    """Yield (place, event, value) of each turn in the list, or in the object of sessions, that has begun."""
    if outermost == "start_array":
        yield from ((f"turn {number}", *one) for number, one in enumerate(items(events), start=1))
        return
    for name, event, value in members(events):
        turns = items(events) if event == "start_array" else iter([(event, value)])
        yield from ((f"session {name[:_SHOWN]} turn {number}", *one) for number, one in enumerate(turns, start=1))
