"""Events of JSON: the same values as the standard library's, whatever pieces a file comes in.

The bytes are known from the writer, which notes where it writes each `{`.
"""

from __future__ import annotations

import io
import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producer.benchmark.formats import json_events
from producer.benchmark.formats.json_events import DEEPEST, LONGEST_NAME, JsonEvents, value_of
from producer.benchmark.formats.json_mistakes import JsonFault
from tests.producer.benchmark.formats.json_files import (
    BUFFERS,
    CHOICES,
    DOCUMENTS,
    PHASES,
    TEXTS,
    VALUES,
    Writer,
    buffers,
    events_of,
    fault_of,
    written,
)

# -- whole -------------------------------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None, phases=PHASES)
@given(value=VALUES, choices=CHOICES, smallest=BUFFERS, largest=BUFFERS)
def test_any_value_in_any_pieces_is_what_the_standard_library_reads(
    value: Any, choices: random.Random, smallest: int, largest: int
) -> None:
    writer = written(value, choices)

    with buffers(smallest, largest):
        events = JsonEvents(io.BytesIO(bytes(writer.bytes)))
        read = value_of(events, *next(events))
        assert list(events) == []

    assert read == json.loads(writer.bytes)
    assert json.dumps(read) == json.dumps(value)  # which tells 1 from 1.0 and True


@settings(max_examples=150, deadline=None, phases=PHASES)
@given(value=DOCUMENTS, choices=CHOICES, smallest=BUFFERS, largest=BUFFERS, marked=st.booleans())
def test_every_object_is_placed_at_its_byte_in_any_pieces(
    value: Any, choices: random.Random, smallest: int, largest: int, marked: bool
) -> None:
    writer, mark = written(value, choices), b"\xef\xbb\xbf" * marked

    with buffers(smallest, largest):
        _, objects, fault = events_of(mark + bytes(writer.bytes))

    assert fault is None
    assert objects == [len(mark) + byte for byte in writer.objects]


@settings(max_examples=100, deadline=None, phases=PHASES)
@given(texts=st.lists(TEXTS, min_size=1, max_size=6), choices=CHOICES, smallest=BUFFERS, largest=BUFFERS)
def test_what_is_no_object_is_placed_before_its_beginning(
    texts: list[str], choices: random.Random, smallest: int, largest: int
) -> None:
    writer, begin = Writer(choices), []
    writer.bytes += b"["
    for number, text in enumerate(texts):
        writer.bytes += b"," * bool(number)
        begin.append(len(writer.bytes))
        writer.value(text)
    writer.bytes += b"]"

    with buffers(smallest, largest):
        events = JsonEvents(io.BytesIO(bytes(writer.bytes)))
        placed = [events.byte for event, _ in events if event == "string"]

    assert all(byte <= first for byte, first in zip(placed, begin, strict=True))
    assert placed == sorted(placed)


def test_files_are_read_a_piece_at_a_time_also_where_a_string_has_many_braces() -> None:
    """Each piece that a string is cut into has the parser begin it anew: a million of them would take hours."""
    content = json.dumps([{"text": "{" * 3_000_000 + "\\", "then": {}}]).encode()

    _, objects, fault = events_of(content)

    assert fault is None
    assert objects == [content.index(b'{"text'), content.rindex(b"{")]


class Counted(io.BytesIO):
    """Counts how often it is read from."""

    reads = 0

    def read(self, size: int | None = -1) -> bytes:
        self.reads += 1
        return super().read(size)


def test_of_a_long_string_more_is_read_at_a_time() -> None:
    file = Counted(json.dumps(["x" * 1_000_000, {}]).encode())

    with buffers(1000, 1_000_000):
        assert len(list(JsonEvents(file))) == 5

    assert file.reads < 30


# -- bounds ------------------------------------------------------------------------------------------------------------


def test_nesting_is_read_to_a_depth_and_no_further() -> None:
    deep = b"[" * DEEPEST + b"]" * DEEPEST

    assert events_of(deep)[2] is None
    assert str(fault_of(b"[" + deep + b"]")) == f"is nested too deep; at most {DEEPEST} levels are read"


def test_values_are_read_to_a_length_and_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_events, "LONGEST_VALUE", 1000)
    long_text, long_record = json.dumps(["x" * 2000]).encode(), json.dumps([{"a": [[1]] * 500}]).encode()

    with buffers(10, 10):
        fault = fault_of(long_text)
        events = JsonEvents(io.BytesIO(long_record))
        assert next(events) == ("start_array", None)
        with pytest.raises(JsonFault) as caught:
            value_of(events, *next(events))

    assert str(fault).startswith("a value has more than ")
    assert fault.where == "after byte 0"
    assert caught.value.where == "after byte 1"


def test_names_are_read_to_a_length_and_no_further() -> None:
    name = "k" * LONGEST_NAME

    assert events_of(json.dumps({name: 1}).encode())[2] is None
    assert str(fault_of(json.dumps({name + "k": 1}).encode())) == "a name has 1,001 characters; at most 1,000 are read"
