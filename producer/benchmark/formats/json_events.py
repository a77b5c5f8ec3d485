"""Events of a JSON file as it streams by, and the byte of the file at which each object, or a mistake, stands.

Pieces of the file are given to the parser so that each `{` begins one: an object's event comes out of the piece that
begins with it. Within a string that does not hold, and is known by no event coming out of such a piece.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

import ijson

from producer.benchmark.formats.encodings import UTF8_MARK, not_utf8, other_encoding
from producer.benchmark.formats.lines import LONGEST_LINE

Event = tuple[str, Any]

DEEPEST = 64
LONGEST_NAME = 1000
LONGEST_VALUE = LONGEST_LINE
"""Bytes of a text, and of all that is read into memory at once."""

_BUFFER = 1 << 20  # ijson's default of 64 kB is half as fast on images of megabytes
_LARGEST_BUFFER = 1 << 24
"""Of a string that goes on, more is read at a time: the parser begins it anew with every piece."""

_TOO_LONG = f"a value has more than {LONGEST_VALUE:,} bytes, which is the most that are read"

_LEVELS = {"start_map": 1, "start_array": 1, "end_map": -1, "end_array": -1}
_TO_QUOTE = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
_SOUND = re.compile(rb'[^\x00-\x1f\\]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^\x00-\x1f\\]*)*')
_UNFINISHED = re.compile(rb"(?<!\\)(?:\\\\)*((?:\\(?:u[0-9a-fA-F]{0,3})?)?)$")
_ESCAPE = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)
_OF_NUMBERS = b"0123456789+-.eE"
_LOOKED_BACK = 1000


class JsonFault(Exception):
    """A file that is no JSON, or made to exhaust its reader; `where` is as in `at byte 1,234`."""

    def __init__(self, message: str, byte: int, near: str = "at") -> None:
        super().__init__(message)
        self.byte = byte
        self.where = f"{near} byte {byte:,}"


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
        begun = 0  # of the last piece that events came out of: the first of the next began there at the earliest
        for start, piece in pieces:
            try:
                parser.send(piece)
            except (ijson.JSONError, UnicodeDecodeError) as refused:
                error = refused  # behind the events before it
            self.byte = start if found and found[0][0] == "start_map" else begun
            if not found and start - begun > LONGEST_VALUE:
                raise JsonFault(_TOO_LONG, begun, "after")
            for event in found:
                depth = self._within_bounds(event, depth)
                yield event
                self.byte = start
            if error is not None:
                raise _fault_of(error, self._file, start, piece) from error
            pieces.silent = not found
            begun = begun if pieces.silent else start
            del found[:]
        try:
            parser.close()
        except ijson.JSONError as refused:
            raise JsonFault(f"is not valid JSON: {_reason(refused)}", self._file.tell()) from refused
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


class _Strings:
    """Follows whether a place of the file is inside a string."""

    def __init__(self) -> None:
        self.inside = False
        self._escaped = False  # what was read ends behind a backslash

    def end(self, text: bytes, start: int, stop: int) -> int:
        """Return where the string that goes on at `start` ends, behind its quote; `stop` where it goes on there."""
        end = _TO_QUOTE.match(text, start + self._escaped, stop).end()  # type: ignore[union-attr]  # it matches always
        self.inside = end >= stop or text[end] != ord('"')
        self._escaped = end < stop and self.inside
        return stop if self.inside else end + 1

    def follow(self, text: bytes) -> None:
        """Go over a text."""
        at = 0
        while at < len(text):
            if self.inside:
                at = self.end(text, at, len(text))
            elif (at := text.find(b'"', at) + 1) == 0:
                return
            else:
                self.inside = True


class _Pieces:
    """A file's bytes in order, each piece with its place; `silent` is to be told: whether no event came out of it."""

    def __init__(self, file: BinaryIO) -> None:
        self.silent = False
        self._file = file
        self._strings = _Strings()

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        head = self._file.read(4)
        if encoding := other_encoding(head):
            raise JsonFault(encoding, 0)
        offset = len(UTF8_MARK) if head.startswith(UTF8_MARK) else 0
        self._file.seek(offset)
        size = _BUFFER
        while chunk := self._file.read(size):
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


