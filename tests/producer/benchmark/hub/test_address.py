"""How a data set on the Hub is named where else a path stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from db.errors import WrongCall
from producer.benchmark import open_benchmark
from producer.benchmark.how import HowToRead
from producer.benchmark.hub.address import HubAddress, where_is
from tests.factories import original_file


def test_what_exists_is_a_path_however_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert where_is("hf://o/set@v1") == HubAddress("o/set", "v1")
    assert where_is("o/set") == Path("o/set")
    (tmp_path / "hf:" / "o" / "set@v1").mkdir(parents=True)
    assert where_is("hf://o/set@v1") == Path("hf:/o/set@v1")


@pytest.mark.parametrize("given", ["hf://", "hf://o", "hf://o/", "hf://o/set@", "hf://o/set/file", "hf://o/set@a b"])
def test_an_address_that_is_not_whole_is_refused(given: str) -> None:
    with pytest.raises(WrongCall, match="expected hf://OWNER/NAME or hf://OWNER/NAME@REVISION"):
        where_is(given)


def test_a_path_has_no_subsets(tmp_path: Path) -> None:
    with pytest.raises(WrongCall, match=r"--subset en: .* has no subsets"):
        open_benchmark(original_file(tmp_path), HowToRead(subset="en"))
