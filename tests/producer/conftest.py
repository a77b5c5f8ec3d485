"""What tests of the commands share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.producer.shell import Shell


@pytest.fixture
def shell(tmp_path: Path, broker_url: str) -> Shell:
    """Where commands are called."""
    return Shell(tmp_path, broker_url)
