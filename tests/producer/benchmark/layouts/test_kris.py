"""KRIS-Bench as it is downloaded: a folder of twenty categories."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.factories import write_images
from tests.producer.benchmark.layouts.files import begins, begins_named, layout_of, written
from tests.producer.benchmark.reading import (
    NO_IMAGE,
    SAID_OF_NO_IMAGE,
    faults_in,
    found_in,
    samples_in,
)

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
