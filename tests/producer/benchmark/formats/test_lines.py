"""Lines of a text file: which encoding is said, and how many lines are named."""

from __future__ import annotations

import io

import pytest

from producer.benchmark.formats import lines
from producer.benchmark.formats.lines import Line, lines_of
from producer.benchmark.sample import FileFault


def read(content: bytes, *, with_empty: bool = False) -> list[str]:
    """Return the lines as their numbers and texts, faults as what they say."""
    found = lines_of(io.BytesIO(content), with_empty=with_empty)
    return [f"{one.number}: {one.text}" if isinstance(one, Line) else str(one) for one in found]


def test_lines_have_their_numbers_and_ends() -> None:
    assert read(b"\xef\xbb\xbfa\r\n\n \t\nb\x0bc\n\xc2\x85d") == ["1: a\r\n", "4: b\x0bc\n", "5: \x85d"]
    assert read(b"a\n\nb", with_empty=True) == ["1: a\n", "2: \n", "3: b"]
    assert read(b"") == []


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        (b"\xff\xfea\0", "UTF-16"),
        (b"\xfe\xff\0a", "UTF-16"),
        (b"\xff\xfe\0\0", "UTF-32"),
        (b"\0\0\xfe\xff", "UTF-32"),
        (b"a\0b\0", "UTF-16"),
        (b"\0a\0b", "UTF-16"),
        (b"{\0\0\0", "UTF-32"),
        (b"\0\0\0{", "UTF-32"),
        (b"\n\0", "UTF-16"),
    ],
)
def test_another_encoding_is_known_by_the_first_bytes(head: bytes, encoding: str) -> None:
    said = f"is {encoding}, as byte 0 (0x{head[0]:02X}) and the next say; save the file as UTF-8"

    assert read(head + b"more") == [f"line 1: {said}"]


@pytest.mark.parametrize("head", [b"\0\1", b"\0\0", b"\1\0", b"PK\3\4", b"a", b"", b"\0"])
def test_what_is_no_text_is_not_taken_for_another_encoding(head: bytes) -> None:
    assert not [line for line in read(head) if "UTF-" in line]


@pytest.mark.parametrize(
    ("head", "wrong"),
    [
        (b"\x1f\x8b\x08\0", "is compressed (gzip); unpack it first"),
        (b"\xfd7zX", "is compressed (xz); unpack it first"),
        (b"\x28\xb5\x2f\xfd", "is compressed (Zstandard); unpack it first"),
        (b"PK\3\4", "is a ZIP file; unpack it first, or if it is a workbook save it as CSV"),
    ],
)
def test_a_compressed_file_is_told_to_be_unpacked(head: bytes, wrong: str) -> None:
    assert read(head + b"more") == [f"line 1: {wrong}"]


def test_of_many_lines_that_are_not_utf8_the_first_is_told_with_its_byte_and_the_others_are_counted() -> None:
    content = b"\xc3\xa9" + b"a\n" + b"b\xff\n" + b"c\n" + b"\xff\n" * 25

    assert read(content) == [
        "1: éa\n",
        f"line 2: is not UTF-8: byte {content.index(0xFF)} is 0xFF; save the file as UTF-8",
        "3: c\n",
        f"lines {', '.join(map(str, range(4, 24)))} and 5 more: not UTF-8 either",
    ]
    assert isinstance(list(lines_of(io.BytesIO(content)))[-1], FileFault)


def test_a_line_that_is_too_long_is_read_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LONGEST_LINE", 10)

    assert read(b"a" * 10 + b"\n" + b"b" * 9 + b"\n" + b"c" * 35 + b"\nd\n" + b"e" * 11) == [
        "line 1: has more than 10 bytes, which is the most that are read",
        f"2: {'b' * 9}\n",
        "line 3: has more than 10 bytes, which is the most that are read",
        "4: d\n",
        "line 5: has more than 10 bytes, which is the most that are read",
    ]
