"""The original layout: files that are no JSON, or break off."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from producer.benchmark import open_benchmark
from producer.benchmark.sample import Fault, Sample
from tests.factories import original_file, pair
from tests.producer.benchmark.formats.original_files import NO_INSTRUCTION, begins, faults_of, samples_of, with_pairs


def with_text(folder: Path, text: str | bytes) -> Path:
    path = folder / "benchmark.json"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize("half", [r"\ud83d", r"\uDE00", r"\ud83d\u0041", r"\ud83d\n"])
def test_half_a_surrogate_pair_is_a_fault(tmp_path: Path, half: str) -> None:
    path = original_file(tmp_path, {"categories": {"物理": [pair("p", edit_instruction="HALF")]}})
    path.write_text(path.read_text().replace("HALF", half))

    (fault,) = faults_of(path)

    assert "this escape is half of a surrogate pair" in fault


def test_a_whole_surrogate_pair_is_a_character(tmp_path: Path) -> None:
    path = original_file(tmp_path, {"categories": {"物理": [pair("p", edit_instruction="EMOJI")]}})
    path.write_text(path.read_text().replace("EMOJI", r"\ud83d\ude00"))

    assert samples_of(path)[0].instruction == "😀"


@pytest.mark.parametrize(
    ("text", "byte"),
    [
        ("", 0),
        ("hello", 0),
        ("[", 1),
        ("  {'categories': []}", 3),
        ("\x00\x01", 0),
        ('{"categories": [NaN]}', 16),
        ('{"categories": [1.]}', 16),
    ],
)
def test_a_file_that_is_no_json_has_that_one_fault(tmp_path: Path, text: str, byte: int) -> None:
    (fault,) = list(open_benchmark(with_text(tmp_path, text)))

    assert isinstance(fault, Fault)
    assert str(fault).startswith(f"after the beginning, at byte {byte}: is not valid JSON: ")
    assert fault.spot.byte == byte


@pytest.mark.parametrize("named", ["before", "behind"])
def test_a_truncated_file_keeps_the_samples_and_faults_before_the_break(tmp_path: Path, named: str) -> None:
    pairs = [pair("a"), pair("b", edit_instruction=None), pair("c")]
    category = {"name": "物理", "pairs": pairs} if named == "before" else {"pairs": pairs, "name": "物理"}
    whole = json.dumps({"categories": [category]})
    path = with_text(tmp_path, whole[: whole.index('"pair_id": "c"') + 30])

    sample, fault, end = list(open_benchmark(path))

    assert isinstance(sample, Sample)
    assert sample.key == "a"
    assert str(fault) == f"categories[0].pairs[1] at byte {begins(path, 'b')} (b): {NO_INSTRUCTION}"
    ends = f"after categories[0].pairs[1], at byte {len(path.read_bytes())}: is not valid JSON: "
    assert str(end).startswith(ends)


def test_what_follows_the_json_is_a_fault(tmp_path: Path) -> None:
    path = original_file(tmp_path, pairs=1)
    path.write_text(path.read_text() + "{}")

    (fault,) = faults_of(path)

    assert fault.startswith("after categories[0].pairs[0]: is not valid JSON: ")


@pytest.mark.parametrize(
    ("encoding", "known_by"),
    [("utf-16", 0xFF), ("utf-16-le", 0x7B), ("utf-16-be", 0), ("utf-32", 0xFF), ("utf-32-le", 0x7B), ("utf-32-be", 0)],
)
def test_a_file_in_another_encoding_is_a_fault_that_says_which(tmp_path: Path, encoding: str, known_by: int) -> None:
    text = original_file(tmp_path, pairs=1).read_text()

    (fault,) = faults_of(with_text(tmp_path, text.encode(encoding)))

    known = f"as byte 0 (0x{known_by:02X}) and the next say"
    assert fault == f"after the beginning: is {encoding[:6].upper()}, {known}; save the file as UTF-8"


@pytest.mark.parametrize("encoding", ["gb18030", "latin-1", "cut within a character"])
def test_what_is_not_utf8_is_named_by_its_first_byte(tmp_path: Path, encoding: str) -> None:
    text = '{"categories": [{"name": "é物", "pairs": []}]}'
    if encoding == "cut within a character":
        raw = text.encode().replace("物".encode(), "物".encode()[:2])
        byte = raw.index("物".encode()[:2])
    else:
        raw = text.encode(encoding, errors="replace")
        byte = raw.index("é".encode(encoding))

    (fault,) = open_benchmark(with_text(tmp_path, raw))

    wrong = f"is not UTF-8: byte {byte} is 0x{raw[byte]:02X}; save the file as UTF-8"
    assert str(fault) == f"after the beginning, at byte {byte}: {wrong}"


@pytest.mark.parametrize("content", [{}, {"categories": None}, {"categories": "物理"}, {"pairs": [pair("p")]}])
def test_a_file_without_categories_is_told_what_is_expected(tmp_path: Path, content: Any) -> None:
    assert faults_of(original_file(tmp_path, content)) == [
        "categories: missing; expected a list of categories, or an object keyed by their names"
    ]


@pytest.mark.parametrize("opening", ["[", '{"a":'])
@pytest.mark.parametrize("depth", [65, 5000, 1_000_000])
def test_deep_nesting_is_a_fault_and_no_crash(tmp_path: Path, opening: str, depth: int) -> None:
    path = with_text(tmp_path, '{"categories": {"a": [{"pair_id": ' + opening * depth)

    assert faults_of(path) == ["after the beginning: is nested too deep; at most 64 levels are read"]


def test_nesting_that_is_not_deep_is_read(tmp_path: Path) -> None:
    nested: Any = []
    for _ in range(50):
        nested = {"a": [nested]} if len(str(nested)) % 2 else [nested]

    assert len(samples_of(with_pairs(tmp_path, pair("p", notes=nested)))) == 1


def test_a_name_that_is_too_long_is_a_fault(tmp_path: Path) -> None:
    path = with_text(tmp_path, f'{{"{"k" * 1_000_000}": [{"0," * 1_000_000}')  # each 0 would be given that name

    assert faults_of(path) == ["after the beginning: a name has 1,000,000 characters; at most 1,000 are read"]
