"""Events of JSON: the same values as the standard library's, whatever pieces a file comes in, and bytes that are right.

The bytes are known from the writer, which notes where it writes each `{`.
"""

from __future__ import annotations

import io
import json
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from producer.benchmark.formats import json_events, json_mistakes
from producer.benchmark.formats.json_events import DEEPEST, LONGEST_NAME, Event, JsonEvents, value_of
from producer.benchmark.formats.json_mistakes import JsonFault

AWKWARD = st.sampled_from(
    ["{", "}", '"', "\\", "\\\\", '{"a": {', "\\u007b", "[{", "物", "👩‍👩‍👧", "\x00", "\n", "é{", "/"]
)
TEXTS = st.lists(AWKWARD | st.characters(exclude_categories=["Cs"]), max_size=6).map("".join)
NUMBERS = st.integers(1 - 2**63, 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4))
DOCUMENTS = st.lists(VALUES, max_size=5) | st.dictionaries(TEXTS, VALUES, max_size=5)

NUMBER = re.compile(rb"[-+.0-9eE]+")

PHASES = tuple(phase for phase in Phase if phase is not Phase.explain)  # which takes minutes

BUFFERS = st.integers(1, 40)
CHOICES = st.integers(0, 2**32).map(random.Random)


class Writer:
    """Writes a value as JSON with any white space and any spelling of its texts; `objects` are their first bytes."""

    def __init__(self, choices: random.Random) -> None:
        self.bytes = bytearray()
        self.objects: list[int] = []
        self._choices = choices

    def value(self, value: Any) -> None:
        self._space()
        if isinstance(value, dict):
            self.objects.append(len(self.bytes))
            self._among("{}", list(value.items()), self._member)
        elif isinstance(value, list):
            self._among("[]", value, self.value)
        else:
            self.bytes += json.dumps(value, ensure_ascii=self._choices.random() < 0.5).encode()
        self._space()

    def _member(self, member: tuple[str, Any]) -> None:
        self.value(member[0])
        self.bytes += b":"
        self.value(member[1])

    def _among(self, brackets: str, parts: list[Any], write: Any) -> None:
        self.bytes += brackets[0].encode()
        for number, part in enumerate(parts):
            self.bytes += b"," * bool(number)
            write(part)
        self._space()
        self.bytes += brackets[1].encode()

    def _space(self) -> None:
        self.bytes += self._choices.choice([b"", b"", b" ", b"\r\n", b"\t  \n"])


def written(value: Any, choices: random.Random) -> Writer:
    writer = Writer(choices)
    writer.value(value)
    return writer


