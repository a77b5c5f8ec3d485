"""Every format of benchmarks: good files of it to mutate, and which of its files is mutated."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.fuzz.mutator import CORPUS, corpus_files

IMAGES = CORPUS / "benchmarks" / "images"
TEAL, RED = "images/teal.png", "images/red.png"


@dataclass(frozen=True)
class Format:
    """A format: `contents` are good ones of `file`, `opened` is what is given to the reader; both in a folder of ours.

    `beside` makes what else must be there. `images` are folders that hold the images, with traps among them.
    """

    name: str
    contents: Sequence[bytes]
    file: str
    opened: str = ""
    images: Sequence[str] = ("images",)
    beside: Callable[[Path], None] = lambda folder: None

    def lay_out(self, folder: Path) -> tuple[Path, Path]:
        """Make the folder; return what is opened and the file that is to be written, which is not there yet."""
        for images in self.images:
            with_traps(folder / images)
        (folder / self.file).parent.mkdir(parents=True, exist_ok=True)
        self.beside(folder)
        return folder / (self.opened or self.file), folder / self.file


def with_traps(folder: Path) -> None:
    """Make a folder with images and with what a path may lead to: out of the benchmark, in circles, to no end."""
    shutil.copytree(IMAGES, folder)
    os.mkfifo(folder / "pipe")
    for name, target in (("zero", "/dev/zero"), ("loop", "loop"), ("out", "/etc/hostname"), ("folder", "/etc")):
        (folder / name).symlink_to(target)


# -- texts -------------------------------------------------------------------------------------------------------------

ROWS = [
    {"key": "p-1", "category": "物理", "instruction": "让它变亮", "image": TEAL, "reference_image": ""},
    {
        "key": "p-2",
        "category": "social",
        "instruction": 'say "rain",\nthen stop',
        "image": RED,
        "reference_image": TEAL,
    },
]


def _table(rows: Sequence[dict[str, Any]], delimiter: str = ",") -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode()


def _lines(values: Sequence[object]) -> bytes:
    return b"\n".join(json.dumps(value, ensure_ascii=False).encode() for value in values)


_PLAIN = [
    {"key": "p-1", "category": "物理", "instruction": "让它变亮", "image": TEAL, "description": "a square"},
    {"id": 17, "category": "social", "instruction": "make it rain", "images": [RED, TEAL], "reference_text": "wet"},
]
_IMGEDIT = {
    "1": {"id": TEAL, "prompt": "Add a kite", "edit_type": "add"},
    "zwei": {"id": RED, "prompt": "Make it blue", "edit_type": "adjust", "more": [1, {"deep": None}]},
}
_RISE = [
    {"index": "c_1", "category": "causal_reasoning", "instruction": "After rain", "image": TEAL, "subtask": "x"},
    {
        **{
            "index": 2,
            "category": "logical_reasoning",
            "instruction": "Solve it",
            "image": RED,
            "consistency_free": "T",
        },
        **{"reference_img": TEAL, "reference_txt": "solved", "reasoning_img": "True"},
    },
]
_KRIS = {
    "1": {"ori_img": "red.png", "ins_en": "Make it blue", "explain_en": "It is blue", "gt_img": ""},
    "2": {"ori_img": ["1-1.png", "1-3.png"], "ins_en": "Fill it in", "explain_en": "", "gt_img": "teal.png"},
}
_FOLDER = [
    {
        "file_name": "teal.png",
        "key": "p-1",
        "category": "物理",
        "instruction": "让它变亮",
        "reference_file_name": "red.png",
    },
    {"file_name": "red.png", "key": "p-2", "category": "social", "instruction": "make it rain"},
]
_TURNS = [
    {"input": "teal.png", "mask": "red.png", "output": "9-output1.png", "instruction": "add a kite"},
    {"input": "9-output1.png", "output": "9-output2.png", "instruction": "make it red"},
]


def _kris_beside(folder: Path) -> None:
    for name, target in (("1-1.png", "teal.png"), ("1-3.png", "red.png")):
        shutil.copy(IMAGES / target, folder / "set" / "temporal_prediction" / name)


def _turns_beside(folder: Path) -> None:
    for name in ("9-output1.png", "9-output2.png"):
        shutil.copy(IMAGES / "red.png", folder / "set" / "images" / "9" / name)


# -- Arrow -------------------------------------------------------------------------------------------------------------

_INFO = {"features": {"category": {"_type": "ClassLabel", "names": ["add", "remove"]}, "image": {"_type": "Image"}}}
_STREAM = "data-00000-of-00001.arrow"
_STATE = {"_data_files": [{"filename": _STREAM}], "_split": "train"}


def _arrow() -> pa.Table:
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    schema = pa.schema(
        [("key", pa.string()), ("category", pa.int64()), ("instruction", pa.string()), ("image", image)],
        metadata={"huggingface": json.dumps({"info": _INFO})},
    )
    rows = [
        {"key": "p-1", "category": 1, "instruction": "make it rain", "image": {"path": TEAL}},
        {
            "key": "p-2",
            "category": 0,
            "instruction": "让它变亮" * 9,
            "image": {"bytes": (IMAGES / "red.png").read_bytes()},
        },
    ]
    return pa.Table.from_pylist(rows, schema=schema)


def parquet_of(table: pa.Table, **how: Any) -> bytes:
    """Return the table as a Parquet file."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, **how)
    return bytes(sink.getvalue())


