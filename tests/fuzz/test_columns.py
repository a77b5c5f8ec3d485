"""Benchmarks read by what a person says of them, whatever that is: accepted, or refused in clean lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.errors import BenchmarkInvalid, WrongCall
from producer.benchmark import open_benchmark
from producer.benchmark.check import check_benchmark
from producer.benchmark.how import HowToRead, columns_by_part
from producer.benchmark.layouts.layout import PARTS
from producer.benchmark.layouts.public import LAYOUTS
from tests.fuzz.formats import FORMATS
from tests.fuzz.mutator import FUZZ_INPUTS
from tests.fuzz.taken import Taken, check, require_clean

NAMES = (
    *("key", "id", "category", "instruction", "prompt", "edit_type", "image", "images", "ori_img", "ins_en", "index"),
    *("#", "#key", "#folder", "img_id", "source_img", "reference_image", "file_name", "frame", "image_b64"),
)
"""Columns that one format or another has."""

_ODD = st.text(max_size=12) | st.sampled_from(["\x1b[2J", "\u202e", "\ud800", "a\0b", "n" * 3000, " ", "", "="])
_BRACED = st.lists(st.one_of(st.sampled_from([f"{{{name}}}" for name in NAMES]), _ODD), max_size=4).map("".join)
_COLUMN = st.one_of(
    st.sampled_from(NAMES), st.sampled_from(NAMES), _ODD, _ODD.map(":{}".format), _BRACED.map("={}".format)
)
_GIVEN = st.dictionaries(st.sampled_from(PARTS), _COLUMN, max_size=4).map(
    lambda columns: [f"{part}={column}" for part, column in columns.items()]
)
_ANYTHING = st.lists(st.one_of(_ODD, st.sampled_from([f"{part}=" for part in PARTS])), max_size=3)
_LAYOUT = st.none() | st.sampled_from(list(LAYOUTS))
_SPLIT = st.none() | st.none() | st.sampled_from(["train", "test", "validation", "\x1b[2J", "\ud800", "..", ""])

_MANY = settings(
    max_examples=max(10, FUZZ_INPUTS // 30),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A good benchmark of each format."""
    found = {}
    for name, one in FORMATS.items():
        found[name], file = one.lay_out(tmp_path_factory.mktemp("columns") / "benchmark")
        file.write_bytes(one.contents[-1])
    return found


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Taken]:
    taken = Taken(tmp_path_factory.mktemp("farm"))
    yield taken
    taken.engine.dispose()


def how_to_read(columns: list[str], layout: str | None, split: str | None) -> HowToRead | None:
    """Return what was said; None where it is refused, which must be in a clean line."""
    try:
        return HowToRead(layout=layout, columns=columns_by_part(columns), split=split)
    except WrongCall as refused:
        require_clean(refused)
        return None


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", FORMATS)
@_MANY
@given(columns=st.one_of(_GIVEN, _GIVEN, _GIVEN, _ANYTHING), layout=_LAYOUT, split=_SPLIT)
def test_columns_of_any_names_are_accepted_or_refused(
    name: str, opened: dict[str, Path], farm: Taken, columns: list[str], layout: str | None, split: str | None
) -> None:
    how = how_to_read(columns, layout, split)
    if how is not None:
        assert farm.tries(opened[name], how) == check(opened[name], how)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["key=" + "n" * 201], "n: a column's name has 200 characters at most"),
        (["n" * 6000], ": expected PART=COLUMN, where PART is one of "),
        (["key=a", "key=" + "={a}" * 2000], "}: key was given before, as a"),
    ],
)
def test_a_long_column_leaves_room_for_what_is_wrong_with_it(given: list[str], said: str) -> None:
    with pytest.raises(WrongCall) as refused:
        columns_by_part(given)

    assert said in str(refused.value)
    assert len(str(refused.value)) < 400


def test_a_long_template_leaves_room_for_what_is_wrong_with_it(opened: dict[str, Path]) -> None:
    how = HowToRead(columns={"instruction": "=" + "{instruction} " * 4000})

    with pytest.raises(BenchmarkInvalid) as refused:
        check_benchmark(open_benchmark(opened["tsv"], how))

    assert refused.value.faults[0].endswith("characters; at most 20,000 are taken")
