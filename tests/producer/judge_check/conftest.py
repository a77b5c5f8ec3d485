"""Runs with scores to check a judge by, made of lines as `import-scores` takes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from db.images import FolderStore
from db.ledger import Ledger
from producer.published_scores.enter import import_scores
from producer.published_scores.publication import publication_of

Publish = Callable[..., list[str]]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is checked does not depend on the database."""
    return sqlite_url


@pytest.fixture
def publish(tmp_path: Path, ledger: Ledger, images: FolderStore) -> Publish:
    """Enters lines of scores; returns the ids of their runs, one for each editor."""

    def enter(lines: Sequence[dict[str, Any]], name: str = "评测") -> list[str]:
        path = tmp_path / "scores.jsonl"
        rows = [{"category": "物理", "editor": "old", "scorer": "judge", **line} for line in lines]
        path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
        publication = publication_of(path, name=name, scale=(0.0, 10.0), aggregate=None, allow_missing=True)
        return list(import_scores(publication, ledger=ledger, images=images).run_ids.values())

    return enter


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """Writes a file: lines of text as they are, others as JSON."""

    def write(lines: Sequence[Any], name: str = "human.jsonl") -> Path:
        path = tmp_path / name
        texts = [line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines]
        path.write_text("\n".join(texts) + "\n", encoding="utf-8")
        return path

    return write
