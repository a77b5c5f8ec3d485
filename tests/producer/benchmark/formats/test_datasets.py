"""Data sets of Hugging Face's, as Parquet and as saved to disk: made up with pyarrow, whole and broken."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.errors import BenchmarkInvalid, FarmError, WrongCall
from producer.benchmark import open_benchmark
from producer.benchmark.check import check_benchmark
from producer.benchmark.how import HowToRead
from producer.benchmark.sample import Fault, Sample
from tests.factories import png

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
LABELS = {"category": {"_type": "ClassLabel", "names": ["add", "remove"]}, "image": {"_type": "Image"}}


def table(rows: list[dict[str, Any]]) -> pa.Table:
    """Return rows of our own columns, with what Hugging Face's tools write beside them."""
    schema = pa.schema(
        [("key", pa.string()), ("category", pa.int64()), ("instruction", pa.string()), ("image", IMAGE)],
        metadata={"huggingface": json.dumps({"info": {"features": LABELS}})},
    )
    return pa.Table.from_pylist(rows, schema=schema)


def row(key: str, **fields: Any) -> dict[str, Any]:
    image = {"bytes": png(colour="navy"), "path": f"{key}.png"}
    return {"key": key, "category": 1, "instruction": "make it rain", "image": image, **fields}


def saved(folder: Path, rows: list[dict[str, Any]], *, shards: int = 1) -> Path:
    """Write what `datasets.save_to_disk` writes."""
    folder.mkdir(parents=True)
    made, names = table(rows), [f"data-{number:05}-of-{shards:05}.arrow" for number in range(shards)]
    for number, name in enumerate(names):
        with pa.ipc.new_stream(str(folder / name), made.schema) as stream:
            stream.write_table(made.slice(number * len(rows) // shards, len(rows) // shards))
    state = {"_data_files": [{"filename": name} for name in names], "_split": "train"}
    (folder / "state.json").write_text(json.dumps(state))
    (folder / "dataset_info.json").write_text(json.dumps({"features": LABELS}))
    return folder


def written(folder: Path, rows: list[dict[str, Any]], name: str = "b.parquet") -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    pq.write_table(table(rows), path)
    return path


def items(path: Path, split: str | None = None) -> list[Sample | Fault]:
    return list(open_benchmark(path, HowToRead(split=split)))


def faults_of(path: Path) -> list[str]:
    with pytest.raises(BenchmarkInvalid) as caught:
        check_benchmark(open_benchmark(path))
    return list(caught.value.faults)


# -- whole -------------------------------------------------------------------------------------------------------------


def test_a_row_of_parquet_becomes_a_sample_with_its_bytes_and_the_name_of_its_class(tmp_path: Path) -> None:
    [sample] = items(written(tmp_path, [row("p-1")]))

    assert sample == Sample(
        place="row 1 (p-1)",
        key="p-1",
        category="remove",
        instruction="make it rain",
        description=None,
        source=png(colour="navy"),
        reference=None,
    )


def test_an_image_may_be_a_path_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "p.png").write_bytes(png())

    [sample] = items(written(tmp_path, [row("p-1", image={"bytes": None, "path": "p.png"})]))

    assert isinstance(sample, Sample)
    assert sample.source == png()


def test_the_files_of_a_folder_are_read_in_their_order_and_by_split(tmp_path: Path) -> None:
    written(tmp_path, [row("b")], "data/train-00001-of-00002.parquet")
    written(tmp_path, [row("a")], "data/train-00000-of-00002.parquet")
    written(tmp_path, [row("c")], "data/dev-00000-of-00001.parquet")

    train, dev = ([one.key for one in items(tmp_path, split)] for split in ("train", "dev"))  # type: ignore[union-attr]

    assert (train, dev) == (["a", "b"], ["c"])
    with pytest.raises(WrongCall, match="say which split with --split; there are: dev, train"):
        open_benchmark(tmp_path)
    with pytest.raises(WrongCall, match="no split 'test'; there are: dev, train"):
        open_benchmark(tmp_path, HowToRead(split="test"))


def test_a_saved_data_set_is_read_shard_by_shard_with_its_bytes(tmp_path: Path) -> None:
    path = saved(tmp_path / "set", [row("a"), row("b", category=0)], shards=2)

    first, second = items(path)

    assert isinstance(first, Sample)
    assert isinstance(second, Sample)
    assert [(one.key, one.category) for one in (first, second)] == [("a", "remove"), ("b", "add")]
    assert hashlib.sha256(first.source).digest() == hashlib.sha256(png(colour="navy")).digest()


def test_of_several_saved_splits_one_is_chosen(tmp_path: Path) -> None:
    saved(tmp_path / "train", [row("a")])
    saved(tmp_path / "test", [row("b")])
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')

    [sample] = items(tmp_path, "test")

    assert isinstance(sample, Sample)
    assert sample.key == "b"
    with pytest.raises(WrongCall, match="say which split"):
        open_benchmark(tmp_path)


def test_gedit_bench_is_known_by_its_columns(tmp_path: Path) -> None:
    columns = {
        "task_type": ["color_alter", "color_alter"],
        "key": ["k", "k"],
        "instruction": ["make it red", "变红"],
        "instruction_language": ["en", "cn"],
        "input_image": [{"bytes": png(), "path": None}] * 2,
        "input_image_raw": [{"bytes": png(16, 16), "path": None}] * 2,
        "Intersection_exist": [True, False],
    }
    pq.write_table(pa.table(columns), tmp_path / "gedit.parquet")

    english, chinese = items(tmp_path / "gedit.parquet")

    assert isinstance(english, Sample)
    assert isinstance(chinese, Sample)
    assert (english.key, english.category, english.source) == ("en/k", "color_alter", png(16, 16))
    assert (chinese.key, chinese.instruction) == ("cn/k", "变红")
    assert chinese.fields == {"instruction_language": "cn", "Intersection_exist": False}


def magicbrush(folder: Path, turns: list[dict[str, Any]]) -> Path:
    (folder / "images" / "9").mkdir(parents=True)
    for name, colour in (("9-input", "red"), ("9-output1", "green"), ("9-output2", "blue")):
        (folder / "images" / "9" / f"{name}.png").write_bytes(png(colour=colour))
    (folder / "edit_turns.json").write_text(json.dumps(turns))
    return folder


def test_magicbrush_is_read_turn_by_turn(tmp_path: Path) -> None:
    first = {"input": "9-input.png", "mask": "9-mask1.png", "output": "9-output1.png", "instruction": "add a kite"}
    second = {"input": "9-output1.png", "mask": "9-mask2.png", "output": "9-output2.png", "instruction": "make it red"}

    one, two = items(magicbrush(tmp_path, [first, second]))

    assert isinstance(one, Sample)
    assert isinstance(two, Sample)
    assert [(each.key, each.category) for each in (one, two)] == [("9-1", "turn 1"), ("9-2", "turn 2")]
    assert (two.source, two.reference) == (png(colour="green"), png(colour="blue"))


# -- broken ------------------------------------------------------------------------------------------------------------


def test_every_fault_of_parquet_is_reported_at_its_row(tmp_path: Path) -> None:
    rows = [
        row("a", instruction=" "),
        row("b", instruction=None),
        row("c", image={"bytes": b"no image", "path": None}),
        row("d", image=None),
        row("e", image={"bytes": None, "path": "../e.png"}),
        row("f"),
        row("f"),
        row("g", category=None),
    ]

    assert [line.split(": ", 1)[0] for line in faults_of(written(tmp_path, rows))] == [
        *("row 1 (a)", "row 2 (b)", "row 3 (c)", "row 4 (d)", "row 5 (e)", "row 7 (f)", "row 8 (g)"),
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "b.parquet: is empty"),
        (b"PAR1 and nothing more", "b.parquet: is cut short: a Parquet file ends in PAR1"),
        (b"just text", "b.parquet: is not Parquet"),
        (b"version https://git-lfs.github.com/spec/v1\n", "b.parquet: is a pointer of Git LFS, not the file itself"),
    ],
)
def test_what_is_no_parquet_is_one_fault(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "b.parquet").write_bytes(content)

    [fault] = faults_of(tmp_path / "b.parquet")

    assert fault.startswith(said)


