"""Which reader and layout a file takes, by what is in it; what is said where that is not clear, or was said wrongly."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from db.errors import BenchmarkInvalid, WrongCall
from producer.benchmark import open_benchmark
from producer.benchmark.formats.csv_table import CsvTable
from producer.benchmark.formats.json_lines import JsonLines
from producer.benchmark.formats.json_records import JsonRecords
from producer.benchmark.formats.original import Original
from producer.benchmark.how import HowToRead
from producer.benchmark.layouts.public import LAYOUTS
from tests.factories import original_file, pair, write_images
from tests.producer.benchmark.reading import faults_in, samples_in

PLAIN = {"key": "p", "category": "a", "instruction": "x", "image": "1.png"}
SEVERAL = "its columns are those of several layouts; --format says which: "


def file(folder: Path, content: Any, name: str = "benchmark") -> Path:
    path = folder / name
    if isinstance(content, str | bytes):
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    else:
        path.write_text(json.dumps(content))
    return path


# -- files by their content --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "reader"),
    [
        ([PLAIN], JsonRecords),
        ({"p": PLAIN}, JsonRecords),
        ({"first": {"odd": 1}, "second": PLAIN}, JsonRecords),
        ({"about": "whatever", "p": PLAIN}, JsonRecords),
        (PLAIN, JsonLines),
        (f"\n\n  {json.dumps(PLAIN)}\n{json.dumps(PLAIN)}", JsonLines),
        ({"categories": [], "p": PLAIN}, Original),
        ({"categories": {"a": [pair("p")]}}, Original),
        ({"name": "x", "notes": {"a": 1}, "categories": []}, Original),
        ("key,category,instruction,image\n", CsvTable),
        ("key;category\n", CsvTable),
        ("key\tcategory\n", CsvTable),
        ("{", Original),
        ("[", JsonRecords),
        ('{"p": {"instruction": "x"', Original),  # which says where it breaks off
        ('{"p": {"instruction": "x"}, "q": {', JsonRecords),
    ],
)
def test_the_reader_is_chosen_by_the_content_where_the_name_says_nothing(
    tmp_path: Path, content: Any, reader: type
) -> None:
    for name in ("benchmark", "benchmark.txt"):
        assert isinstance(open_benchmark(file(tmp_path, content, name), HowToRead(layout="plain")).records, reader)


@pytest.mark.parametrize("content", ["make it rain", b"\0\1,\0", b"", b"\x89PNG\r\n\x1a\n", "# a\n"])
def test_what_no_reader_takes_is_told_what_is_expected(tmp_path: Path, content: str | bytes) -> None:
    said = r"no reader for this kind of file; expected a folder, \.json, \.jsonl, \.ndjson, \.csv, \.tsv or \.parquet$"

    with pytest.raises(BenchmarkInvalid, match=said):
        open_benchmark(file(tmp_path, content))


@pytest.mark.parametrize(
    ("content", "wrong"),
    [(b"\x1f\x8b\x08\0", r"is compressed \(gzip\); unpack it first"), (b"\xff\xfe{\0", "is UTF-16, as byte 0")],
)
def test_a_file_that_is_no_text_is_told_what_it_is(tmp_path: Path, content: bytes, wrong: str) -> None:
    with pytest.raises(BenchmarkInvalid, match=f"benchmark.jsonl.gz: {wrong}"):
        open_benchmark(file(tmp_path, content, "benchmark.jsonl.gz"))


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")

    with pytest.raises(BenchmarkInvalid, match=r"pipe.json: cannot be read: Is no regular file"):
        open_benchmark(tmp_path / "pipe.json")


# -- layouts by their columns ------------------------------------------------------------------------------------------

RISE = {"index": "temporal_reasoning_1", "category": "temporal_reasoning", "instruction": "x", "image": "1.png"}
KRIS = {"key": "k", "image_id": "1", "category": "biology", "ori_img": ["1.png"], "ins_en": "x"}


@pytest.mark.parametrize(
    ("record", "layout"),
    [
        (PLAIN, "plain"),
        (pair("p", category="a"), "plain"),
        (RISE, "rise"),
        (KRIS, "kris"),
        ({"key": "k", "task": "hybrid", "instruction": "x", "source_image": "1.png"}, "gedit-v2"),
        (
            {"img_id": "1", "turn_index": 1, "source_img": "1.png", "target_img": "1.png", "instruction": "x"},
            "magicbrush",
        ),
    ],
)
@pytest.mark.parametrize("name", ["b.jsonl", "b.json"])
def test_a_layout_is_known_by_its_columns(tmp_path: Path, record: dict[str, Any], layout: str, name: str) -> None:
    write_images(tmp_path, "1.png")

    path = file(tmp_path, json.dumps(record) if name == "b.jsonl" else [record], name)

    assert open_benchmark(path).layout_name == layout
    assert len(samples_in(path)) == 1


def test_a_file_that_a_public_layout_and_our_own_both_fit_is_not_guessed_at(tmp_path: Path) -> None:
    """As RISEBench, its key would be the number in `index`, and its reference image would be left out."""
    write_images(tmp_path, "1.png", "2.png")
    record = PLAIN | {"index": "17", "reference_image": "2.png"}
    path = file(tmp_path, [record], "b.json")

    with pytest.raises(BenchmarkInvalid, match=f"{SEVERAL}rise, plain$"):
        open_benchmark(path)

    [as_plain], [as_rise] = samples_in(path, layout="plain"), samples_in(path, layout="rise")
    assert (as_plain.key, as_plain.reference is None) == ("p", False)
    assert (as_rise.key, as_rise.reference is None) == ("17", True)


def test_a_file_that_two_public_layouts_fit_equally_is_not_guessed_at(tmp_path: Path) -> None:
    record = RISE | {"key": "k", "task": "t", "source_image": "1.png"}
    del record["category"], record["image"]
    both = record | {"category": "c", "image": "1.png"}

    with pytest.raises(BenchmarkInvalid, match=f"{SEVERAL}gedit-v2, rise, plain$"):
        open_benchmark(file(tmp_path, [both], "b.json"))
    assert open_benchmark(file(tmp_path, [record], "b.json")).layout_name == "gedit-v2"


def test_columns_that_no_layout_has_are_listed(tmp_path: Path) -> None:
    path = file(tmp_path, "id;text;picture\n1;x;1.png\n", "b.csv")

    with pytest.raises(BenchmarkInvalid) as caught:
        open_benchmark(path)

    assert str(caught.value) == (
        f"{path}: no known layout has its columns (id, text, picture); say which with --format NAME "
        f"({', '.join(LAYOUTS)}), or where things are with --column PART=COLUMN"
    )


def test_of_very_many_columns_the_first_are_listed(tmp_path: Path) -> None:
    path = file(tmp_path, [{f"c{number}": 1 for number in range(1000)}], "b.json")

    with pytest.raises(BenchmarkInvalid, match=r"\(c0, .*, c19, \.\.\.\)"):
        open_benchmark(path)


# -- what a person says ------------------------------------------------------------------------------------------------


def test_columns_may_be_named_by_hand(tmp_path: Path) -> None:
    images = write_images(tmp_path / "pictures", "1.png", "2.png")
    path = file(tmp_path, "nr;text;picture;after\n1;make it rain;1.png;2.png\n2;make it snow;2.png;\n", "b.csv")
    columns = {"key": "#", "category": ":weather", "instruction": "text", "source": "picture", "reference": "after"}

    first, second = samples_in(path, columns=columns, images=tmp_path / "pictures")

    assert [(one.key, one.category, one.instruction) for one in (first, second)] == [
        ("1", "weather", "make it rain"),
        ("2", "weather", "make it snow"),
    ]
    assert (first.source, first.reference) == (images["1.png"], images["2.png"])
    assert (second.source, second.reference) == (images["2.png"], None)


def test_a_key_may_be_composed_of_columns(tmp_path: Path) -> None:
    write_images(tmp_path, "1.png")
    path = file(tmp_path, [PLAIN | {"turn": 2}], "b.json")

    [sample] = samples_in(path, columns={"key": "={key}-{turn}"})

    assert sample.key == "p-2"


@pytest.mark.parametrize("name", ["b.jsonl", "b.csv"])
def test_a_column_that_no_record_has_is_said_once_at_the_end(tmp_path: Path, name: str) -> None:
    write_images(tmp_path, "1.png")
    lines = "\n".join([json.dumps(PLAIN | {"key": str(number)}) for number in range(3)])
    table = "key,category,instruction,image\n" + "".join(f"{number},a,x,1.png\n" for number in range(3))
    path = file(tmp_path, lines if name == "b.jsonl" else table, name)

    assert faults_in(path, columns={"description": "notes"}) == [
        "--column description=notes: no record has a column 'notes'"
    ]


def test_a_column_whose_cells_are_all_empty_is_there(tmp_path: Path) -> None:
    write_images(tmp_path, "1.png")
    path = file(tmp_path, "key,category,instruction,image,notes\np,a,x,1.png,\n", "b.csv")

    [sample] = samples_in(path, columns={"description": "notes"})

    assert sample.description is None


def test_another_layout_than_the_files_is_a_fault_of_every_record_and_says_what_it_looked_for(tmp_path: Path) -> None:
    write_images(tmp_path, "1.png")
    path = file(tmp_path, [PLAIN, PLAIN | {"key": "q"}], "b.json")

    faults = faults_in(path, layout="kris")

    assert [fault.split(": ", 1)[1] for fault in faults] == [
        "no image: looked for ori_img; --column source=NAME names another column"
    ] * 2


def test_a_file_of_the_first_scripts_may_be_asked_for_by_name(tmp_path: Path) -> None:
    assert len(samples_in(original_file(tmp_path), layout="original")) == 2
    assert faults_in(file(tmp_path, [PLAIN], "b.json"), layout="original") == [
        "categories: missing; expected a list of categories, or an object keyed by their names"
    ]


def test_images_must_be_a_folder(tmp_path: Path) -> None:
    path = original_file(tmp_path)

    for wrong in (tmp_path / "gone", path):
        with pytest.raises(WrongCall, match=rf"--images {wrong}: is no folder"):
            open_benchmark(path, HowToRead(images=wrong))


def test_a_file_has_no_splits(tmp_path: Path) -> None:
    path = original_file(tmp_path)

    with pytest.raises(WrongCall, match=rf"--split train: {path} is one file, which has no splits"):
        open_benchmark(path, HowToRead(split="train"))


@pytest.mark.parametrize("mark", ["edit_turns.json", "a/annotation.json"])
def test_a_folder_that_is_one_split_has_no_others(tmp_path: Path, mark: str) -> None:
    (tmp_path / mark).parent.mkdir(exist_ok=True)
    (tmp_path / mark).write_text("[]")

    with pytest.raises(WrongCall, match=rf"--split train: the folder {tmp_path} is one split already"):
        open_benchmark(tmp_path, HowToRead(split="train"))


def test_a_folder_of_no_known_layout_is_told_what_is_expected(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(b"")

    with pytest.raises(
        BenchmarkInvalid, match=r"metadata.jsonl or metadata.csv \(an image folder\), .* annotation.json"
    ):
        open_benchmark(tmp_path)
