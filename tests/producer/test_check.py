"""The check of a whole benchmark, and its identity."""

from __future__ import annotations

import base64
import json
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest

from db.errors import BenchmarkInvalid
from producer.benchmark import open_benchmark
from producer.benchmark.check import check_benchmark
from producer.benchmark.faults import MAX_FAULTS
from tests.factories import original_file, pair, png


def digest_of_file(path: Path) -> str:
    return check_benchmark(open_benchmark(path)).digest


def digest_of_pairs(folder: Path, *pairs: dict[str, Any], category: str = "物理") -> str:
    return digest_of_file(original_file(folder, {"categories": [{"name": category, "pairs": pairs}]}))


def faults_of(path: Path) -> tuple[str, ...]:
    with pytest.raises(BenchmarkInvalid) as caught:
        check_benchmark(open_benchmark(path))
    return caught.value.faults


def in_base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def png_claiming(width: int, height: int) -> bytes:
    """Return a PNG whose header claims this size."""
    content = bytearray(png())
    content[16:24] = struct.pack(">II", width, height)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    return bytes(content)


# -- identity ----------------------------------------------------------------------------------------------------------


def test_the_same_samples_have_one_digest_in_every_layout(tmp_path: Path) -> None:
    (tmp_path / "teal.png").write_bytes(png())
    (tmp_path / "red.png").write_bytes(png(colour="red"))
    pairs = [pair("p-1", reference_image="red.png"), pair("p-2", original_description=None)]
    lines = [
        {
            "image": "teal.png",
            "reference_image_b64": in_base64(png(colour="red")),
            "instruction": "make it brighter",
            "description": "a teal square",
            "category": "物理",
            "key": "p-1",
        },
        {"key": "p-2", "category": "物理", "instruction": " make it brighter ", "image": "teal.png"},
    ]
    (tmp_path / "other name.jsonl").write_text("\n\n".join(json.dumps(line) for line in lines))

    listed = digest_of_pairs(tmp_path, *pairs)
    keyed = digest_of_file(original_file(tmp_path, {"name": "another", "categories": {"物理": pairs}}))
    in_lines = digest_of_file(tmp_path / "other name.jsonl")

    assert listed == keyed == in_lines


def test_the_digest_depends_on_the_order(tmp_path: Path) -> None:
    first, second = pair("p-1"), pair("p-2")

    assert digest_of_pairs(tmp_path, first, second) != digest_of_pairs(tmp_path, second, first)


@pytest.mark.parametrize(
    "change",
    [
        {"pair_id": "q"},
        {"edit_instruction": "make it darker"},
        {"original_description": "a square"},
        {"original_description": None},
        {"original_image_b64": in_base64(png(colour="red"))},
        {"reference_image_b64": in_base64(png())},
    ],
)
def test_the_digest_depends_on_every_field(tmp_path: Path, change: dict[str, Any]) -> None:
    before = pair("p")
    after = {name: value for name, value in {**before, **change}.items() if value is not None}

    assert digest_of_pairs(tmp_path, before) != digest_of_pairs(tmp_path, after)


def test_the_digest_depends_on_the_category(tmp_path: Path) -> None:
    assert digest_of_pairs(tmp_path, pair("p"), category="a") != digest_of_pairs(tmp_path, pair("p"), category="b")


def test_text_cannot_move_between_fields_unnoticed(tmp_path: Path) -> None:
    one = pair("p", edit_instruction="ab", original_description="c")
    other = pair("p", edit_instruction="a", original_description="bc")

    assert digest_of_pairs(tmp_path, one) != digest_of_pairs(tmp_path, other)


# -- what is counted ---------------------------------------------------------------------------------------------------


def test_a_benchmark_without_faults_is_counted(tmp_path: Path) -> None:
    content = {"name": "评测", "categories": {"物理": [pair("a"), pair("b", reference_image_b64=in_base64(png()))]}}

    checked = check_benchmark(open_benchmark(original_file(tmp_path, content)))

    assert (checked.name, checked.sample_count, checked.without_reference) == ("评测", 2, 1)


# -- faults ------------------------------------------------------------------------------------------------------------


def test_all_faults_of_a_file_are_reported_at_once_in_their_order(tmp_path: Path) -> None:
    pairs = [pair("a", edit_instruction=""), pair("b"), pair("c", original_image_b64="AAAA"), pair("b"), 5]
    path = original_file(tmp_path, {"categories": [{"name": "物理", "pairs": pairs}, {"name": "社会"}]})

    with pytest.raises(BenchmarkInvalid) as caught:
        check_benchmark(open_benchmark(path))

    assert str(caught.value) == f"{path}: 5 faults, nothing was submitted"
    raw = path.read_bytes()
    second_category = raw.index('{"name": "社会"'.encode())
    first, third, fourth = raw.index(b'{"pair_id": "a"'), raw.index(b'{"pair_id": "c"'), raw.rindex(b'{"pair_id": "b"')
    assert [fault.split(": ")[0] for fault in caught.value.faults] == [
        f"categories[0].pairs[0] at byte {first} (a)",
        f"categories[0].pairs[2] at byte {third} (c)",
        f"categories[0].pairs[3] at byte {fourth} (b)",
        f"categories[0].pairs[4] after byte {fourth}",
        f"categories[1] at byte {second_category}",
    ]


def test_a_key_used_twice_in_a_category_names_both_places(tmp_path: Path) -> None:
    path = original_file(
        tmp_path, {"categories": [{"name": "物理", "pairs": [pair("p")]}, {"name": "物理", "pairs": [pair("p")]}]}
    )

    raw = path.read_bytes()
    first, second = raw.index(b'{"pair_id"'), raw.rindex(b'{"pair_id"')
    assert faults_of(path) == (
        f"categories[1].pairs[0] at byte {second} (p): key 'p' of category '物理' was used before, "
        f"at categories[0].pairs[0] at byte {first} (p)",
    )


