"""Text files that are not UTF-8: how they are known, and what is said of them."""

from __future__ import annotations

import codecs
import re

UTF8_MARK = codecs.BOM_UTF8
"""The byte order mark that some editors write at the beginning of a file; it is passed over."""

_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}

_WITHOUT_MARK = {
    "UTF-32": re.compile(rb"[\t\n\r -~]\0\0\0|\0\0\0[\t\n\r -~]"),
    "UTF-16": re.compile(rb"[\t\n\r -~]\0|\0[\t\n\r -~]"),
}
"""An ASCII character in four bytes or in two; anything else that has a NUL is no text."""


_PACKED = {
    b"\x1f\x8b": "is compressed (gzip); unpack it first",
    b"\xfd7zX": "is compressed (xz); unpack it first",
    b"\x28\xb5\x2f\xfd": "is compressed (Zstandard); unpack it first",
    b"PK\3\4": "is a ZIP file; unpack it first, or if it is a workbook save it as CSV",
}


def no_text(head: bytes) -> str | None:
    """Return what is wrong with a file that begins with these four bytes, when they say that it is no UTF-8 text."""
    if packed := next((says for mark, says in _PACKED.items() if head.startswith(mark)), None):
        return packed
    encoding = next((name for mark, name in _MARKS.items() if head.startswith(mark)), None)
    if encoding is None:
        encoding = next((name for name, pattern in _WITHOUT_MARK.items() if pattern.match(head)), None)
    return encoding and f"is {encoding}, as byte 0 (0x{head[0]:02X}) and the next say; save the file as UTF-8"


def not_utf8(byte: int, found: bytes) -> str:
    """Return what is wrong with a file that has such a byte at this place, where UTF-8 has none."""
    return f"is not UTF-8: byte {byte:,} is 0x{found.hex().upper()}; save the file as UTF-8"
