"""A farm that has taken nothing yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz.taken import Taken


@pytest.fixture
def taken(tmp_path: Path) -> Iterator[Taken]:
    """A farm that has taken nothing yet."""
    taken = Taken(tmp_path)
    yield taken
    taken.engine.dispose()
