"""Events of a JSON file as it streams by, and the byte of the file at which each object, or a mistake, stands.

Pieces of the file are given to the parser so that each `{` begins one: an object's event comes out of the piece that
begins with it. Within a string that does not hold, and is known by no event coming out of such a piece.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import ijson

from producer.benchmark.formats.encodings import UTF8_MARK, no_text
from producer.benchmark.formats.json_mistakes import HALF, JsonFault, fault_of, reason_of
from producer.benchmark.formats.json_strings import Strings, goes_on, lone_half
from producer.benchmark.formats.lines import LONGEST_LINE

Event = tuple[str, Any]

DEEPEST = 64
LONGEST_NAME = 1000
LONGEST_VALUE = LONGEST_LINE
"""Bytes of a text, and of all that is read into memory at once."""

_BUFFER = 1 << 20  # ijson's default of 64 kB is half as fast on images of megabytes
_LARGEST_BUFFER = 1 << 24
"""Of a string that goes on, more is read at a time: the parser begins it anew with every piece."""

_LONGEST_CHARACTER = len(r"\ud83d\ude00")
"""Bytes of an escaped one: halves that follow each other for longer are no characters."""

_TOO_LONG = f"a value has more than {LONGEST_VALUE:,} bytes, which is the most that are read"

_LEVELS = {"start_map": 1, "start_array": 1, "end_map": -1, "end_array": -1}


class JsonEvents:
    """The events of a file, each once: `for event, value in events`.

    At the event `start_map`, `byte` is where the object begins; at others, a place before the value. Raises JsonFault.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.byte = 0
        self._file = file
        self._events = self._read()
        self._next = self._events.__next__

    def __iter__(self) -> Iterator[Event]:
        return self._events

    def __next__(self) -> Event:
        return self._next()

    def _read(self) -> Iterator[Event]:
        found, depth = ijson.sendable_list(), 0
        parser = ijson.basic_parse_coro(found, use_float=True)
        pieces = _Pieces(self._file)
        error: Exception | None = None
        half: int | None = None  # the byte of an escape that is half a character
        begun = 0  # of the last piece that events came out of: the first of the next began there at the earliest
        for start, piece in pieces:
            try:
                parser.send(piece)
            except (ijson.JSONError, UnicodeDecodeError) as refused:
                error = refused  # behind the events before it
            half = half or lone_half(piece, start)
            if half and error is None and not goes_on(piece):
                raise JsonFault(f"is not valid JSON: this escape is {HALF}", half)
            self.byte = start if found and found[0][0] == "start_map" else begun
            if not found and start - begun > LONGEST_VALUE:
                raise JsonFault(_TOO_LONG, begun, "after")
            for event in found:
                depth = self._within_bounds(event, depth)
                yield event
                self.byte = start
            if error is not None:
                raise fault_of(error, self._file, start, piece) from error
            pieces.silent = not found
            begun = begun if pieces.silent else start
            del found[:]
        try:
            parser.close()
        except ijson.JSONError as refused:
            raise JsonFault(f"is not valid JSON: {reason_of(refused)}", self._file.tell()) from refused
        yield from found  # a number that is all there is comes out only when it is known to have ended

    def _within_bounds(self, event: Event, depth: int) -> int:
        """Return the depth behind the event. Raises JsonFault where it, or a name, is beyond all that is meant."""
        kind, value = event
        if kind == "map_key":
            if len(value) > LONGEST_NAME:
                message = f"a name has {len(value):,} characters; at most {LONGEST_NAME:,} are read"
                raise JsonFault(message, self.byte, "after")
        elif kind in _LEVELS:
            depth += _LEVELS[kind]
            if depth > DEEPEST:
                raise JsonFault(f"is nested too deep; at most {DEEPEST} levels are read", self.byte, "after")
        return depth


# -- values out of events: each of these takes exactly the events that belong to what it reads -------------------------


def members(events: JsonEvents) -> Iterator[tuple[str, str, Any]]:
    """Yield (name, event, value) of each member of the object that has begun; who asks takes the rest of its value."""
    for event, name in events:
        if event == "end_map":
            return
        yield name, *next(events)


def items(events: JsonEvents) -> Iterator[Event]:
    """Yield the event that begins each item of the list that has begun, likewise."""
    for event, value in events:
        if event == "end_array":
            return
        yield event, value


def value_of(events: JsonEvents, event: str, value: Any) -> Any:
    """Return the value that begins with this event. Raises JsonFault where it is longer than any that is meant."""
    return _value_of(events, event, value, events.byte + LONGEST_VALUE)


def _value_of(events: JsonEvents, event: str, value: Any, end: int) -> Any:
    if events.byte > end:
        raise JsonFault(_TOO_LONG, end - LONGEST_VALUE, "after")
    if event == "start_map":
        record: dict[str, Any] = {}
        for inner, name in events:
            if inner == "end_map":
                break
            inner, given = next(events)
            record[name] = _value_of(events, inner, given, end) if inner in _LEVELS else given
        return record
    if event == "start_array":
        return [_value_of(events, inner, given, end) for inner, given in items(events)]
    return value


def skip(events: JsonEvents, event: str) -> None:
    """Pass over the value that begins with this event."""
    depth = _LEVELS.get(event, 0)
    while depth:
        depth += _LEVELS.get(next(events)[0], 0)


# -- pieces of the file ------------------------------------------------------------------------------------------------


class _Pieces:
    """A file's bytes in order, each piece with its place; `silent` is to be told: whether no event came out of it."""

    def __init__(self, file: BinaryIO) -> None:
        self.silent = False
        self._file = file
        self._strings = Strings()

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        head = self._file.read(4)
        if wrong := no_text(head):
            raise JsonFault(wrong, 0)
        offset = len(UTF8_MARK) if head.startswith(UTF8_MARK) else 0
        self._file.seek(offset)
        size = _BUFFER
        while chunk := self._file.read(size):
            while goes_on(chunk) and len(chunk) < size + _LONGEST_CHARACTER and (more := self._file.read(1)):
                chunk += more
            for start, end in self._cut(chunk):
                yield offset + start, chunk[start:end]
            offset += len(chunk)
            size = min(2 * size, _LARGEST_BUFFER) if self.silent else _BUFFER

    def _cut(self, chunk: bytes) -> Iterator[tuple[int, int]]:
        start = 0
        while start < len(chunk):
            if self._strings.inside:
                end = self._strings.end(chunk, start, len(chunk))
                yield start, end
            else:
                end = chunk.find(b"{", start + 1)
                end = end if end > 0 else len(chunk)
                yield start, end
                if self.silent and chunk[start] == ord("{"):  # no object began: the rest of the string in one piece
                    self._strings.end(chunk, start, end)
            start = end
