"""The lines of a text file, each of them UTF-8 and of a bounded length, or the fault in its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from producer.benchmark.formats.encodings import UTF8_MARK, no_text, not_utf8
from producer.benchmark.sample import Fault, FileFault, Spot

LONGEST_LINE = 256 * 1024**2
"""Bytes; several images in base64 find room."""

_NAMED = 20
"""So many lines that are not UTF-8 are named by their numbers; all are counted."""


@dataclass(frozen=True)
class Line:
    """A line that is not empty: its number from 1, and its text with the end of the line."""

    number: int
    text: str


def lines_of(file: BinaryIO, *, with_empty: bool = False) -> Iterator[Line | Fault]:
    """Yield the lines of a file that stands at its beginning; those of white space alone only `with_empty`.

    Where a file is not UTF-8, the first such line is told with its byte, and the others together at the end.
    """
    head = file.read(4)
    if wrong := no_text(head):
        yield FileFault("line 1", wrong, Spot(byte=0))
        return
    offset, number = (len(UTF8_MARK) if head.startswith(UTF8_MARK) else 0), 0
    file.seek(offset)
    others: list[int] = []
    refused = 0
    while raw := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(raw) > LONGEST_LINE:
            yield Fault(f"line {number}", f"has more than {LONGEST_LINE:,} bytes, which is the most that are read")
            while raw and not raw.endswith(b"\n"):
                offset += len(raw)
                raw = file.readline(LONGEST_LINE)
        elif with_empty or raw.strip():
            try:
                yield Line(number, raw.decode())
            except UnicodeDecodeError as error:
                byte = offset + error.start
                refused += 1
                if refused == 1:
                    yield Fault(f"line {number}", not_utf8(byte, raw[error.start : error.start + 1]), Spot(byte=byte))
                elif len(others) < _NAMED:
                    others.append(number)
        offset += len(raw)
    if refused > 1:
        yield _others(others, refused - 1)


def _others(numbers: list[int], count: int) -> Fault:
    named = ", ".join(map(str, numbers)) + (f" and {count - len(numbers):,} more" if count > len(numbers) else "")
    return FileFault(f"line{'s' if count > 1 else ''} {named}", "not UTF-8 either")
