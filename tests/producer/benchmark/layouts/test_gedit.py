"""GEdit-Bench, and GEditBench v2, as lines."""

from __future__ import annotations

import json
from pathlib import Path

from tests.factories import write_images
from tests.producer.benchmark.layouts.files import layout_of
from tests.producer.benchmark.reading import (
    faults_in,
    samples_in,
)


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