def stream_of(table: pa.Table) -> bytes:
    """Return the table as an Arrow stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue())


def saved_in(folder: Path) -> None:
    """Make a saved data set there."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _STREAM).write_bytes(stream_of(_arrow()))
    (folder / "state.json").write_bytes(_json(_STATE))
    (folder / "dataset_info.json").write_bytes(_json(_INFO))


def _saved_beside(folder: Path) -> None:
    saved_in(folder / "set")


def _splits_beside(folder: Path) -> None:
    for split in ("train", "test"):
        saved_in(folder / "set" / split)
        with_traps(folder / "set" / split / "images")


def _kept(suffix: str) -> list[bytes]:
    """Return the kept files, good ones several times: of what comes of a bad one most is refused at once."""
    good, found = (corpus_files("benchmarks", f"{kind}-*{suffix}") for kind in ("good", "found"))
    return [file.read_bytes() for file in (*good * 8, *found)]


_IN_SET = {"opened": "set", "images": ("set/images",)}

FORMATS = {
    one.name: one
    for one in (
        Format("original", _kept(".json"), "b.json"),
        Format("lines", [*_kept(".jsonl"), *[_lines(_PLAIN)] * 8], "b.jsonl"),
        Format("csv", [_table(ROWS), _table(ROWS, ";")], "b.csv"),
        Format("tsv", [_table(ROWS, "\t")], "b.tsv"),
        Format("no suffix", [_table(ROWS), _lines(_PLAIN), _json(_PLAIN), _json(_IMGEDIT)], "b"),
        Format("list", [_json(_PLAIN)], "b.json"),
        Format("imgedit", [_json(_IMGEDIT)], "b.json"),
        Format("rise", [_json(_RISE)], "b.json"),
        Format(
            *("kris", [_json(_KRIS)], "set/temporal_prediction/annotation.json", "set"),
            images=("set/temporal_prediction",),
            beside=_kris_beside,
        ),
        Format("image folder", [_lines(_FOLDER)], "set/metadata.jsonl", "set", images=("set",)),
        Format("image folder of csv", [_table(_FOLDER[:1])], "set/metadata.csv", "set", images=("set",)),
        Format(
            *("magicbrush turns", [_json(_TURNS)], "set/edit_turns.json", "set"),
            images=("set/images/9",),
            beside=_turns_beside,
        ),
        Format(
            *("magicbrush sessions", [_json({"9": _TURNS})], "set/edit_sessions.json", "set"),
            images=("set/images/9",),
            beside=_turns_beside,
        ),
        Format("parquet", [parquet_of(_arrow()), parquet_of(_arrow(), compression="none")], "b.parquet"),
        Format("saved stream", [stream_of(_arrow())], f"set/{_STREAM}", beside=_saved_beside, **_IN_SET),
        Format("saved state", [_json(_STATE)], "set/state.json", beside=_saved_beside, **_IN_SET),
        Format("saved splits", [_json({"splits": ["train"]})], "set/dataset_dict.json", "set", (), _splits_beside),
    )
}
"""All of them by their names."""
