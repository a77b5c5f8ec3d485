"""Where the images of tests of given edits lie, and who gives them."""

from __future__ import annotations

from pathlib import Path

import pytest

from db.images import FolderStore
from db.ledger import Ledger
from tests.producer.given_folders import Giver


@pytest.fixture
def giver(tmp_path: Path, ledger: Ledger, images: FolderStore) -> Giver:
    """A benchmark of two samples, `p-0` and `p-1` of the category 物理, and a farm that has taken nothing yet."""
    return Giver(tmp_path, ledger, images)


@pytest.fixture
def edits(tmp_path: Path) -> Path:
    """A folder for images, not there yet."""
    return tmp_path / "model-x"
