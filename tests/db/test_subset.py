"""Which samples of a benchmark a run is about."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, select

from db.engine import reading
from db.images import digest_of
from db.intake import asked_samples, enter_samples
from db.subset import Subset
from db.tables import samples
from tests.factories import content_digest, png

CATEGORIES = ["a", "b", "a", "b", "b", "a", "b", "c"]


@pytest.fixture
def benchmark_id(engine: Engine) -> str:
    rows: list[dict[str, Any]] = [
        {
            "position": position,
            "key": f"p-{position}",
            "category": category,
            "instruction": "make it rain",
            "description": None,
            "source_image": digest_of(png()),
            "reference_image": None,
        }
        for position, category in enumerate(CATEGORIES)
    ]
    digest = content_digest(rows)
    enter_samples(engine, digest, "made up", len(rows), [rows])
    return digest


@pytest.mark.parametrize(
    ("subset", "positions"),
    [
        (Subset(), [0, 1, 2, 3, 4, 5, 6, 7]),
        (Subset(limit=3), [0, 1, 2]),
        (Subset(sample_every=3), [0, 3, 6]),
        (Subset(sample_every=3, limit=2), [0, 3]),
        (Subset(categories=("b",)), [1, 3, 4, 6]),
        (Subset(categories=("b", "c")), [1, 3, 4, 6, 7]),
        (Subset(categories=("b", "c"), sample_every=2), [1, 4, 7]),
        (Subset(categories=("b", "c"), sample_every=2, limit=2), [1, 4]),
        (Subset(categories=("b",), limit=1), [1]),
    ],
)
def test_categories_are_chosen_first_then_every_kth_then_the_first_so_many(
    engine: Engine, benchmark_id: str, subset: Subset, positions: list[int]
) -> None:
    query = select(samples.c.position).where(asked_samples(benchmark_id, subset)).order_by(samples.c.position)

    with reading(engine) as connection:
        assert connection.scalars(query).all() == positions


def test_a_run_of_an_older_version_has_no_subset_but_a_limit() -> None:
    assert Subset.of({"limit": 4, "editor": {}}) == Subset(limit=4)