def test_a_stream_that_is_cut_is_a_fault_and_not_a_shorter_data_set(tmp_path: Path) -> None:
    file = saved(tmp_path / "set", [row("a"), row("b")]) / "data-00000-of-00001.arrow"
    file.write_bytes(file.read_bytes()[:-8])

    [fault] = faults_of(tmp_path / "set")

    assert fault == "row 1: data-00000-of-00001.arrow cannot be read from here on: it is cut short, or no Arrow stream"


def test_rows_behind_the_end_of_a_stream_are_a_fault_and_not_left_out(tmp_path: Path) -> None:
    file = saved(tmp_path / "set", [row("a"), row("b")]) / "data-00000-of-00001.arrow"
    file.write_bytes(file.read_bytes() * 2)

    [fault] = faults_of(tmp_path / "set")

    assert fault.startswith("row 3: data-00000-of-00001.arrow cannot be read from here on: ")
    assert "behind the end of its stream" in fault


def test_a_turn_of_magicbrush_without_a_numbered_output_is_a_fault(tmp_path: Path) -> None:
    path = magicbrush(tmp_path, [{"input": "9-input.png", "output": "9.png", "instruction": "x"}, 7])  # type: ignore[list-item]
    first = (path / "edit_turns.json").read_bytes().index(b"{")

    assert faults_of(path) == [
        f"turn 1 at byte {first}: output: expected a name such as 123-output1.png",
        f"turn 2 after byte {first}: expected an object, found a number",
    ]


@pytest.mark.parametrize("name", ["b.parquet", "set"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10**6), byte=st.integers(0, 255))
def test_a_damaged_file_gives_samples_or_faults(
    tmp_path_factory: pytest.TempPathFactory, name: str, place: int, byte: int
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    path = written(folder, [row("a"), row("b")]) if name == "b.parquet" else saved(folder / name, [row("a"), row("b")])
    file = path if path.is_file() else path / "data-00000-of-00001.arrow"
    content = bytearray(file.read_bytes())
    content[place % len(content)] = byte
    file.write_bytes(content)

    try:
        found = items(path)
    except FarmError:
        return
    assert all(isinstance(one, Sample | Fault) for one in found)
