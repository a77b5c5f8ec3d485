"""Which files of a repository make which split of which subset: by cards and names as they are found on the Hub."""

from __future__ import annotations

from typing import Any

import pytest

from producer.benchmark.hub.files import default_subset, subsets_of

FILES = ["README.md", "cn/test-00000-of-00001.parquet", "en/test-00000-of-00001.parquet"]


def listed(data_files: Any, **others: Any) -> dict[str, Any]:
    return {"configs": [{"config_name": "one", "data_files": data_files, **others}]}


@pytest.mark.parametrize(
    ("data_files", "found"),
    [
        ("en/*", {"train": ["en/test-00000-of-00001.parquet"]}),
        (["en/*", "cn/*"], {"train": ["en/test-00000-of-00001.parquet", "cn/test-00000-of-00001.parquet"]}),
        ({"dev": "./en/test-*"}, {"dev": ["en/test-00000-of-00001.parquet"]}),
        ([{"split": "dev", "path": ["en/t*", "cn/t*"]}], {"dev": [FILES[2], FILES[1]]}),
        ("**/more.parquet", {"train": ["en/deep/more.parquet"]}),
        ("en/**", {"train": ["en/test-00000-of-00001.parquet", "en/deep/more.parquet"]}),
        ("en/tes.-00000-of-00001.parquet", None),
        ("en/test-0000?-of-00001.parquet", {"train": ["en/test-00000-of-00001.parquet"]}),
    ],
)
def test_a_card_says_the_files_of_a_split_by_patterns(data_files: Any, found: Any) -> None:
    files = ["cn/test-00000-of-00001.parquet", "en/test-00000-of-00001.parquet", "en/deep/more.parquet"]

    assert subsets_of(files, listed(data_files)).get("one") == found


def test_a_star_stays_in_its_folder() -> None:
    assert subsets_of(["a.csv", "deep/b.csv"], listed("*.csv")) == {"one": {"train": ["a.csv"]}}


def test_a_folder_of_a_subset_is_where_its_patterns_begin_and_else_divided_by_names() -> None:
    assert subsets_of(FILES, listed("test-*", data_dir="en")) == {"one": {"train": [FILES[2]]}}
    assert subsets_of(FILES, listed(None, data_dir="cn/")) == {"one": {"test": [FILES[1]]}}


def test_without_a_card_folders_are_subsets_and_names_are_splits() -> None:
    assert subsets_of(FILES[:3], {}) == {"cn": {"test": [FILES[1]]}, "en": {"test": [FILES[2]]}}
    assert subsets_of(["data/dev.parquet"], {"configs": "none"}) == {"default": {"dev": ["data/dev.parquet"]}}
    assert subsets_of(["train/a.parquet", "test/b.parquet"], {}) == {
        "default": {"train": ["train/a.parquet"], "test": ["test/b.parquet"]}
    }


def test_the_hubs_own_parquet_is_by_subset_and_split_of_which_some_are_a_part_only() -> None:
    files = ["en/train/0000.parquet", "en/train/0001.parquet", "cn/partial-test/0000.parquet"]

    assert subsets_of(files, {}) == {"en": {"train": files[:2]}, "cn": {"test": files[2:]}}


def test_a_subset_is_meant_without_a_name_where_the_card_says_so_or_it_has_none() -> None:
    card = {"configs": [{"config_name": "en"}, {"config_name": "cn", "default": True}]}

    assert default_subset(card, ["en", "cn"]) == "cn"
    assert default_subset({}, ["default", "en"]) == "default"
    assert default_subset({}, ["en", "cn"]) is None
