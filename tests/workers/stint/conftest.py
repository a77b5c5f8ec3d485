"""A worker of a small farm."""

from __future__ import annotations

import pytest

from db.ledger import Ledger
from tests.workers.stint.small_farm import Worker


@pytest.fixture
def worker(ledger: Ledger) -> Worker:
    return Worker(ledger)
