"""What is wrong with a file of JSON that the parser refuses, and at which byte."""

from __future__ import annotations

from typing import BinaryIO

import ijson

from producer.benchmark.formats.encodings import UTF8_MARK, not_utf8
from producer.benchmark.formats.json_strings import Strings, unsound
from producer.benchmark.sample import FileFault, Spot

HALF = "half of a surrogate pair, which is no character"

_OF_NUMBERS = b"0123456789+-.eE"
_LOOKED_BACK = 1000
_AT_ONCE = 1 << 24
"""Bytes that are read again at a time."""


class JsonFault(Exception):
    """A file that is no JSON, or made to exhaust its reader; `where` is as in `at byte 1,234`."""

    def __init__(self, message: str, byte: int, near: str = "at") -> None:
        super().__init__(message)
        self.byte = byte
        self.where = f"{near} byte {byte:,}"

    def behind(self, last: str, shown: str = "") -> FileFault:
        """Return it as the fault of a file that breaks off behind the last place that could be read.

        `shown` says which file it is of several.
        """
        return FileFault(f"{shown}after {last}, {self.where}", str(self), Spot(byte=self.byte))


def fault_of(error: Exception, file: BinaryIO, start: int, piece: bytes) -> JsonFault:
    """Return the fault of a piece that the parser has refused."""
    byte = _byte_of_error(file, start, piece)
    file.seek(byte)
    found = file.read(1)
    if isinstance(error, UnicodeDecodeError) and found.isascii():  # the bytes are UTF-8: an escape has made what is not
        half = "this escape is" if found == b"\\" else "an escape in the text that ends here is"
        return JsonFault(f"is not valid JSON: {half} {HALF}", byte)
    if isinstance(error, UnicodeDecodeError) or "UTF8" in (reason := reason_of(error)):
        return JsonFault(not_utf8(byte, found), byte)
    if "overflow" in reason:
        return JsonFault("has a number that is too large to be read; write it as a text", byte)
    return JsonFault(f"is not valid JSON: {reason}", byte)


def _byte_of_error(file: BinaryIO, start: int, piece: bytes) -> int:
    """Return the byte that the parser refuses, by reading up to the piece again and that in the smallest steps.

    Strings are given to the parser whole, for it begins them anew with every step.
    """
    parser, strings = ijson.basic_parse_coro(ijson.sendable_list(), use_float=True), Strings()
    file.seek(0)
    file.seek(len(UTF8_MARK) if file.read(len(UTF8_MARK)) == UTF8_MARK else 0)
    last = b""  # what was read last, as far as it says what the next byte means
    while size := min(_AT_ONCE, start - file.tell()):
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
            return start + at + (unsound(piece[at:end], last) if in_string else 0)
        strings.inside = strings.inside if in_string else piece[at] == ord('"')
        last = (last + piece[max(at, end - _LOOKED_BACK) : end])[-_LOOKED_BACK:]
        at = end
    return start


def reason_of(error: Exception) -> str:
    """Return the parser's reason; what it quotes of the file, where it does, stands on further lines."""
    given = error.args[0] if error.args else ""  # bytes where the parser could not decode what it quotes
    text = given.decode(errors="replace") if isinstance(given, bytes) else str(given)
    return text.strip().partition("\n")[0].rstrip(". ")[:200]
