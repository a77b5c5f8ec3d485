"""JSON Lines: what is read, and how every fault is named by its line."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from producer.benchmark import open_benchmark
from producer.benchmark.formats.json_lines import JsonLines
from producer.benchmark.from_records import RecordBenchmark
from producer.benchmark.sample import Fault, Sample
from tests.factories import png


def line(key: str = "p", **fields: Any) -> str:
    """Return one good line; a field given as None is left out."""
    record = {"key": key, "category": "物理", "instruction": "变亮", "image": "teal.png", **fields}
    return json.dumps({name: value for name, value in record.items() if value is not None}, ensure_ascii=False)


def lines_file(folder: Path, *lines: str | bytes) -> Path:
    """Write the lines beside `teal.png`."""
    (folder / "teal.png").write_bytes(png())
    path = folder / "评测.jsonl"
    path.write_bytes(b"\n".join(one.encode() if isinstance(one, str) else one for one in lines) + b"\n")
    return path


def faults_of(path: Path) -> list[str]:
    return [str(item) for item in open_benchmark(path) if isinstance(item, Fault)]


def keys_of(path: Path) -> list[str]:
    return [item.key for item in open_benchmark(path) if isinstance(item, Sample)]


# -- what is read ------------------------------------------------------------------------------------------------------


def test_a_line_becomes_a_sample_with_its_image_bytes(tmp_path: Path) -> None:
    (tmp_path / "red.png").write_bytes(png(colour="red"))
    path = lines_file(tmp_path, line("p-1", description="一个方块", reference_image="red.png"))

    assert list(open_benchmark(path)) == [
        Sample(
            place="line 1 (p-1)",
            key="p-1",
            category="物理",
            instruction="变亮",
            description="一个方块",
            source=png(),
            reference=png(colour="red"),
        )
    ]


def test_the_original_layouts_field_names_are_understood(tmp_path: Path) -> None:
    record = {
        "pair_id": 17,
        "category": "物理",
        "edit_instruction": "变亮",
        "original_description": "一个方块",
        "original_image_b64": base64.b64encode(png()).decode(),
        "reference_image_b64": base64.b64encode(png(colour="red")).decode(),
    }

    (sample,) = open_benchmark(lines_file(tmp_path, json.dumps(record)))

    assert isinstance(sample, Sample)
    assert (sample.key, sample.instruction, sample.description) == ("17", "变亮", "一个方块")
    assert (sample.source, sample.reference) == (png(), png(colour="red"))


def test_empty_lines_are_passed_over_and_counted(tmp_path: Path) -> None:
    path = lines_file(tmp_path, "", line("a"), "  ", "\t\r", line("b"), "")

    assert [str(item.place) for item in open_benchmark(path)] == ["line 2 (a)", "line 5 (b)"]


def test_lines_may_end_in_any_way(tmp_path: Path) -> None:
    path = lines_file(tmp_path)

    path.write_bytes(f"{line('a')}\r\n{line('b')}".encode())

    assert keys_of(path) == ["a", "b"]


def test_a_line_separator_inside_a_text_does_not_end_the_line(tmp_path: Path) -> None:
    path = lines_file(tmp_path, line("a", instruction="one\u2028two\x85three"), line("b"))

    assert keys_of(path) == ["a", "b"]


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    path = lines_file(tmp_path, b"\xef\xbb\xbf" + line("a").encode(), line("b"))

    assert keys_of(path) == ["a", "b"]


def test_the_benchmark_is_called_by_its_file(tmp_path: Path) -> None:
    assert open_benchmark(lines_file(tmp_path, line())).name == "评测"


@pytest.mark.parametrize("suffix", [".jsonl", ".ndjson", ".JSONL"])
def test_the_reader_is_chosen_by_the_suffix(tmp_path: Path, suffix: str) -> None:
    path = lines_file(tmp_path, line()).rename(tmp_path / f"b{suffix}")

    opened = open_benchmark(path)

    assert isinstance(opened, RecordBenchmark)
    assert isinstance(opened.records, JsonLines)


# -- faults ------------------------------------------------------------------------------------------------------------

LENGTH_OF_FIRST = len(line("a").encode() + b"\n")


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"instruction": None}, "no instruction: looked for edit_instruction, instruction; --column instruction=NAME "),
        ({"instruction": ""}, "instruction is empty"),
        ({"instruction": 5}, "instruction: expected a text, found a number"),
        ({"instruction": "a\0b"}, "instruction contains a NUL character"),
        ({"instruction": "x" * 20_001}, "instruction has 20,001 characters; at most 20,000 are taken"),
        ({"category": None}, "no category: looked for category; --column category=NAME names another column"),
        ({"category": " "}, "category is empty"),
        ({"category": ["物理"]}, "category: expected a text, found a list"),
        ({"category": "x" * 201}, "category has 201 characters; at most 200 are taken"),
        ({"description": {}}, "description: expected a text, found an object"),
        ({"image": None}, "no image: looked for original_image, image, source_image, images; --column source=NAME "),
        ({"image": "gone.png"}, "image: 'gone.png' cannot be read: No such file or directory"),
        ({"image": "../x.png"}, "image: '../x.png' lies outside the benchmark's folder"),
        ({"image": "/etc/hostname"}, "image: '/etc/hostname' lies outside the benchmark's folder"),
        ({"image": "a\0b"}, "image: 'a\\x00b' cannot be read: "),
        ({"image_b64": "!!!!"}, "image_b64: is not base64: "),
        ({"reference_image": 5}, "reference_image: expected a text, found a number"),
    ],
)
def test_a_bad_field_is_named_by_line_and_key(tmp_path: Path, fields: dict[str, Any], complaint: str) -> None:
    path = lines_file(tmp_path, line("good"), line("p-17", **fields))

    (fault,) = faults_of(path)

    assert fault.startswith(f"line 2 (p-17): {complaint}")


@pytest.mark.parametrize(
    ("field", "complaint"),
    [
        ("instruction", "line 1 (p): instruction contains half of a surrogate pair, which is no character"),
        ("category", "line 1 (p): category contains half of a surrogate pair, which is no character"),
        ("key", r"line 1 (\ud800): key contains half of a surrogate pair, which is no character"),
    ],
)
def test_half_a_surrogate_pair_is_a_fault(tmp_path: Path, field: str, complaint: str) -> None:
    text = json.dumps({**json.loads(line("p")), field: "HALF"}).replace("HALF", r"\ud800")

    assert faults_of(lines_file(tmp_path, text)) == [complaint]


def test_an_image_behind_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "benchmark"
    folder.mkdir()
    (tmp_path / "secret.png").write_bytes(png())
    (folder / "link.png").symlink_to(tmp_path / "secret.png")

    (fault,) = faults_of(lines_file(folder, line("p", image="link.png")))

    assert fault == "line 1 (p): image: 'link.png' lies outside the benchmark's folder"


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        ("[1]", "expected an object, found a list"),
        ("null", "expected an object, found null"),
        ('"p"', "expected an object, found a text"),
        ("{'key': 1}", "is not valid JSON: "),
        ('{"key": "p"', "is not valid JSON: Expecting ',' delimiter: column 12"),
        ('{"key": "p"} {}', "is not valid JSON: Extra data: column 14"),
        ("\x00", "is not valid JSON: "),
        ("[" * 100_000, "is not valid JSON: is nested too deep"),
        ("9" * 5000, "has a number that is too large to be read; write it as a text"),
        (b'{"key": "\xff"}', f"is not UTF-8: byte {LENGTH_OF_FIRST + 9} is 0xFF; save the file as UTF-8"),
        (line().encode("utf-16"), f"is not UTF-8: byte {LENGTH_OF_FIRST} is 0xFF; save the file as UTF-8"),
    ],
)
def test_a_bad_line_is_a_fault_and_the_lines_around_it_are_read(
    tmp_path: Path, bad: str | bytes, complaint: str
) -> None:
    path = lines_file(tmp_path, line("a"), bad, line("b"))

    (fault,) = faults_of(path)

    assert fault.startswith(f"line 2: {complaint}")
    assert len(fault) < 300
    assert keys_of(path) == ["a", "b"]


def test_a_truncated_file_keeps_the_samples_and_faults_before_the_break(tmp_path: Path) -> None:
    path = lines_file(tmp_path, line("a"), line("b", instruction=""), line("c")[:-5])

    assert keys_of(path) == ["a"]
    assert [fault.split(": ")[0] for fault in faults_of(path)] == ["line 2 (b)", "line 3"]


def test_every_bad_line_is_named_not_only_the_first(tmp_path: Path) -> None:
    path = lines_file(tmp_path, *(line(f"p-{number}", instruction="") for number in range(50)))

    assert [fault.split(" (")[0] for fault in faults_of(path)] == [f"line {number}" for number in range(1, 51)]


# -- more than one image -----------------------------------------------------------------------------------------------


def test_a_sample_may_have_several_source_images_and_a_right_result_in_words(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.png").write_bytes(png(colour="red" if name == "one" else "blue"))

    [sample] = open_benchmark(lines_file(tmp_path, line(image=["one.png", "two.png"], reference_text="wet streets")))

    assert isinstance(sample, Sample)
    assert (sample.source, sample.more_sources) == (png(colour="red"), (png(colour="blue"),))
    assert sample.reference_text == "wet streets"


def test_every_one_of_several_images_must_be_there(tmp_path: Path) -> None:
    (tmp_path / "one.png").write_bytes(png())

    missing, empty = faults_of(lines_file(tmp_path, line(image=["one.png", "two.png"]), line(image=[])))

    assert missing == "line 1 (p): image: 'two.png' cannot be read: No such file or directory"
    assert empty == "line 2 (p): image: the list of images is empty"
