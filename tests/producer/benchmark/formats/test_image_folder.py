"""Image folders with metadata beside the images: what is read, by which split, and all that is wrong, at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from db.errors import BenchmarkInvalid, WrongCall
from producer.benchmark import open_benchmark
from producer.benchmark.how import HowToRead
from producer.benchmark.sample import Sample
from tests.factories import write_images
from tests.producer.benchmark.reading import CUT_SHORT, SAID_OF_CUT_SHORT, faults_in, samples_in


def metadata(folder: Path, *rows: dict[str, Any], name: str = "metadata.jsonl") -> Path:
    """Write the rows beside their images; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def row(file_name: Any = "1.png", **fields: Any) -> dict[str, Any]:
    return {"file_name": file_name, "category": "物理", "instruction": "make it rain", **fields}


def remarks_on(path: Path) -> list[str]:
    benchmark = open_benchmark(path)
    assert list(benchmark)
    return list(benchmark.remarks())


# -- whole -------------------------------------------------------------------------------------------------------------


def test_metadata_in_json_lines_names_images_in_its_folder_and_below(tmp_path: Path) -> None:
    images = write_images(tmp_path / "set", "1.png", "sub/2 b.png", "r.png")
    path = metadata(tmp_path / "set", row(reference_image_file_name="r.png"), row("sub/2 b.png", key="own"))

    assert samples_in(path) == [
        Sample("line 1 (1)", "1", "物理", "make it rain", None, images["1.png"], images["r.png"]),
        Sample("line 2 (own)", "own", "物理", "make it rain", None, images["sub/2 b.png"], None),
    ]
    assert open_benchmark(path).name == "set"


def test_metadata_in_csv_is_read_likewise(tmp_path: Path) -> None:
    images = write_images(tmp_path, "1.png", "2.png")
    (tmp_path / "metadata.csv").write_text(
        "file_name,category,instruction,reference_image_file_name\n1.png,a,make it rain,2.png\n2.png,b,make it snow,\n"
    )

    assert samples_in(tmp_path) == [
        Sample("line 2 (1)", "1", "a", "make it rain", None, images["1.png"], images["2.png"]),
        Sample("line 3 (2)", "2", "b", "make it snow", None, images["2.png"], None),
    ]


def test_several_images_of_a_row_are_one_sample(tmp_path: Path) -> None:
    images = write_images(tmp_path, "a.png", "b.png")
    record = {name: value for name, value in row().items() if name != "file_name"}

    [sample] = samples_in(metadata(tmp_path, record | {"file_names": ["a.png", "b.png"]}))

    assert (sample.key, sample.source, sample.more_sources) == ("a", images["a.png"], (images["b.png"],))


def test_the_metadata_of_every_folder_is_read_in_the_order_of_their_paths(tmp_path: Path) -> None:
    for folder in ("b", "a", ".hidden", "__made"):
        write_images(tmp_path / folder, "1.png")
        metadata(tmp_path / folder, row())

    samples = samples_in(tmp_path)

    assert [(one.place, one.key) for one in samples] == [
        ("a/metadata.jsonl line 1 (a/1)", "a/1"),
        ("b/metadata.jsonl line 1 (b/1)", "b/1"),
    ]


@pytest.mark.parametrize(
    ("folder", "split"),
    [("train", "train"), ("Training", "train"), ("dev", "validation"), ("my_val-set", "validation"), ("eval", "test")],
)
def test_a_split_is_known_by_its_folders_name(tmp_path: Path, folder: str, split: str) -> None:
    for name in (folder, "test" if split == "train" else "train"):
        write_images(tmp_path / name, "1.png")
        metadata(tmp_path / name, row())

    assert [one.key for one in samples_in(tmp_path, split=split)] == [f"{folder}/1"]
    assert [one.key for one in samples_in(tmp_path, split=folder)] == [f"{folder}/1"]
    assert open_benchmark(tmp_path, HowToRead(split=split)).name == f"{tmp_path.name} {split}"


def test_a_split_may_be_asked_for_by_any_of_its_names(tmp_path: Path) -> None:
    for name in ("train", "valid"):
        write_images(tmp_path / name, "1.png")
        metadata(tmp_path / name, row())

    assert [one.key for one in samples_in(tmp_path, split="dev")] == ["valid/1"]


