"""What tests of recipes share."""

from __future__ import annotations

import pytest


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What tables are made of is read alike from both databases, which the tests of imports show."""
    return sqlite_url
