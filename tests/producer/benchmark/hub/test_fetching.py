"""A data set on the Hub: what of it is fetched and read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from db.errors import BenchmarkInvalid, WrongCall
from producer.benchmark import open_benchmark
from producer.benchmark.check import check_benchmark
from producer.benchmark.hub.fetching import CONVERTED
from producer.benchmark.sample import Sample
from tests.factories import png
from tests.producer.benchmark.formats.test_datasets import row, saved
from tests.producer.benchmark.hub.data_sets import TEST, TRAIN, keys, lines, opened, parquet, samples
from tests.producer.benchmark.hub.hub_server import Hub, commit_of

TWO_SUBSETS = b"""---
configs:
- config_name: en
  data_files: english/*.parquet
- config_name: cn
  data_files: [{split: dev, path: chinese/*}]
---
"""


def test_of_parquet_only_the_split_is_fetched_and_bytes_are_kept_as_they_are(hub: Hub) -> None:
    image = png() + b"what no encoder would write"
    hub.add("o/set", {TRAIN: parquet("a", image={"bytes": image, "path": None}), TEST: parquet("b")})

    [sample] = samples(split="train")

    assert (sample.key, sample.category, sample.source) == ("a", "remove", image)
    assert hub.fetched() == [TRAIN]


def test_the_commit_is_in_the_name_in_full_and_can_be_asked_for_again(hub: Hub) -> None:
    hosted = hub.add("o/set", {TRAIN: parquet("old"), TEST: parquet("x")})
    old = opened(split="train").name
    new = hosted.push("new", {TRAIN: parquet("new")})

    assert old == f"o/set@{commit_of('o/set')} train"
    assert opened().name == f"o/set@{new}"
    assert keys() == ["new"]
    assert keys(f"hf://{old.removesuffix(' train')}", split="train") == ["old"]


def test_a_revision_may_be_a_tag_or_a_branch_with_slashes(hub: Hub) -> None:
    hosted = hub.add("o/set", {TRAIN: parquet("new")})
    hosted.push("tagged", {TRAIN: parquet("old")}, "v1.0")
    hosted.push("asked for", {TRAIN: parquet("pull")}, "refs/pr/7")

    assert keys("hf://o/set@v1.0") == ["old"]
    assert keys("hf://datasets/o/set@refs/pr/7") == ["pull"]


def test_of_several_subsets_one_must_be_named(hub: Hub) -> None:
    hub.add("o/set", {"README.md": TWO_SUBSETS, "english/1.parquet": parquet("e"), "chinese/1.parquet": parquet("c")})

    with pytest.raises(WrongCall, match="say which subset with --subset; there are: cn, en"):
        opened()
    assert keys(subset="en") == ["e"]
    assert keys(subset="cn", split="dev") == ["c"]
    assert opened(subset="cn", split="dev").name == f"o/set@{commit_of('o/set')} cn dev"


@pytest.mark.parametrize(
    ("how", "complaint"),
    [
        ({"split": "dev"}, "no split 'dev'; there are: test, train"),
        ({"subset": "dev"}, "no subset 'dev'; there are: default"),
        ({}, "say which split with --split; there are: test, train"),
    ],
)
def test_what_a_data_set_does_not_have_is_not_looked_for_in_the_hubs_own_parquet(
    hub: Hub, how: dict[str, str], complaint: str
) -> None:
    hosted = hub.add("o/set", {TRAIN: parquet("a"), TEST: parquet("b")})
    hosted.push("converted", {"dev/dev/0000.parquet": parquet("c")}, CONVERTED)

    with pytest.raises(WrongCall, match=complaint):
        opened(**how)


def test_of_what_is_in_no_form_that_is_read_the_hubs_own_parquet_is(hub: Hub) -> None:
    hosted = hub.add("o/set", {"rows.tar": b""})
    converted = {"default/train/0000.parquet": parquet("a"), "default/train/0001.parquet": parquet("b")}
    commit = hosted.push("converted", converted, CONVERTED)

    assert keys() == ["a", "b"]
    assert opened().name == f"o/set@{commit}"
    with pytest.raises(BenchmarkInvalid, match="holds no Parquet"):
        opened("hf://o/set@main")  # what was converted is of the main branch as it is now


def test_a_part_that_the_hub_has_converted_is_not_taken_for_all(hub: Hub) -> None:
    hosted = hub.add("o/set", {"rows.tar": b""})
    hosted.push("converted", {"default/partial-train/0000.parquet": parquet("a")}, CONVERTED)

    with pytest.raises(BenchmarkInvalid, match="its first rows only"):
        opened(split="train")


def test_a_data_set_that_cannot_be_read_says_how_to_fetch_it(hub: Hub) -> None:
    hub.add("o/set", {"rows.tar": b""})

    with pytest.raises(BenchmarkInvalid, match="hf download o/set --repo-type dataset --local-dir FOLDER"):
        opened()


def test_of_an_image_folder_only_the_images_of_the_splits_rows_are_fetched(hub: Hub) -> None:
    table = b"file_name,category,instruction\nsub/1.png,c,make it rain\n"
    images = {"test/sub/1.png": png(colour="red"), "test/2.png": png(), "train/sub/1.png": png(colour="navy")}
    hub.add("o/set", {"train/metadata.csv": table + b"\n", "test/metadata.csv": table, **images})

    [sample] = samples(split="test")

    assert (sample.key, sample.source) == ("test/sub/1", png(colour="red"))
    assert hub.fetched() == ["test/metadata.csv", "test/sub/1.png", "train/metadata.csv"]
    with pytest.raises(WrongCall, match="no subset 'x'; it has none; leave --subset out"):
        opened(split="test", subset="x")


def test_of_metadata_that_a_card_gives_to_a_subset_no_other_is_read(hub: Hub) -> None:
    card = b"---\nconfigs: [{config_name: a, data_dir: a, data_files: '**'}, {config_name: b, data_files: b/**}]\n---\n"
    rows = {name: {"file_name": "i.png", "category": name, "instruction": "i"} for name in "ab"}
    files = {f"{name}/metadata.jsonl": lines(row) for name, row in rows.items()}
    hub.add("o/set", {"README.md": card, **files, "a/i.png": png(), "b/i.png": png()})

    assert [[sample.category for sample in samples(subset=name)] for name in "ab"] == [["a"], ["b"]]


def gedit_v2(key: str) -> dict[str, Any]:
    source, edited = (f"./images/{folder}/{key}.png" for folder in ("source", "edited/M"))
    candidates = [{"model": "M", "image": edited}]
    return {"key": key, "task": "hybrid", "instruction": "i", "source_image": source, "candidates": candidates}


def test_gedit_bench_v2_is_read_without_other_peoples_edits(hub: Hub) -> None:
    names = [f"images/{folder}/{key}.png" for folder in ("source", "edited/M") for key in "ab"]
    images = {name: png(width=8 + number) for number, name in enumerate(names)}  # alike, one would be fetched for both
    hub.add("o/set", {"metadata.jsonl": lines(gedit_v2("a"), gedit_v2("b")), **images})

    benchmark = opened()

    assert benchmark.layout_name == "gedit-v2"
    assert keys() == ["a", "b"]
    assert hub.fetched() == ["images/source/a.png", "images/source/b.png", "metadata.jsonl"]


def test_gedit_bench_v2_is_read_as_a_folder_too_and_nothing_is_said_of_its_edits(tmp_path: Path) -> None:
    for folder in ("source", "edited/M"):
        (tmp_path / "images" / folder).mkdir(parents=True)
        (tmp_path / "images" / folder / "a.png").write_bytes(png())
    (tmp_path / "metadata.jsonl").write_bytes(lines(gedit_v2("a")))

    benchmark = open_benchmark(tmp_path)

    assert [item.key for item in benchmark if isinstance(item, Sample)] == ["a"]
    assert list(benchmark.remarks()) == []


def test_a_saved_data_set_is_fetched_by_its_split(hub: Hub, tmp_path: Path) -> None:
    for split in ("train", "test"):
        saved(tmp_path / "set" / split, [row(split)])
    (tmp_path / "set" / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    files = [file for file in (tmp_path / "set").rglob("*") if file.is_file()]
    hub.add("o/set", {file.relative_to(tmp_path).as_posix(): file.read_bytes() for file in files})

    assert keys(split="test") == ["test"]
    assert "set/train/data-00000-of-00001.arrow" not in hub.fetched()


def test_a_row_leads_to_no_file_outside_of_its_data_set(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(png())
    row = {"file_name": "../" * 5 + "secret.png", "category": "c", "instruction": "i"}
    hub.add("o/set", {"metadata.jsonl": lines(row)})

    [fault] = opened()

    assert "lies outside the benchmark's folder" in str(fault)


def test_an_image_that_the_repository_lacks_is_its_rows_fault(hub: Hub) -> None:
    hub.add("o/set", {"metadata.jsonl": lines({"file_name": "1.png", "category": "c", "instruction": "i"})})

    [fault] = opened()

    assert str(fault) == "line 1 (1): image: '1.png' cannot be read: No such file or directory"


def test_parquet_that_is_cut_short_is_a_fault_of_the_benchmark(hub: Hub) -> None:
    hub.add("o/set", {TRAIN: parquet("a")[:-9]})

    with pytest.raises(BenchmarkInvalid) as caught:
        check_benchmark(opened())
    assert caught.value.faults == (f"{TRAIN}: is cut short: a Parquet file ends in PAR1",)
