"""The original layout: what of a file becomes which sample."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from producer.benchmark import open_benchmark
from producer.benchmark.formats.original import Original
from producer.benchmark.from_records import RecordBenchmark
from producer.benchmark.sample import Sample
from tests.factories import original_file, pair, png
from tests.producer.benchmark.formats.original_files import begins, samples_of, with_pairs


def shapes(path: Path) -> list[tuple[str, str]]:
    return [(sample.category, sample.key) for sample in samples_of(path)]


# -- what is read ------------------------------------------------------------------------------------------------------


def test_a_pair_becomes_a_sample_with_its_image_bytes(tmp_path: Path) -> None:
    path = with_pairs(tmp_path, pair("p-1", original_description="一个方块", edit_instruction="让它变亮"))

    (sample,) = samples_of(path)

    assert sample == Sample(
        place=f"categories[0].pairs[0] at byte {begins(path, 'p-1')} (p-1)",
        key="p-1",
        category="物理",
        instruction="让它变亮",
        description="一个方块",
        source=png(),
        reference=None,
    )


def test_categories_in_a_list_are_read_in_their_order(tmp_path: Path) -> None:
    content = {
        "categories": [
            {"name": "物理", "pairs": [pair("a"), pair("b")]},
            {"name": "社会", "pairs": []},
            {"name": "因果", "pairs": [pair("c")]},
        ]
    }

    path = original_file(tmp_path, content)

    assert shapes(path) == [("物理", "a"), ("物理", "b"), ("因果", "c")]


@pytest.mark.parametrize("wrap", [lambda pairs: pairs, lambda pairs: {"pairs": pairs}], ids=["list", "object"])
def test_categories_may_be_keyed_by_name(tmp_path: Path, wrap: Any) -> None:
    path = original_file(tmp_path, {"categories": {"物理": wrap([pair("a"), pair("b")]), "社会": wrap([pair("c")])}})

    assert shapes(path) == [("物理", "a"), ("物理", "b"), ("社会", "c")]
    assert [sample.place for sample in samples_of(path)][1:] == [
        f"categories['物理'].pairs[1] at byte {begins(path, 'b')} (b)",
        f"categories['社会'].pairs[0] at byte {begins(path, 'c')} (c)",
    ]


def test_a_category_may_be_named_behind_its_pairs(tmp_path: Path) -> None:
    path = original_file(
        tmp_path, {"categories": [{"pairs": [pair("a")], "name": "物理"}, {"pairs": [pair("b")], "name": "社会"}]}
    )

    assert shapes(path) == [("物理", "a"), ("社会", "b")]


@pytest.mark.parametrize("name", ["v1.0", "a.pairs.item", "item", "pairs", "categories.item", "'"])
def test_a_keyed_category_may_be_called_anything(tmp_path: Path, name: str) -> None:
    path = original_file(tmp_path, {"categories": {name: {"pairs": [pair("p")]}, "a": [pair("q")]}})

    assert shapes(path) == [(name, "p"), ("a", "q")]


def test_only_pairs_of_a_category_are_samples(tmp_path: Path) -> None:
    category = {"item": pair("no sample"), "pairs": [pair("a")], "notes": {"pairs": [pair("no sample")]}}

    path = original_file(tmp_path, {"notes": {"pairs": [1]}, "categories": {"物理": category}, "more": [1]})

    assert shapes(path) == [("物理", "a")]


def test_names_and_texts_lose_the_space_around_them(tmp_path: Path) -> None:
    path = original_file(
        tmp_path, {"categories": [{"name": " 物理\n", "pairs": [pair(" p ", edit_instruction=" 变亮 ")]}]}
    )

    (sample,) = samples_of(path)

    assert (sample.category, sample.key, sample.instruction) == ("物理", "p", "变亮")


def test_a_numeric_pair_id_is_read_as_text(tmp_path: Path) -> None:
    path = with_pairs(tmp_path, {**pair("x"), "pair_id": 17})

    assert shapes(path) == [("物理", "17")]


def test_pair_ids_may_recur_in_another_category(tmp_path: Path) -> None:
    path = original_file(tmp_path, {"categories": {"物理": [pair("p")], "社会": [pair("p")]}})

    assert shapes(path) == [("物理", "p"), ("社会", "p")]


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(lambda text: f"data:image/png;base64,{text}", id="data URL"),
        pytest.param(lambda text: "\r\n".join(text[at : at + 76] for at in range(0, len(text), 76)), id="wrapped"),
        pytest.param(lambda text: f" {text}\n", id="space around"),
    ],
)
def test_base64_comes_in_several_spellings(tmp_path: Path, written: Any) -> None:
    text = base64.b64encode(png()).decode()

    (sample,) = samples_of(with_pairs(tmp_path, pair("p", original_image_b64=written(text))))

    assert sample.source == png()


def test_an_image_may_be_a_path_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "图").mkdir()
    (tmp_path / "图" / "一.png").write_bytes(png(colour="red"))

    (sample,) = samples_of(with_pairs(tmp_path, pair("p", original_image_b64=None, original_image="图/一.png")))

    assert sample.source == png(colour="red")


def test_a_link_that_stays_in_the_folder_may_be_followed(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png())
    (tmp_path / "link.png").symlink_to("a.png")

    (sample,) = samples_of(with_pairs(tmp_path, pair("p", original_image_b64=None, original_image="link.png")))

    assert sample.source == png()


def test_a_reference_image_comes_in_base64_or_by_path(tmp_path: Path) -> None:
    (tmp_path / "red.png").write_bytes(png(colour="red"))
    blue = base64.b64encode(png(colour="blue")).decode()

    first, second = samples_of(
        with_pairs(tmp_path, pair("p", reference_image="red.png"), pair("q", reference_image_b64=blue))
    )

    assert (first.reference, second.reference) == (png(colour="red"), png(colour="blue"))


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    path = original_file(tmp_path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())

    assert shapes(path) == [("物理", "p-0"), ("物理", "p-1")]


def test_the_benchmark_is_called_by_its_name_or_else_by_its_file(tmp_path: Path) -> None:
    assert open_benchmark(original_file(tmp_path)).name == "benchmark"
    assert open_benchmark(original_file(tmp_path, {"name": " 评测 ", "categories": []})).name == "评测"
    assert open_benchmark(original_file(tmp_path, {"categories": [], "name": "behind"})).name == "behind"
    assert open_benchmark(original_file(tmp_path, {"name": 5, "categories": []})).name == "benchmark"


def test_the_file_can_be_read_again(tmp_path: Path) -> None:
    benchmark = open_benchmark(original_file(tmp_path))

    assert list(benchmark) == list(benchmark) != []


# -- memory ------------------------------------------------------------------------------------------------------------


def test_the_reader_of_a_json_file_is_the_original_layouts(tmp_path: Path) -> None:
    path = original_file(tmp_path).rename(tmp_path / "B.JSON")

    opened = open_benchmark(path)

    assert isinstance(opened, RecordBenchmark)
    assert isinstance(opened.records, Original)
