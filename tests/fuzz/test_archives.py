"""Archives of any content are refused in a clean line or taken in whole; what is taken in can be looked at."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.engine import open_engine, transaction
from db.errors import FarmError
from db.images import FolderStore
from db.ledger import Ledger
from db.queries import find_run
from db.tables import metadata
from producer.moving import SUMS
from producer.one_sample.data import sample_data
from producer.standing.status import all_status_data
from tests.fuzz.mutator import FUZZ_INPUTS, HOSTILE, Mutator
from tests.producer.moving.archives import parts_of, with_sums
from tests.producer.moving.farms import Farm, finished, half_done


def emptied(farm: Farm) -> None:
    with transaction(farm.ledger.engine) as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    folder = tmp_path_factory.mktemp("farm")
    engine = open_engine(f"sqlite:///{folder / 'ledger.db'}")
    yield Farm(Ledger(engine), FolderStore(folder / "images"))
    engine.dispose()


@pytest.fixture(scope="module")
def corpus(farm: Farm) -> list[bytes]:
    archives = []
    for make in (finished, half_done):
        emptied(farm)
        archives.append(farm.export(make(farm)))
    return archives


def taken(farm: Farm, archive: bytes) -> bool:
    """Tell whether the archive was taken in; fail unless that was whole, and can be looked at, or not at all."""
    emptied(farm)
    try:
        imported = farm.take_in(archive)
    except FarmError as refused:
        assert str(refused).isprintable() and len(str(refused)) <= 2000
        assert farm.run_ids() == set()
        return False
    run_id = imported.run.id
    assert farm.report(run_id)
    assert all_status_data(farm.ledger.engine)
    assert sample_data(farm.ledger.engine, farm.images, find_run(farm.ledger.engine, run_id), "a")
    assert not farm.take_in(archive).new
    return True


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to every value within a value."""
    yield path
    if isinstance(value, dict | list):
        for name, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(part, (*path, name))


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = put(value[path[0]], path[1:], new)
    return copy


scalars = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5)
    | st.sampled_from(["", "done", "queued", "failed", "\0", "\u202e", "\ud800", "a" * 64, "0" * 12, 10**400, 1e300])
)  # fmt: skip
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner)
)

fuzzed = settings(
    max_examples=max(20, FUZZ_INPUTS // 8),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.timeout(1200)
@fuzzed
@given(data=st.data())
def test_rows_of_any_content_are_refused_or_taken_in_whole(
    farm: Farm, corpus: list[bytes], data: st.DataObject
) -> None:
    parts = parts_of(data.draw(st.sampled_from(corpus)))
    name = data.draw(st.sampled_from([name for name in parts if not name.startswith("images/") and name != SUMS]))
    lines = [json.loads(line) for line in parts[name].splitlines()]
    for _ in range(data.draw(st.integers(1, 2))):
        path = data.draw(st.sampled_from(list(places(lines))[1:]))
        lines = put(lines, path, data.draw(anything))
    content = b"".join(json.dumps(line).encode() + b"\n" for line in lines)

    taken(farm, with_sums({**parts, name: content}))


@pytest.mark.timeout(1200)
def test_bytes_of_any_kind_are_refused_or_taken_in_whole(farm: Farm, corpus: list[bytes]) -> None:
    mutator = Mutator(corpus, [*HOSTILE, b"ustar", b"images/", b"../../x", b"\x80" + bytes(11)])

    for number in range(max(20, FUZZ_INPUTS // 10)):
        taken(farm, mutator.content(number))


def test_what_is_good_is_taken_in(farm: Farm, corpus: list[bytes]) -> None:
    assert all(taken(farm, archive) for archive in corpus)
