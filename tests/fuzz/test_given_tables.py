"""Tables of given images, of any content: each row is taken or named in a clean line; none leads out of the folder."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.errors import BenchmarkInvalid
from producer.benchmark.faults import MAX_FAULTS, Faults
from producer.given_edits.names import Names
from producer.given_edits.table import find_in_table
from tests.fuzz.mutator import FUZZ_INPUTS, HOSTILE

NAMES = Names([("物理", "p-0"), ("社会", "p-0"), ("物理", "p/1"), ("社会", "2")])

_TEXTS = st.one_of(
    st.sampled_from(
        ["p-0", "p/1", "2", "物理", "physical", "社会", "", " ", "0", "1", "999", "1000", "-1", "١", "1e3"]
    ),
    st.sampled_from(
        ["a.png", "x/b.png", "../out.png", "/etc/passwd", "/dev/zero", ".", "link.png", "x/../../o", "a\0b"]
    ),
    st.text(max_size=30),
    st.sampled_from(["../" * 2000, "a" * 5000, "\u202e", "\ud800"]),
)
_VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), _TEXTS, st.lists(st.integers(), max_size=2))
_ODD = st.dictionaries(st.sampled_from(["key", "category", "repeat", "image", "more", ""]), _VALUES, max_size=1)
_PATHS = ("a.png", "x/b.png", "", "../out.png", "/etc/passwd", "link.png", ".", "x/../../o", "a\0b", "a" * 5000)
_GOOD = st.fixed_dictionaries(
    {"key": st.sampled_from(["p-0", "p/1", "2"]), "image": st.sampled_from(_PATHS)},
    optional={"category": st.sampled_from(["物理", "Physical", "社会"]), "repeat": st.integers(0, 2)},
)
_ROWS = st.lists(st.builds(lambda row, odd: {**row, **odd}, _GOOD, _ODD), max_size=6)
"""Rows that are as they should be but for one field at most: so what comes behind the first check is tried, too."""

_LINES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        (*HOSTILE, b"p-0,a.png,0", b"p-0,a\rb,0", b'p-0,"' + b"a" * 140_000 + b'",0', b'p-0,"a', b"2,../o,")
    ),
)
_BYTES = st.lists(_LINES, max_size=6).map(b"\n".join)

_MANY = settings(
    max_examples=FUZZ_INPUTS // 4,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an image, and a link out of it."""
    folder = tmp_path / "given"
    (folder / "x").mkdir(parents=True)
    (folder / "a.png").write_bytes(b"")
    (folder / "link.png").symlink_to("/etc/passwd")
    return folder


def check(path: Path, content: bytes) -> set[str]:
    """Read the table; fail unless every edit that is asked for is there, with an image inside the folder or none.

    Return the places of all rows that were taken or have a fault.
    """
    path.write_bytes(content)
    faults = Faults()
    found = find_in_table(path, NAMES, range(len(NAMES.samples)), faults)
    places = [(edit.position, edit.repeat) for edit in found]
    repeats = 1 + max(repeat for _, repeat in places)
    assert places == [(position, repeat) for position in range(len(NAMES.samples)) for repeat in range(repeats)]
    inside = os.path.realpath(path.parent) + os.sep
    for edit in found:
        assert edit.path is None or os.path.realpath(edit.path).startswith(inside)
        assert edit.path is not None or edit.missing or faults.count
    lines = list(_lines(faults))
    for line in lines:
        assert line.isprintable(), ascii(line)
        assert len(line) <= 1000
        assert line.startswith(("line ", "lines ", "4 samples and ", "and ")), line
    return {edit.place for edit in found} | {line.partition(":")[0] for line in lines}


def _lines(faults: Faults) -> Iterator[str]:
    if faults.count:
        with pytest.raises(BenchmarkInvalid) as refused:
            faults.require_none(Path("table"), "nothing was submitted")
        assert 1 <= len(refused.value.faults) <= MAX_FAULTS + 1
        yield from refused.value.faults


def as_csv(rows: list[dict[str, Any]]) -> bytes:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["key", "category", "repeat", "image"])
    writer.writerows([row.get(name) for name in ("key", "category", "repeat", "image")] for row in rows)
    return file.getvalue().encode("utf-8", "surrogatepass")


@pytest.mark.timeout(1200)
@given(rows=_ROWS)
@_MANY
def test_rows_of_any_values_are_taken_or_named(folder: Path, rows: list[dict[str, Any]]) -> None:
    named = check(folder / "t.jsonl", "\n".join(json.dumps(row) for row in rows).encode())
    misnumbered = any(place.startswith("4 samples and ") for place in named)  # one fault for all of the table
    assert misnumbered or {f"line {number}" for number in range(1, len(rows) + 1)} <= named
    check(folder / "t.csv", as_csv(rows))


@pytest.mark.timeout(1200)
@given(content=_BYTES)
@_MANY
def test_bytes_that_are_no_table_are_faults_in_clean_lines(folder: Path, content: bytes) -> None:
    check(folder / "t.ndjson", content)
    check(folder / "t.csv", content)
    check(folder / "t.csv", b"key,image,repeat\n" + content)