# -- what is wrong, and where ------------------------------------------------------------------------------------------


def _fault_of(error: Exception, file: BinaryIO, start: int, piece: bytes) -> JsonFault:
    """Return the fault of a piece that the parser has refused."""
    byte = _byte_of_error(file, start, piece)
    file.seek(byte)
    found = file.read(1)
    if isinstance(error, UnicodeDecodeError) and found.isascii():  # the bytes are UTF-8: an escape has made what is not
        half = "this escape is" if found == b"\\" else "an escape in the text that ends here is"
        return JsonFault(f"is not valid JSON: {half} half of a surrogate pair, which is no character", byte)
    if isinstance(error, UnicodeDecodeError) or "UTF8" in (reason := _reason(error)):
        return JsonFault(not_utf8(byte, found), byte)
    if "overflow" in reason:
        return JsonFault("has a number that is too large to be read; write it as a text", byte)
    return JsonFault(f"is not valid JSON: {reason}", byte)


def _byte_of_error(file: BinaryIO, start: int, piece: bytes) -> int:
    """Return the byte that the parser refuses, by reading up to the piece again and that in the smallest steps.

    Strings are given to the parser whole, for it begins them anew with every step.
    """
    parser, strings = ijson.basic_parse_coro(ijson.sendable_list(), use_float=True), _Strings()
    file.seek(0)
    file.seek(len(UTF8_MARK) if file.read(len(UTF8_MARK)) == UTF8_MARK else 0)
    last = b""  # what was read last, as far as it says what the next byte means
    while size := min(_LARGEST_BUFFER, start - file.tell()):
        before = file.read(size)
        if len(before) < size:  # the file has become shorter
            return start
        strings.follow(before)
        parser.send(before)
        last = (last + before[-_LOOKED_BACK:])[-_LOOKED_BACK:]
    at = 0
    while at < len(piece):
        in_string = strings.inside
        end = strings.end(piece, at, len(piece)) if in_string else at + 1
        number = b"" if in_string or piece[at] in _OF_NUMBERS else last[len(last.rstrip(_OF_NUMBERS)) :]
        try:
            if number:
                parser.send(b" ")  # with which it ends, and is refused, as with what follows it
                number = b""
            parser.send(piece[at:end])
        except (ijson.JSONError, UnicodeDecodeError):
            if number:
                return start + at - len(number)
            return start + at + (_unsound(piece[at:end], last) if in_string else 0)
        strings.inside = strings.inside if in_string else piece[at] == ord('"')
        last = (last + piece[max(at, end - _LOOKED_BACK) : end])[-_LOOKED_BACK:]
        at = end
    return start


def _unsound(text: bytes, before: bytes) -> int:
    """Return where in this text of a string stands what may not stand there; below 0: in the bytes before it."""
    escape = _UNFINISHED.search(before)[1]  # type: ignore[index]  # it is found always, maybe of no length
    syntax = _SOUND.match(escape + text).end() - len(escape)  # type: ignore[union-attr]  # it matches always
    before = before.lstrip(bytes(range(0x80, 0xC0)))  # of a character that begins further ahead
    try:
        (before + text).decode()
    except UnicodeDecodeError as error:
        return min(syntax, error.start - len(before))
    if syntax < len(text):
        return syntax
    return next((half - len(before) for half in _halves(before + text)), len(text) - 1)


def _halves(text: bytes) -> Iterator[int]:
    """Yield where an escape is the second half of a surrogate pair without the first."""
    pair_ends = -1
    for escape in _ESCAPE.finditer(text):
        code = int(escape[1] or b"0", 16)
        if 0xD800 <= code < 0xDC00:
            pair_ends = escape.end()
        elif 0xDC00 <= code < 0xE000 and escape.start() != pair_ends:
            yield escape.start()


def _reason(error: Exception) -> str:
    """Return the parser's reason; what it quotes of the file, where it does, stands on further lines."""
    given = error.args[0] if error.args else ""  # bytes where the parser could not decode what it quotes
    text = given.decode(errors="replace") if isinstance(given, bytes) else str(given)
    return text.strip().partition("\n")[0].rstrip(". ")[:200]