def test_of_several_splits_one_must_be_named(tmp_path: Path) -> None:
    for name in ("train", "dev"):
        metadata(tmp_path / name, row())

    with pytest.raises(WrongCall, match=r"say which split with --split; there are: train, validation$"):
        open_benchmark(tmp_path)
    with pytest.raises(WrongCall, match=r"no split 'test'; there are: train, validation$"):
        open_benchmark(tmp_path, HowToRead(split="test"))


def test_metadata_of_no_split_beside_others_is_not_left_out_without_a_word(tmp_path: Path) -> None:
    metadata(tmp_path, row())
    write_images(tmp_path / "train", "1.png")
    metadata(tmp_path / "train", row())

    with pytest.raises(WrongCall, match=r"with --split; there are: train; metadata.jsonl is of none$"):
        open_benchmark(tmp_path)
    assert [one.key for one in samples_in(tmp_path, split="train")] == ["train/1"]


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (["1.png"], []),
        (["1.png", "2.JPG"], ["1 image of the folder is named by no row of its metadata, and left out"]),
        (["1.png", "2.png", "a/3.png", "notes.txt"], ["2 images of the folder are named by no row of its metadata, "]),
    ],
)
def test_images_that_no_row_names_are_remarked_on(tmp_path: Path, images: list[str], said: list[str]) -> None:
    write_images(tmp_path, *images)

    found = remarks_on(metadata(tmp_path, row()))

    assert len(found) == len(said)
    assert all(one.startswith(beginning) for one, beginning in zip(found, said, strict=True))


# -- broken ------------------------------------------------------------------------------------------------------------


def test_every_fault_of_a_broken_folder_is_reported_at_once_at_its_place(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    write_images(folder / "a", "1.png")
    write_images(tmp_path, "secret.png")
    (folder / "a" / "cut.png").write_bytes(CUT_SHORT)
    rows = [
        row(),
        row("cut.png"),
        row("gone.png"),
        row("../../secret.png"),
        row(instruction=""),
        row(image="1.png"),
        row(None),
        row(7),
    ]
    metadata(folder / "a", *rows)
    with (folder / "a" / "metadata.jsonl").open("a") as file:
        file.write('{"file_name": NaN}\n{"file_name": "1.png"\n')
    (folder / "b").mkdir()
    (folder / "b" / "metadata.csv").write_text('file_name,category,instruction\n1.png,a\n,a,b\n../a/1.png,a,"open')

    a, b = "a/metadata.jsonl line", "b/metadata.csv line"
    assert faults_in(folder) == [
        f"{a} 2 (a/cut): source image: {SAID_OF_CUT_SHORT}",
        f"{a} 3 (a/gone): image: 'gone.png' cannot be read: No such file or directory",
        f"{a} 4 (a/../../secret): image: '../../secret.png' lies outside the benchmark's folder",
        f"{a} 5 (a/1): instruction is empty",
        f"{a} 6: column 'file_name' becomes 'image', which there is already",
        f"{a} 7: image is empty",
        f"{a} 8: image: expected a text, found a number",
        f"{a} 9: is not valid JSON: NaN is no value of JSON; expected a number, or null",
        f"{a} 10: is not valid JSON: Expecting ',' delimiter: column 22",
        f"{b} 2: expected 3 cells, as in the header, found 2",
        f"{b} 3: image is empty",
        f"{b} 4: a quote that begins here is not closed before the end of the file",
    ]


def test_a_folder_with_metadata_of_two_kinds_is_refused(tmp_path: Path) -> None:
    metadata(tmp_path / "a", row())
    (tmp_path / "a" / "metadata.csv").write_text("file_name\n")

    with pytest.raises(BenchmarkInvalid, match=r"a: holds metadata.jsonl and metadata.csv; expected one of them"):
        open_benchmark(tmp_path)


def test_metadata_that_is_no_file_is_a_fault_of_it_alone(tmp_path: Path) -> None:
    write_images(tmp_path / "a", "1.png")
    metadata(tmp_path / "a", row())
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "metadata.jsonl").symlink_to("gone")

    assert faults_in(tmp_path) == ["b/metadata.jsonl: cannot be read: No such file or directory"]


def test_images_of_an_image_folder_cannot_lie_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(WrongCall, match=r"--images .*: images of .* lie beside its own files"):
        open_benchmark(metadata(tmp_path, row()), HowToRead(images=tmp_path))
