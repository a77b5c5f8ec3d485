"""A family for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tests.workers.parent.family import HERITAGE, Family


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The ledger's own tests run on both databases."""
    return sqlite_url


@pytest.fixture
def family(engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Family]:
    for name in HERITAGE:
        monkeypatch.setenv(name, "")  # put back as it was when the test ends
    family = Family(engine, database_url)
    yield family
    family.end()
