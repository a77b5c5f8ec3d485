"""Files of published scores, imported into a ledger."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from db.engine import reading
from db.errors import BenchmarkInvalid
from db.images import FolderStore
from db.ledger import Ledger
from db.queries import all_runs
from db.tables import scores
from producer.published_scores.enter import ImportedFile, import_scores
from producer.published_scores.publication import publication_of
from tests.db.steps import edit_outcomes, score_outcomes

LINE = {"sample": "p-1", "category": "物理", "editor": "model-x", "scorer": "gpt-4o", "value": 7.5}


def line(**given: Any) -> dict[str, Any]:
    """Return one line; a field given as None is left out."""
    return {name: value for name, value in {**LINE, **given}.items() if value is not None}


def scores_file(folder: Path, lines: Sequence[Any], name: str = "published.jsonl") -> Path:
    """Write a file of these lines, texts as they are."""
    path = folder / name
    path.write_text("\n".join(one if isinstance(one, str) else json.dumps(one) for one in lines), encoding="utf-8")
    return path


class Importer:
    """Imports files of lines into one ledger and store."""

    def __init__(self, folder: Path, ledger: Ledger, images: FolderStore) -> None:
        self.folder, self.ledger, self.images = folder, ledger, images

    def __call__(self, *lines: Any, **given: Any) -> ImportedFile:
        asked = {"name": None, "scale": None, "aggregate": None, "allow_missing": False, **given}
        publication = publication_of(scores_file(self.folder, lines), **asked)
        return import_scores(publication, ledger=self.ledger, images=self.images)

    def faults(self, *lines: Any, **given: Any) -> tuple[str, ...]:
        with pytest.raises(BenchmarkInvalid, match="nothing was entered") as refused:
            self(*lines, **given)
        assert refused.value.exit_code == 4
        assert all_runs(self.ledger.engine) == []
        assert not self.images.folder.exists()
        return refused.value.faults

    def given(self, run_id: str) -> dict[tuple[Any, ...], Any]:
        """Return the run's scores by category, key, repeat, scorer and judge repeat: the value, else the kind."""
        edits = {row.id: row for row in edit_outcomes(self.ledger.engine, run_id)}
        found = {}
        for row in score_outcomes(self.ledger.engine, run_id):
            edit = edits[row.edit_id]
            place = (edit.category, edit.key, edit.repeat, row.label, row.judge_repeat)
            found[place] = row.failure_kind if row.value is None else row.value
        return found

    def details(self) -> list[Mapping[str, Any]]:
        with reading(self.ledger.engine) as connection:
            return list(connection.scalars(select(scores.c.detail).order_by(scores.c.id)))


def only(imported: ImportedFile) -> str:
    (run_id,) = imported.run_ids.values()
    return run_id