@contextmanager
def buffers(smallest: int, largest: int) -> Iterator[None]:
    """Have files read in pieces of such sizes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_events, "_BUFFER", smallest)
        patch.setattr(json_events, "_LARGEST_BUFFER", max(smallest, largest))
        patch.setattr(json_mistakes, "_AT_ONCE", max(smallest, largest))
        yield


def events_of(content: bytes) -> tuple[list[Event], list[int], JsonFault | None]:
    """Return the events, the bytes of the objects, and the fault that they end in."""
    found: list[Event] = []
    objects: list[int] = []
    events = JsonEvents(io.BytesIO(content))
    try:
        for event in events:
            found.append(event)
            if event[0] == "start_map":
                objects.append(events.byte)
    except JsonFault as fault:
        return found, objects, fault
    return found, objects, None


def fault_of(content: bytes) -> JsonFault:
    _, _, fault = events_of(content)
    assert fault is not None
    return fault


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


# -- broken ------------------------------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None, phases=PHASES)
@given(
    value=DOCUMENTS,
    choices=CHOICES,
    at=st.floats(0, 1, exclude_max=True),
    wrong=st.sampled_from([b"\x01", b"\xff", b"\xc3", b"?"]),
    smallest=BUFFERS,
    largest=BUFFERS,
)
def test_a_wrong_byte_is_named_where_it_stands(
    value: Any, choices: random.Random, at: float, wrong: bytes, smallest: int, largest: int
) -> None:
    whole = bytes(written(value, choices).bytes)
    place = int(at * len(whole))
    broken = whole[:place] + wrong + whole[place:]

    with buffers(smallest, largest):
        events, objects, fault = events_of(broken)
        all_events, all_objects, _ = events_of(whole)

    if fault is None:
        json.loads(broken)  # a question mark within a text is none the less JSON
        return
    if "surrogate" not in str(fault):  # where it parts a pair, the half behind it is what has no meaning
        assert fault.byte <= place
        assert place - 6 < fault.byte or NUMBER.fullmatch(broken[fault.byte : place])  # where what it is in begins
    assert events[:-1] == all_events[: len(events)][:-1]  # the last is maybe a part of a number
    assert objects == all_objects[: len(objects)]
    assert f"byte {fault.byte:,}" in fault.where


@settings(max_examples=100, deadline=None, phases=PHASES)
@given(value=DOCUMENTS, choices=CHOICES, at=st.floats(0, 1, exclude_max=True), smallest=BUFFERS, largest=BUFFERS)
def test_a_file_that_is_cut_is_named_at_its_end(
    value: Any, choices: random.Random, at: float, smallest: int, largest: int
) -> None:
    whole = bytes(written(value, choices).bytes).rstrip()
    cut = whole[: int(at * len(whole))]

    with buffers(smallest, largest):
        events, objects, fault = events_of(cut)
        all_events, all_objects, _ = events_of(whole)

    assert fault is not None
    assert fault.byte == len(cut)
    assert str(fault).startswith("is not valid JSON: ")
    assert events == all_events[: len(events)]
    assert objects == all_objects[: len(objects)]


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (b'{"a": 1,}', b"}"),
        (b'{"a" 1}', b"1"),
        (b"[1 2]", b"2"),
        (b"[tru]", b"]"),
        (b'["a\tb"]', b"\t"),
        (b'["a\\xb"]', b"\\x"),
        (b'["a\\u12g4"]', b"\\u"),
        (b"[01]", b"0"),
        (b"{'a': 1}", b"'"),
        (b"[] {}", b"{"),
        (b"[] 17 ", b"1"),
        (b"[1.5.5]", b".5]"),
        (b"[1}", b"}"),
        (b"[1 }", b"}"),
        (b"[12345678901234567890]", b"1"),
        (b"[1e999]", b"1"),
        (b'["a\\\\\\x"]', b"\\x"),
        (b'[{"a": NaN}]', b"N"),
        (b"[Infinity]", b"I"),
        (b"[-Infinity]", b"-"),
        (b'["\xb0\xa1"]', b"\xb0"),
        (b'["\xed\xa0\x80"]', b"\xed"),
        (b'["\xc3"]', b"\xc3"),
        (b'["a\\u0041\xff"]', b"\xff"),
    ],
)
@pytest.mark.parametrize("ahead", [b"", b"   ", b" " * 100, b"\xef\xbb\xbf"], ids=len)
def test_the_byte_of_a_mistake_is_the_first_that_is_wrong(content: bytes, wrong: bytes, ahead: bytes) -> None:
    content = ahead + content

    with buffers(7, 7):
        fault = fault_of(content)

    assert fault.byte == content.index(wrong, len(ahead))
    assert fault.where == f"at byte {fault.byte}"


def test_a_byte_far_into_a_file_is_written_with_commas() -> None:
    content = b"[" + b"1, " * 1_000_000 + b"x]"

    fault = fault_of(content)

    assert fault.where == f"at byte {content.index(b'x'):,}" == "at byte 3,000,001"


@pytest.mark.parametrize("ahead", ["", "x" * 30, "\\ud83d\\ude00", "\\\\"])
@pytest.mark.parametrize("half", ["\\udc69", "\\ud83d"])
def test_half_of_a_surrogate_pair_is_named_and_not_taken_for_another_encoding(ahead: str, half: str) -> None:
    content = f'[{{"a": "{ahead}{half} and more"}}]'.encode()

    with buffers(7, 7):
        fault = fault_of(content)

    assert str(fault) == "is not valid JSON: this escape is half of a surrogate pair, which is no character"
    assert fault.byte == content.rindex(half.encode())


@settings(max_examples=100, deadline=None, phases=PHASES)
@given(
    parts=st.lists(
        st.sampled_from([rb"\ud83d", rb"\uDC69", rb"\\", rb"\"", rb"\u4e00", b"{", b"ud83d", b"\xe7\x89\xa9"]),
        max_size=12,
    ),
    smallest=BUFFERS,
    largest=BUFFERS,
)
def test_a_first_half_without_its_second_is_named_in_any_pieces(
    parts: list[bytes], smallest: int, largest: int
) -> None:
    content = b'["' + b"".join(parts) + b'"]'
    try:
        (whole := json.loads(content)[0]).encode()
    except UnicodeEncodeError:
        whole = None

    with buffers(smallest, largest):
        events, _, fault = events_of(content)

    if whole is None:
        assert "half of a surrogate pair" in str(fault)
    else:
        assert events[1] == ("string", whole)


def test_half_of_a_surrogate_pair_far_back_is_said_of_the_text() -> None:
    content = rb'["\udc69' + b"x" * 5000 + b'"]'

    with buffers(7, 7):
        fault = fault_of(content)

    said = "an escape in the text that ends here is half of a surrogate pair, which is no character"
    assert str(fault) == f"is not valid JSON: {said}"
    assert fault.byte == len(content) - 2


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
