"""Columns of Arrow with values of any kind, as Parquet and as a saved data set: accepted, or refused in clean lines."""

from __future__ import annotations

import datetime
import decimal
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.formats import FORMATS, parquet_of, stream_of
from tests.fuzz.mutator import FUZZ_INPUTS
from tests.fuzz.taken import Taken, check

_TEXTS = st.sampled_from(
    ["", " ", "p-1", "物理", "a\0b", "\x1b[2J", "\u202e", "n" * 300, "images/teal.png", "images/pipe"]
)
_IMAGES = st.sampled_from(
    [
        *({"path": "images/red.png"}, {"bytes": b"no image"}, {"bytes": None, "path": None}, {"path": "/etc/passwd"}),
        *({"bytes": b"", "path": "images/zero"}, {"path": "../x.png"}, {"path": ""}, None),
    ]
)
_STRUCT = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_DATES = st.datetimes(datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31))

KINDS: list[tuple[pa.DataType, st.SearchStrategy[Any]]] = [
    (pa.string(), _TEXTS),
    (pa.large_string(), _TEXTS),
    (pa.binary(), st.binary(max_size=8)),
    (pa.int64(), st.integers(-3, 3) | st.sampled_from([2**63 - 1, -(2**63)])),
    (pa.uint64(), st.just(2**64 - 1)),
    (pa.float64(), st.floats()),
    (pa.bool_(), st.booleans()),
    (pa.null(), st.none()),
    (pa.timestamp("us"), _DATES),
    (pa.date32(), _DATES.map(datetime.datetime.date)),
    (pa.duration("us"), st.timedeltas(datetime.timedelta(-9999), datetime.timedelta(9999))),
    (pa.decimal128(5, 2), st.sampled_from([decimal.Decimal("1.25"), decimal.Decimal("-999.99")])),
    (pa.list_(pa.string()), st.lists(_TEXTS, max_size=2)),
    (pa.list_(pa.float64()), st.lists(st.floats(), max_size=2)),
    (_STRUCT, _IMAGES),
    (pa.list_(_STRUCT), st.lists(_IMAGES, max_size=2)),
    (pa.map_(pa.string(), pa.int64()), st.lists(st.tuples(_TEXTS, st.integers(0, 3)), max_size=2)),
]
GOOD: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "key": (pa.string(), st.sampled_from(["p-1", "p-2", "p-3", "p-4"])),
    "category": (pa.int64(), st.integers(-1, 2)),
    "instruction": (pa.string(), st.just("make it rain")),
    "image": (_STRUCT, st.just({"path": "images/red.png"})),
}
FEATURES = st.sampled_from(
    [
        *(
            {"_type": "ClassLabel", "names": ["add", "remove"]},
            {"_type": "ClassLabel", "names": [1, None]},
            {},
            None,
            7,
        ),
        *([], [[]], {"_type": "Sequence", "feature": {}}, {"_type": "ClassLabel", "names": "ab"}, {"feature": [{}]}),
    ]
)
METADATA = st.one_of(
    st.dictionaries(st.sampled_from([*GOOD, "more"]), FEATURES).map(
        lambda features: json.dumps({"info": {"features": features}}).encode()
    ),
    st.sampled_from([b"", b"{", b"[]", b"null", b'{"info": 5}', b'{"info": {"features": []}}', b"\xff", b"[" * 9000]),
)


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    """Return a table that is as it should be but for two columns at most, which may hold anything, and its metadata."""
    odd = draw(
        st.dictionaries(
            st.sampled_from([*GOOD, "reference_image", "description", ""]), st.sampled_from(KINDS), max_size=2
        )
    )
    columns = {**GOOD, **odd}
    rows = draw(st.integers(0, 3))
    arrays = [
        pa.array(draw(st.lists(st.none() | values if name in odd else values, min_size=rows, max_size=rows)), kind)
        for name, (kind, values) in columns.items()
    ]
    schema = pa.schema([(name, kind) for name, (kind, _) in columns.items()])
    return pa.Table.from_arrays(arrays, schema=schema.with_metadata({b"huggingface": draw(METADATA)}))


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Taken]:
    taken = Taken(tmp_path_factory.mktemp("farm"))
    yield taken
    taken.engine.dispose()


@pytest.fixture(scope="module", params=["parquet", "saved stream"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, Path]:
    """The kind of benchmark, what is opened, and the file that is written."""
    return (request.param, *FORMATS[request.param].lay_out(tmp_path_factory.mktemp("arrow") / "benchmark"))


@pytest.mark.timeout(1200)
@settings(
    max_examples=max(20, FUZZ_INPUTS // 10),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(table=tables())
def test_values_of_any_kind_are_accepted_or_refused(
    place: tuple[str, Path, Path], farm: Taken, table: pa.Table
) -> None:
    kind, opened, file = place
    file.write_bytes(parquet_of(table) if kind == "parquet" else stream_of(table))

    assert farm.tries(opened) == check(opened)
