"""The original layout: what is wrong with a pair or a category is named by its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from producer.benchmark import open_benchmark
from producer.benchmark.sample import Sample
from producer.benchmark.text_values import MAX_KEY, MAX_TEXT
from tests.factories import original_file, pair, png
from tests.producer.benchmark.formats.original_files import NO_INSTRUCTION, faults_of, with_pairs

NO_IMAGE = "no image: looked for original_image, image, source_image, images; --column source=NAME names another column"


BAD_PAIRS = [
    ({"edit_instruction": None}, NO_INSTRUCTION),
    ({"edit_instruction": ""}, "edit_instruction is empty"),
    ({"edit_instruction": " \n"}, "edit_instruction is empty"),
    ({"edit_instruction": ["变亮"]}, "edit_instruction: expected a text, found a list"),
    ({"edit_instruction": 7}, "edit_instruction: expected a text, found a number"),
    ({"edit_instruction": "变\0亮"}, "edit_instruction contains a NUL character"),
    ({"edit_instruction": "亮" * (MAX_TEXT + 1)}, "edit_instruction has 20,001 characters; at most 20,000 are taken"),
    ({"original_description": {}}, "original_description: expected a text, found an object"),
    ({"original_description": "\0"}, "original_description contains a NUL character"),
    ({"original_image_b64": None}, NO_IMAGE),
    ({"original_image_b64": ""}, "original_image_b64: expected a text, found an empty one"),
    ({"original_image_b64": 5}, "original_image_b64: expected a text, found a number"),
    ({"original_image_b64": True}, "original_image_b64: expected a text, found a truth value"),
    ({"original_image_b64": "!!!!"}, "original_image_b64: is not base64: "),
    ({"original_image_b64": "AAAAA"}, "original_image_b64: is not base64: "),
    ({"original_image_b64": "图"}, "original_image_b64: is not base64: "),
    ({"reference_image_b64": "!!!!"}, "reference_image_b64: is not base64: "),
    ({"reference_image": 5}, "reference_image: expected a text, found a number"),
]


@pytest.mark.parametrize(("fields", "complaint"), BAD_PAIRS)
def test_a_bad_field_is_named_by_place_and_key(tmp_path: Path, fields: dict[str, Any], complaint: str) -> None:
    record = {**pair("p-17"), **fields}
    path = with_pairs(tmp_path, pair("good"), {name: value for name, value in record.items() if value is not None})

    (fault,) = faults_of(path)

    assert fault.startswith(f"categories[0].pairs[1] (p-17): {complaint}")


def test_every_bad_pair_is_named_not_only_the_first(tmp_path: Path) -> None:
    path = with_pairs(tmp_path, *({**pair(f"p-{number}"), **fields} for number, (fields, _) in enumerate(BAD_PAIRS)))

    faults = faults_of(path)

    assert [fault.split(" ")[0] for fault in faults] == [f"categories[0].pairs[{n}]" for n in range(len(BAD_PAIRS))]


@pytest.mark.parametrize(
    ("key", "complaint"),
    [
        (None, "categories[0].pairs[0]: pair_id is empty"),
        ("", "categories[0].pairs[0]: pair_id is empty"),
        (True, "categories[0].pairs[0] (True): pair_id: expected a text, found a truth value"),
        (1.5, "categories[0].pairs[0] (1.5): pair_id: expected a text, found a number"),
        ("a\0b", r"categories[0].pairs[0] (a\x00b): pair_id contains a NUL character"),
        ("a\nb", r"categories[0].pairs[0] (a\nb): pair_id contains a control character, '\n'"),
        ("a\x1b[2Jb", r"categories[0].pairs[0] (a\x1b[2Jb): pair_id contains a control character, '\x1b'"),
        ("a\u202eb", r"categories[0].pairs[0] (a\u202eb): pair_id contains a control character, '\u202e'"),
        ([["a"]], "categories[0].pairs[0]: pair_id: expected a text, found a list"),
        (
            "k" * (MAX_KEY + 1),
            f"categories[0].pairs[0] ({'k' * MAX_KEY}): pair_id has 201 characters; at most 200 are taken",
        ),
    ],
)
def test_a_pair_needs_an_id_that_can_be_stored(tmp_path: Path, key: Any, complaint: str) -> None:
    assert faults_of(with_pairs(tmp_path, {**pair("x"), "pair_id": key})) == [complaint]


@pytest.mark.parametrize(
    ("record", "kind"),
    [(5, "a number"), (None, "null"), ("p", "a text"), ([pair("p")], "a list"), (True, "a truth value")],
)
def test_a_pair_is_an_object(tmp_path: Path, record: Any, kind: str) -> None:
    path = with_pairs(tmp_path, pair("a"), record, pair("b"))

    assert faults_of(path) == [f"categories[0].pairs[1]: expected an object, found {kind}"]
    assert [item.key for item in open_benchmark(path) if isinstance(item, Sample)] == ["a", "b"]


@pytest.mark.parametrize("name", [None, "", "  ", 5, ["物理"]])
def test_a_category_needs_a_name(tmp_path: Path, name: Any) -> None:
    path = original_file(
        tmp_path, {"categories": [{"name": "物理", "pairs": [pair("a")]}, {"name": name, "pairs": [pair("b")]}]}
    )

    assert faults_of(path) == ["categories[1].pairs[0]: its category has no name"]


def test_a_category_name_must_be_storable(tmp_path: Path) -> None:
    path = original_file(tmp_path, {"categories": {"a\0b": [pair("p")], "x" * 201: [pair("q")]}})

    first, second = faults_of(path)

    assert first.endswith("category contains a NUL character")
    assert second.endswith("category has 201 characters; at most 200 are taken")


@pytest.mark.parametrize("category", [5, None, "物理", {"name": "社会"}, {"name": "社会", "pairs": {"p": pair("x")}}])
def test_a_category_without_a_list_of_pairs_is_not_passed_over(tmp_path: Path, category: Any) -> None:
    path = original_file(
        tmp_path, {"categories": [category, {"name": "物理", "pairs": [pair("a", edit_instruction="")]}]}
    )

    assert faults_of(path) == [
        "categories[0]: has no pairs; expected a list of them, or an object with `pairs`",
        "categories[1].pairs[0] (a): edit_instruction is empty",
    ]


@pytest.mark.parametrize("category", [5, None, {"pair": [pair("x")]}, {"pairs": {"item": pair("x")}}])
def test_a_keyed_category_without_a_list_of_pairs_is_not_passed_over(tmp_path: Path, category: Any) -> None:
    path = original_file(tmp_path, {"categories": {"社会": category, "物理": [pair("a")]}})

    assert faults_of(path) == ["categories['社会']: has no pairs; expected a list of them, or an object with `pairs`"]


@pytest.mark.parametrize("given", ["../secret.png", "{outside}/secret.png", "images/../../secret.png", "link.png"])
def test_an_image_outside_the_folder_is_refused(tmp_path: Path, given: str) -> None:
    folder = tmp_path / "benchmark"
    (folder / "images").mkdir(parents=True)
    (tmp_path / "secret.png").write_bytes(png())
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    given = given.format(outside=tmp_path)

    (fault,) = faults_of(with_pairs(folder, pair("p", original_image_b64=None, original_image=given)))

    assert fault == f"categories[0].pairs[0] (p): original_image: {given!r} lies outside the benchmark's folder"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("gone.png", "No such file"),
        (".", "Is a directory"),
        ("a\0b", "embedded null"),
        ("x" * 5000, "File name too long"),
    ],
)
def test_an_image_that_cannot_be_read_is_a_fault(tmp_path: Path, given: str, reason: str) -> None:
    (fault,) = faults_of(with_pairs(tmp_path, pair("p", original_image_b64=None, original_image=given)))

    assert fault.startswith("categories[0].pairs[0] (p): original_image: ")
    assert reason in fault
    assert len(fault) < 400
