"""ImgEdit-Bench as it is downloaded: an object of records, whose `id` is the image."""

from __future__ import annotations

import json
from pathlib import Path

from producer.benchmark.sample import Sample
from tests.factories import write_images
from tests.producer.benchmark.layouts.files import begins_named, layout_of, written
from tests.producer.benchmark.reading import (
    BOMB,
    CUT_SHORT,
    SAID_OF_BOMB,
    SAID_OF_CUT_SHORT,
    faults_in,
    samples_in,
)

IMGEDIT = {
    "7": {"id": "daily object/000111222.jpg", "prompt": "Replace the cup with a vase. ", "edit_type": "replace"},
    "12": {"id": "animal/1.jpg", "prompt": "Make the cat jump.", "edit_type": "action"},
    "1136": {"id": "daily object/000111222.jpg", "prompt": "\u9225\u6a9a", "edit_type": "alter"},
    "8": {"id": "animal/1.jpg", "prompt": "Make it blue.", "edit_type": "adjust"},
}


def test_imgedit_whole(tmp_path: Path) -> None:
    images = write_images(tmp_path, "daily object/000111222.jpg", "animal/1.jpg")
    cup, cat = images.values()
    path = written(tmp_path / "singleturn.json", IMGEDIT)

    first, second, third, fourth = (begins_named(path, key) for key in IMGEDIT)
    assert layout_of(path) == "imgedit"
    assert samples_in(path) == [
        Sample(f"['7'] at byte {first} (7)", "7", "replace", "Replace the cup with a vase.", None, cup, None),
        Sample(f"['12'] at byte {second} (12)", "12", "action", "Make the cat jump.", None, cat, None),
        Sample(f"['1136'] at byte {third} (1136)", "1136", "alter", "\u9225\u6a9a", None, cup, None),
        Sample(f"['8'] at byte {fourth} (8)", "8", "adjust", "Make it blue.", None, cat, None),
    ]


def test_imgedits_images_may_lie_in_another_folder(tmp_path: Path) -> None:
    write_images(tmp_path / "Benchmark" / "singleturn", "daily object/000111222.jpg", "animal/1.jpg")
    write_images(tmp_path, "secret.jpg")
    path = written(tmp_path / "Basic" / "basic_edit.json", IMGEDIT | {"9": {**IMGEDIT["8"], "id": "../../secret.jpg"}})

    [fault] = faults_in(path, images=tmp_path / "Benchmark" / "singleturn")

    assert fault.endswith("(9): id: '../../secret.jpg' lies outside the benchmark's folder")
    assert len(faults_in(path)) == len(IMGEDIT) + 1


def test_every_fault_of_a_broken_imgedit(tmp_path: Path) -> None:
    write_images(tmp_path, "a/1.jpg")
    (tmp_path / "a" / "cut.jpg").write_bytes(CUT_SHORT)
    (tmp_path / "a" / "bomb.jpg").write_bytes(BOMB)
    good = {"id": "a/1.jpg", "prompt": "x", "edit_type": "add"}
    records = {
        "1": good,
        "2": good | {"prompt": " "},
        "3": {"id": "a/1.jpg", "edit_type": "add"},
        "4": good | {"id": "a/cut.jpg"},
        "5": good | {"id": "a/bomb.jpg"},
        "6": good | {"id": 7},
        "7": {"id": "a/1.jpg", "prompt": "x"},
        "": good,
    }
    text = json.dumps(records)
    path = tmp_path / "basic_edit.json"
    path.write_text(text[:-1] + f', "8": [1], "1": {json.dumps(good)}, "9": {{"id": "a/1.jpg", "prompt": tru')
    raw = path.read_bytes()
    at = [begins_named(path, key) for key in records]
    again = raw.rindex(b'{"id": "a/1.jpg", "prompt": "x"')

    assert faults_in(path) == [
        f"['2'] at byte {at[1]} (2): prompt is empty",
        f"['3'] at byte {at[2]} (3): no instruction: looked for prompt; --column instruction=NAME names another column",
        f"['4'] at byte {at[3]} (4): source image: {SAID_OF_CUT_SHORT}",
        f"['5'] at byte {at[4]} (5): source image: {SAID_OF_BOMB}",
        f"['6'] at byte {at[5]} (6): id: expected a text, found a number",
        f"['7'] at byte {at[6]} (7): no category: looked for edit_type; --column category=NAME names another column",
        f"[''] at byte {at[7]}: the record's name in its file is empty",
        f"['8'] after byte {at[7]}: expected an object, found a list",
        f"['1'] at byte {again} (1): key '1' of category 'add' was used before, at ['1'] at byte {at[0]} (1)",
        f"after ['1'], at byte {len(raw)}: is not valid JSON: lexical error: invalid string in json text",
    ]
