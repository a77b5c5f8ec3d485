"""RISEBench as it is downloaded: a list of sparse records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from producer.benchmark.sample import Sample
from tests.factories import write_images
from tests.producer.benchmark.layouts.files import begins, layout_of, written
from tests.producer.benchmark.reading import (
    CUT_SHORT,
    SAID_OF_CUT_SHORT,
    faults_in,
    samples_in,
    spots_in,
)

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
