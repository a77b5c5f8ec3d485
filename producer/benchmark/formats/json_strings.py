"""Strings of JSON as bytes: where one ends, and what may not stand in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TO_QUOTE = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
_SOUND = re.compile(rb'[^\x00-\x1f\\]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^\x00-\x1f\\]*)*')
_UNFINISHED = re.compile(rb"(?<!\\)(?:\\\\)*((?:\\(?:u[0-9a-fA-F]{0,3})?)?)$")
_ESCAPE = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)

_FIRST_HALF, _SECOND_HALF = rb"\\u[dD][89abAB][0-9a-fA-F]{2}", rb"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_LONE_HALF = re.compile(rb"(?<!\\)(?:\\\\)*(" + _FIRST_HALF + rb")(?!" + _SECOND_HALF + rb")")
_GOES_ON = re.compile(
    rb"(?<!\\)(?:\\\\)*(?:" + _FIRST_HALF + rb"(?:\\(?:u[0-9a-fA-F]{0,3})?)?|\\(?:u[0-9a-fA-F]{0,3})?)$"
)
_LOOKED_BACK = 1000
_LONGEST_ESCAPE = len(r"\ud83d")


class Strings:
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


def goes_on(text: bytes) -> bool:
    """Tell whether a text ends within an escape, or behind the first of two that are one character."""
    return _GOES_ON.search(text[-_LOOKED_BACK:]) is not None


def lone_half(text: bytes, start: int) -> int | None:
    """Return the byte of an escape that is the first half of a surrogate pair without the second, if there is one.

    The text begins at `start`. The parser takes such a half for a question mark, or makes a character of it and
    whatever escape comes next.
    """
    # A byte is found many times as fast as several, these as a pattern: images have no backslash.
    first, end = text.find(b"\\"), text.rfind(b"\\") + _LONGEST_ESCAPE
    if first < 0 or (text.find(b"\\ud", first, end) < 0 and text.find(b"\\uD", first, end) < 0):
        return None
    found = _LONE_HALF.search(text, first, end)
    return found and start + found.start(1)


def unsound(text: bytes, before: bytes) -> int:
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