def test_a_number_and_its_text_are_the_same_key(tmp_path: Path) -> None:
    path = original_file(tmp_path, {"categories": {"物理": [pair("7"), {**pair("x"), "pair_id": 7}]}})

    assert len(faults_of(path)) == 1


def test_a_category_given_twice_under_one_name_cannot_hide_a_key_used_twice(tmp_path: Path) -> None:
    one = json.dumps([pair("p")])
    path = tmp_path / "benchmark.json"
    path.write_text(f'{{"categories": {{"a": {one}, "a": {one}}}}}')

    (fault,) = faults_of(path)

    assert "key 'p' of category 'a' was used before" in fault


def test_a_key_may_recur_in_another_category(tmp_path: Path) -> None:
    path = original_file(tmp_path, {"categories": {"物理": [pair("p")], "社会": [pair("p")]}})

    assert check_benchmark(open_benchmark(path)).sample_count == 2


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"no image", "image is not decodable: none of PNG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image is not decodable: none of PNG"),
        (png()[:-30], "image is not decodable: "),
        (png()[:20], "image is not decodable: "),
        (b"", "image is empty"),
        (png_claiming(12_000, 12_000), "image is 12000 x 12000; at most"),
        (png_claiming(40_000, 1), "image is 40000 x 1; at most"),
    ],
    ids=["text", "svg", "truncated", "only a header", "empty", "too many pixels", "too long a side"],
)
@pytest.mark.parametrize("field", ["source image", "reference image"])
def test_an_image_that_cannot_be_used_is_a_fault_of_its_sample(
    tmp_path: Path, content: bytes, complaint: str, field: str
) -> None:
    (tmp_path / "bad").write_bytes(content)
    fields = {"original_image_b64": None, "original_image": "bad"} if field == "source image" else {}
    fields = fields or {"reference_image": "bad"}
    path = original_file(tmp_path, {"categories": {"物理": [pair("good"), pair("p-17", **fields)]}})

    (fault,) = faults_of(path)

    byte = path.read_bytes().index(b'{"pair_id": "p-17"')
    assert fault.startswith(f"categories['物理'].pairs[1] at byte {byte} (p-17): {field}: {complaint}")


def test_both_images_of_a_sample_are_checked(tmp_path: Path) -> None:
    path = original_file(
        tmp_path, {"categories": {"物理": [pair("p", original_image_b64="AAAA", reference_image_b64="AAAA")]}}
    )

    assert [fault.split(": ")[1] for fault in faults_of(path)] == ["source image", "reference image"]


@pytest.mark.parametrize("content", [{"categories": []}, {"categories": {}}, {"categories": {"物理": []}}])
def test_an_empty_benchmark_is_refused(tmp_path: Path, content: Any) -> None:
    assert faults_of(original_file(tmp_path, content)) == ("it has no samples",)


def test_an_empty_file_of_lines_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.jsonl"
    path.write_text("\n\n")

    assert faults_of(path) == ("it has no samples",)


@pytest.mark.parametrize("name", ["gone.json", "folder.json", "benchmark.xlsx", "benchmark"])
def test_a_file_that_no_reader_takes_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "benchmark.xlsx").write_bytes(b"PK\x03\x04, \x00")
    (tmp_path / "benchmark").write_text("make it rain")

    with pytest.raises(BenchmarkInvalid, match=name):
        open_benchmark(tmp_path / name)


def test_of_very_many_faults_the_first_are_named_and_all_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_text("5\n" * (MAX_FAULTS + 1234))

    with pytest.raises(BenchmarkInvalid) as caught:
        check_benchmark(open_benchmark(path))

    assert str(caught.value) == f"{path}: 2,234 faults, nothing was submitted"
    assert len(caught.value.faults) == MAX_FAULTS + 1
    assert caught.value.faults[-2:] == ("line 1000: expected an object, found a number", "and 1,234 more")


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("a\0b", "name: the benchmark's name contains a NUL character"),
        ("a\x1b[2Jb", r"name: the benchmark's name contains a control character, '\x1b'"),
        ("a\u202eb", r"name: the benchmark's name contains a control character, '\u202e'"),
    ],
)
def test_a_benchmarks_name_can_be_stored_and_shown(tmp_path: Path, name: str, complaint: str) -> None:
    assert faults_of(original_file(tmp_path, {"name": name, "categories": {"a": [pair("p")]}})) == (complaint,)


@pytest.mark.parametrize("file", ["a\x1bb.jsonl", "a\nb.json", os.fsdecode(b"a\xffb.jsonl")])
def test_a_file_whose_name_cannot_be_stored_is_refused_in_clean_lines(tmp_path: Path, file: str) -> None:
    path = tmp_path / file
    if path.suffix == ".json":
        original_file(tmp_path).rename(path)
    else:
        path.write_text(json.dumps({**pair("p"), "category": "物理"}))

    with pytest.raises(BenchmarkInvalid) as caught:
        check_benchmark(open_benchmark(path))

    assert str(caught.value).isprintable()
    assert caught.value.faults[-1].startswith("name: the benchmark's name contains ")


def test_a_name_in_any_script_is_taken(tmp_path: Path) -> None:
    name = "评测　«Tëst» 👩‍👩‍👧 שלום"  # with a wide space and characters that are joined

    checked = check_benchmark(
        open_benchmark(original_file(tmp_path, {"name": name, "categories": {name: [pair(name)]}}))
    )

    assert checked.name == name
