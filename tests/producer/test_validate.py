"""`validate`: what it says of a good benchmark and of a bad one, to people and to programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.factories import pair, png, write_images
from tests.producer.shell import Shell

RISE = {"index": "temporal_reasoning_1", "category": "temporal_reasoning", "instruction": "x", "image": "1.png"}


def lines_file(folder: Path, *lines: Any) -> Path:
    path = folder / "made up.jsonl"
    path.write_text("".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines))
    return path


def test_a_good_benchmark_is_told_of_in_json(shell: Shell) -> None:
    write_images(shell.folder, "1.png", "2.png")
    good = {"key": "p", "category": "a", "instruction": "x", "image": "1.png"}
    path = lines_file(
        shell.folder,
        good,
        good | {"category": "b", "reference_image": "2.png"},
        good | {"key": "q", "image": ["2.png", "1.png"]},
    )

    done = shell("validate", path, "--json")
    told = json.loads(done.out)

    assert (done.code, done.err) == (0, "")
    assert len(told.pop("benchmark")) == 64
    assert told == {
        "valid": True,
        "name": "made up",
        "format": "plain",
        "samples": 3,
        "images": 2,
        "without_reference": 2,
        "several_sources": 1,
        "categories": {"a": 2, "b": 1},
        "prompts": [],
    }


def test_the_layout_that_a_file_was_read_in_is_named(shell: Shell) -> None:
    write_images(shell.folder, "1.png")

    done = shell("validate", lines_file(shell.folder, RISE))

    assert done.code == 0
    assert done.out.splitlines()[0] == "made up: 1 samples, format rise"


def test_every_fault_is_told_of_in_json_with_its_row_key_and_byte(shell: Shell) -> None:
    (shell.folder / "cut.png").write_bytes(png()[:40])
    pairs = [pair("good"), pair("a", edit_instruction=""), 5, pair("cut", original_image_b64=None)]
    pairs[3] |= {"original_image": "cut.png"}  # type: ignore[operator]
    path = shell.folder / "benchmark.json"
    path.write_text(json.dumps({"categories": [{"name": "a", "pairs": pairs}]})[:-1] + ", tru")
    raw = path.read_bytes()
    second, fourth = raw.index(b'{"pair_id": "a"'), raw.index(b'{"pair_id": "cut"')

    done = shell("validate", path, "--json")

    assert done.code == 4
    assert done.err == f"error: {path}: 4 faults, it would not be taken\n"
    found = json.loads(done.out)
    cut = found["faults"].pop(2)
    assert (cut["row"], cut["key"], cut["byte"]) == (4, "cut", fourth)
    assert cut["message"].startswith("source image: image is not decodable: ")
    assert found == {
        "valid": False,
        "fault_count": 4,
        "faults": [
            {
                "place": f"categories[0].pairs[1] at byte {second} (a)",
                **{"row": 2, "key": "a", "byte": second, "message": "edit_instruction is empty"},
            },
            {
                "place": f"categories[0].pairs[2] after byte {second}",
                **{"row": 3, "key": None, "byte": second, "message": "expected an object, found a number"},
            },
            {
                "place": f"after categories[0].pairs[3], at byte {len(raw)}",
                **{"row": None, "key": None, "byte": len(raw)},
                "message": found["faults"][2]["message"],
            },
        ],
    }
    assert found["faults"][2]["message"].startswith("is not valid JSON: ")


def test_a_column_that_is_read_for_nothing_is_named_and_none_of_a_template(shell: Shell) -> None:
    write_images(shell.folder, "1.png")
    line = {"id": 7, "turn": 1, "category": "a", "instruction": "x", "image": "1.png"}
    path = lines_file(shell.folder, line, line | {"turn": 2, "reference": "1.png"})

    done = shell("validate", path, "--column", "key=={id}-{turn}")

    assert done.code == 0
    assert done.err == "read for no part of a sample: reference; where one should be, --column PART=NAME says so\n"
    assert shell("validate", path, "--column", "key=={id}-{turn}", "--column", "reference=reference").err == ""


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gone.jsonl", "cannot be read: No such file or directory"),
        ("odd.csv", "no known layout has its columns (a, b)"),
    ],
)
def test_what_cannot_be_read_at_all_is_told_of_in_json_too(shell: Shell, name: str, said: str) -> None:
    (shell.folder / "odd.csv").write_text("a,b\n1,2\n")

    done = shell("validate", name, "--json")
    told = json.loads(done.out)

    assert done.code == 4
    assert (told["valid"], told["fault_count"]) == (False, 1)
    assert said in told["faults"][0]["message"]
    assert done.err.startswith(f"error: {name}: ")


def test_of_very_many_faults_all_are_counted_in_json(shell: Shell) -> None:
    done = shell("validate", lines_file(shell.folder, "5\n" * 1200), "--json")
    told = json.loads(done.out)

    assert (told["fault_count"], len(told["faults"])) == (1200, 1000)


def test_how_to_read_a_file_may_be_said(shell: Shell) -> None:
    write_images(shell.folder / "pictures", "1.png")
    (shell.folder / "b.csv").write_text("text,picture\nmake it rain,1.png\n")
    columns = (
        "--column",
        "key=#",
        "--column",
        "category=:a",
        "--column",
        "instruction=text",
        "--column",
        "source=picture",
    )

    done = shell("validate", "b.csv", *columns, "--images", "pictures")

    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[0] == "b: 1 samples, format plain"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ("--format", "coco"),
            "error: --format coco: expected one of original, plain, gedit, gedit-v2, imgedit, kris, ",
        ),
        (("--column", "picture=x"), "error: --column picture=x: expected PART=COLUMN, where PART is one of key, "),
        (("--images", "nowhere"), "error: --images nowhere: is no folder"),
        (("--split", "train"), "error: --split train: made up.jsonl is one file, which has no splits"),
    ],
)
def test_what_is_said_wrongly_of_a_file_is_a_wrong_call(shell: Shell, options: tuple[str, ...], said: str) -> None:
    lines_file(shell.folder, RISE)

    done = shell("validate", "made up.jsonl", *options)

    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(said)


def test_what_no_row_names_is_remarked_on(shell: Shell) -> None:
    write_images(shell.folder / "set", "1.png", "2.png")
    row = {"file_name": "1.png", "category": "a", "instruction": "x"}
    (shell.folder / "set" / "metadata.jsonl").write_text(json.dumps(row))

    done = shell("validate", "set")

    assert done.code == 0
    assert done.err == "1 image of the folder is named by no row of its metadata, and left out\n"
