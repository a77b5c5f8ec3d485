"""Who imports published scores."""

from __future__ import annotations

from pathlib import Path

import pytest

from db.images import FolderStore
from db.ledger import Ledger
from tests.producer.published_scores.importing import Importer


@pytest.fixture
def importer(tmp_path: Path, ledger: Ledger, images: FolderStore) -> Importer:
    return Importer(tmp_path, ledger, images)
