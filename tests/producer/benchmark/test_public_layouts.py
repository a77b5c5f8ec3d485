"""Public benchmarks in miniature, as their authors lay them out: the samples exactly, and every fault at its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from producer.benchmark import open_benchmark
from producer.benchmark.sample import Sample
from tests.factories import write_images
from tests.producer.benchmark.reading import (
    BOMB,
    CUT_SHORT,
    NO_IMAGE,
    SAID_OF_BOMB,
    SAID_OF_CUT_SHORT,
    SAID_OF_NO_IMAGE,
    faults_in,
    found_in,
    samples_in,
    spots_in,
)


def written(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    return path


def begins(path: Path, mark: str) -> int:
    """Return the byte at which the object begins that has this mark in it, and no object before that."""
    raw = path.read_bytes()
    return raw.rindex(b"{", 0, raw.index(mark.encode()))


def begins_named(path: Path, key: str) -> int:
    """Return the byte at which the object of this name begins, the first of that name."""
    name = f'"{key}": '.encode()
    return path.read_bytes().index(name + b"{") + len(name)


def layout_of(path: Path) -> str:
    return open_benchmark(path).layout_name


# -- ImgEdit-Bench: an object of records, whose `id` is the image ------------------------------------------------------

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


# -- KRIS-Bench: a folder of twenty categories -------------------------------------------------------------------------

KRIS_CATEGORIES = (
    *("abstract_reasoning", "anomaly_correction", "biology", "chemistry", "color_change", "count_change", "geography"),
    *("humanities", "mathematics", "medicine", "multi-element_composition", "multi-instruction_execution"),
    *("part_completion", "physics", "position_movement", "practical_knowledge", "rule-based_reasoning"),
    *("size_adjustment", "temporal_prediction", "viewpoint_change"),
)


def kris(folder: Path) -> Path:
    """Write every category with one record of the shape that it has in the benchmark."""
    for category in KRIS_CATEGORIES:
        record: dict[str, Any] = {"ori_img": "1.jpg", "gt_img": "", "ins_en": f"do {category}", "explain_en": "why"}
        images = ["1.jpg"]
        if category == "abstract_reasoning":
            del record["gt_img"]
        elif category == "rule-based_reasoning":
            record["explain_en"] = ""
        elif category == "viewpoint_change":
            images.append("1_gt.jpg")
            record |= {"gt_img": "1_gt.jpg", "explain_en": ""}
        elif category == "multi-element_composition":
            images = ["1-1.JPG", "1-2.png"]
            record["ori_img"] = images
        elif category == "temporal_prediction":
            images = ["1-1.jpg", "1-2.jpg", "1-4.jpg", "1-3.png"]
            record |= {"ori_img": images[:3], "gt_img": images[3], "explain_en": ""}
        write_images(folder / category, *images)
        written(folder / category / "annotation.json", {"1": record})
        (folder / category / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    return folder


def test_kris_whole(tmp_path: Path) -> None:
    path = kris(tmp_path / "KRIS_Bench")
    (path / "README.md").write_text("made up")

    samples = {one.category: one for one in samples_in(path)}

    assert layout_of(path) == "kris"
    assert tuple(samples) == KRIS_CATEGORIES
    for category, sample in samples.items():
        byte = begins(path / category / "annotation.json", '"ori_img"')
        assert (sample.place, sample.key) == (f"{category}/annotation.json ['1'] at byte {byte} (1)", "1")
        assert sample.instruction == f"do {category}"
        told = category not in ("rule-based_reasoning", "viewpoint_change", "temporal_prediction")
        assert sample.reference_text == ("why" if told else None)
        assert (sample.reference is not None) == (category in ("viewpoint_change", "temporal_prediction"))
        assert sample.fields == ({"frame": 3} if category == "temporal_prediction" else {})

    def image(name: str) -> bytes:
        return (path / name).read_bytes()

    sequence, parts = samples["temporal_prediction"], samples["multi-element_composition"]
    assert sequence.source == image("temporal_prediction/1-1.jpg")
    assert sequence.more_sources == (image("temporal_prediction/1-2.jpg"), image("temporal_prediction/1-4.jpg"))
    assert sequence.reference == image("temporal_prediction/1-3.png")
    assert [parts.source, *parts.more_sources] == [
        image("multi-element_composition/1-1.JPG"),
        image("multi-element_composition/1-2.png"),
    ]
    assert samples["viewpoint_change"].reference == image("viewpoint_change/1_gt.jpg")


def test_the_missing_frame_of_a_sequence_is_its_field(tmp_path: Path) -> None:
    records = {
        str(missing): {
            "ori_img": [f"{missing}-{frame}.jpg" for frame in range(1, 5) if frame != missing],
            "ins_en": "x",
        }
        for missing in range(1, 5)
    }
    records["odd"] = {"ori_img": ["odd.jpg"], "ins_en": "x"}
    write_images(tmp_path / "temporal_prediction", *(name for one in records.values() for name in one["ori_img"]))
    written(tmp_path / "temporal_prediction" / "annotation.json", records)

    assert {one.key: dict(one.fields) for one in samples_in(tmp_path)} == {
        **{str(missing): {"frame": missing} for missing in range(1, 5)},
        "odd": {},
    }


def test_every_fault_of_a_broken_kris(tmp_path: Path) -> None:
    write_images(tmp_path / "biology", "1.jpg")
    write_images(tmp_path / "physics", "1.jpg")
    (tmp_path / "biology" / "bad.jpg").write_bytes(NO_IMAGE)
    good = {"ori_img": "1.jpg", "ins_en": "x"}
    biology = written(
        tmp_path / "biology" / "annotation.json",
        {
            "1": good,
            "2": good | {"ins_en": ""},
            "3": good | {"ori_img": "bad.jpg"},
            "4": good | {"ori_img": ["1.jpg", "gone.jpg"]},
            "5": good | {"gt_img": "../../5.jpg"},
            "6": {"ins_en": "x"},
            "7": good | {"ori_img": []},
        },
    )
    written(tmp_path / "chemistry" / "annotation.json", "nothing")
    (tmp_path / "geography").mkdir()
    (tmp_path / "geography" / "annotation.json").write_bytes('{"1": {"ins_en": "物"}}'.encode("gb18030"))
    (tmp_path / "medicine" / "annotation.json").mkdir(parents=True)
    physics = written(tmp_path / "physics" / "annotation.json", [good])
    at = [begins_named(biology, str(key)) for key in range(1, 8)]
    first = begins(physics, '"ori_img"')
    gb = (tmp_path / "geography" / "annotation.json").read_bytes()
    wrong = gb.index("物".encode("gb18030"))

    assert faults_in(tmp_path) == [
        f"biology/annotation.json ['2'] at byte {at[1]} (2): ins_en is empty",
        f"biology/annotation.json ['3'] at byte {at[2]} (3): source image: {SAID_OF_NO_IMAGE}",
        f"biology/annotation.json ['4'] at byte {at[3]} (4): ori_img: 'gone.jpg' cannot be read: No such file or "
        "directory",
        f"biology/annotation.json ['5'] at byte {at[4]} (5): gt_img: '../../5.jpg' lies outside the benchmark's folder",
        f"biology/annotation.json ['6'] at byte {at[5]} (6): no image: looked for ori_img; --column source=NAME names "
        "another column",
        f"biology/annotation.json ['7'] at byte {at[6]} (7): ori_img: the list of images is empty",
        "chemistry/annotation.json the file: expected a list of records, or an object of them by name",
        f"geography/annotation.json after the beginning, at byte {wrong}: is not UTF-8: byte {wrong} is "
        f"0x{gb[wrong]:02X}; save the file as UTF-8",
        "medicine/annotation.json: cannot be read: Is a directory",
        f"physics/annotation.json [0] at byte {first}: no key: looked for the record's name in "
        "its file, image_id, key; --column key=NAME names another column",
    ]


def test_one_annotation_of_kris_needs_to_be_told_its_category(tmp_path: Path) -> None:
    write_images(tmp_path, "1.jpg")
    path = written(tmp_path / "annotation.json", {"1": {"ori_img": "1.jpg", "ins_en": "x", "gt_img": "1.jpg"}})

    [fault] = found_in(path)
    [sample] = samples_in(path, columns={"category": ":biology"})

    assert fault.message.startswith("no category: looked for the name of its folder, category; --column category=NAME ")
    assert (sample.category, sample.key) == ("biology", "1")


# -- RISEBench: a list of sparse records -------------------------------------------------------------------------------

RISE = [
    {"index": "temporal_reasoning_1", "subtask": "Material Progression", "reference": "A rusty gate."},
    {"index": "causal_reasoning_1", "subtask": "State Transition", "reference": "Water.", "reasoning_img": "True"},
    {
        "index": "spatial_reasoning_3",
        "subtask": "Component Assembly",
        "reference_img": "spatial_reasoning_images/3r.png",
    }
    | {"consistency_free": "True"},
    {"index": "logical_reasoning_9", "subtask": "Puzzle Solving", "reference_img": "logical_reasoning_images/9r.png"}
    | {"reasoning_wo_ins": "True"},
    {
        "index": "logical_reasoning_10",
        "subtask": "Pattern Prediction",
        "reference_txt": "B",
        "reasoning_img_op": "True",
    },
]


def rise_record(record: dict[str, Any]) -> dict[str, Any]:
    category, number = record["index"].rsplit("_", 1)
    own = {"category": category, "instruction": f"do {number}", "image": f"{category}_images/{number}.png"}
    return {"index": record["index"], **own, **record}


def test_rise_whole(tmp_path: Path) -> None:
    records = [rise_record(one) for one in RISE]
    named = [one[name] for one in records for name in ("image", "reference_img") if name in one]
    images = write_images(tmp_path / "data", *named)
    path = written(tmp_path / "data" / "datav2_total_w_subtask.json", records)

    samples = samples_in(path)

    assert layout_of(path) == "rise"
    assert samples == [
        Sample(
            place=f"[{at}] at byte {begins(path, json.dumps(one['index']))} ({one['index']})",
            key=one["index"],
            category=one["category"],
            instruction=one["instruction"],
            description=None,
            source=images[one["image"]],
            reference=images.get(one.get("reference_img")),
            reference_text=one.get("reference_txt", one.get("reference")),
            fields={
                name: one[name]
                for name in ("subtask", "consistency_free", "reasoning_img", "reasoning_img_op", "reasoning_wo_ins")
                if name in one
            },
        )
        for at, one in enumerate(records)
    ]


def test_rise_beside_the_folder_of_its_images(tmp_path: Path) -> None:
    records = [rise_record(RISE[0])]
    write_images(tmp_path / "data", records[0]["image"])
    path = written(tmp_path / "total.json", records)

    assert len(samples_in(path, images=tmp_path / "data")) == 1
    assert len(faults_in(path)) == 1


def test_every_fault_of_a_broken_rise(tmp_path: Path) -> None:
    good = rise_record(RISE[0])
    write_images(tmp_path, good["image"])
    (tmp_path / "bad.png").write_bytes(CUT_SHORT)
    records = [
        good,
        good | {"index": "b", "instruction": None},
        good | {"index": "c", "reference_img": "bad.png"},
        good | {"index": "d", "subtask": ["x"]},
        good | {"index": "e", "consistency_free": {}},
        good | {"index": "f", "reference": 5},
        good | {"index": "g", "category": ["temporal_reasoning", "logical_reasoning"]},
        good | {"index": None},
        5,
        good,
    ]
    path = tmp_path / "rise.json"
    path.write_text(json.dumps(records))
    raw = path.read_bytes()
    at = [raw.index(b'{"index": ' + json.dumps(one["index"]).encode()) for one in records[:8]]  # type: ignore[index]
    last = raw.rindex(b'{"index"')

    assert faults_in(path) == [
        f"[1] at byte {at[1]} (b): instruction is empty",
        f"[2] at byte {at[2]} (c): reference image: {SAID_OF_CUT_SHORT}",
        f"[3] at byte {at[3]:,} (d): subtask: expected a text, a number or a truth value, found a list",
        f"[4] at byte {at[4]:,} (e): consistency_free: expected a text, a number or a truth value, found an object",
        f"[5] at byte {at[5]:,} (f): reference: expected a text, found a number",
        f"[6] at byte {at[6]:,} (g): category: expected a text, found a list",
        f"[7] at byte {at[7]:,}: index is empty",
        f"[8] after byte {at[7]:,}: expected an object, found a number",
        f"[9] at byte {last:,} (temporal_reasoning_1): key 'temporal_reasoning_1' of category 'temporal_reasoning' was "
        f"used before, at [0] at byte {at[0]} (temporal_reasoning_1)",
    ]
    assert spots_in(path)[-1] == (10, "temporal_reasoning_1", last)


# -- GEdit-Bench and GEditBench v2, as lines ---------------------------------------------------------------------------


def test_gedit_as_lines_keeps_its_languages_apart(tmp_path: Path) -> None:
    images = write_images(tmp_path, "a.png", "raw.png")
    record = {"task_type": "color_alter", "key": "0123", "instruction": "make it red", "instruction_language": "en"}
    record |= {"input_image": "a.png"}
    lines = [
        record | {"Intersection_exist": True, "input_image_raw": "raw.png"},
        record | {"instruction_language": "cn", "instruction": "变红"},
    ]
    (tmp_path / "gedit.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    english, chinese = samples_in(tmp_path / "gedit.jsonl")

    assert (english.key, english.category, english.source) == ("en/0123", "color_alter", images["raw.png"])
    assert english.fields == {"instruction_language": "en", "Intersection_exist": True}
    assert (chinese.key, chinese.instruction, chinese.source) == ("cn/0123", "变红", images["a.png"])


def test_a_template_whose_column_is_missing_is_named_by_it(tmp_path: Path) -> None:
    write_images(tmp_path, "a.png")
    record = {"task_type": "a", "key": "0123", "instruction": "x", "instruction_language": "en", "input_image": "a.png"}
    lines = [record, {name: value for name, value in record.items() if name != "key"}]
    (tmp_path / "gedit.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    assert faults_in(tmp_path / "gedit.jsonl") == ["line 2: key is missing"]


def test_gedit_v2_as_lines(tmp_path: Path) -> None:
    images = write_images(tmp_path, "images/source/hybrid_000007.png")
    line = {"key": "hybrid_000007", "task": "hybrid", "instruction": "x", "candidates": [{"model": "m", "image": "y"}]}
    line["source_image"] = "./images/source/hybrid_000007.png"
    (tmp_path / "lines.jsonl").write_text(json.dumps(line))

    [sample] = samples_in(tmp_path / "lines.jsonl")

    assert layout_of(tmp_path / "lines.jsonl") == "gedit-v2"
    assert (sample.key, sample.category, [sample.source]) == ("hybrid_000007", "hybrid", [*images.values()])
