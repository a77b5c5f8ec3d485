"""Broken JSON: the byte of the mistake is named, and what stands ahead of it is read."""

from __future__ import annotations

import json
import random
import re
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.producer.benchmark.formats.json_files import (
    BUFFERS,
    CHOICES,
    DOCUMENTS,
    PHASES,
    buffers,
    events_of,
    fault_of,
    written,
)

NUMBER = re.compile(rb"[-+.0-9eE]+")


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
    content = b"[" + b"1, " * 200_000 + b"x]"

    fault = fault_of(content)

    assert fault.where == f"at byte {content.index(b'x'):,}" == "at byte 600,001"


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


def test_halves_that_go_on_and_on_are_read_in_large_pieces() -> None:
    content = b'["' + rb"\ud83d" * 200_000 + b'"]'
    started = time.process_time()

    fault = fault_of(content)

    assert fault.byte == 2
    assert time.process_time() - started < 2  # a byte at a time it would be twenty


def test_half_of_a_surrogate_pair_far_back_is_said_of_the_text() -> None:
    content = rb'["\udc69' + b"x" * 5000 + b'"]'

    with buffers(7, 7):
        fault = fault_of(content)

    said = "an escape in the text that ends here is half of a surrogate pair, which is no character"
    assert str(fault) == f"is not valid JSON: {said}"
    assert fault.byte == len(content) - 2
