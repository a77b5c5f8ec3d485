"""Folders and tables of images that are given for the samples of a benchmark."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from db.errors import BenchmarkInvalid
from db.images import FolderStore
from db.jobs import Doorbell
from db.ledger import Ledger
from db.queries import all_runs
from db.tables import Stage, State
from producer.benchmark import open_benchmark
from producer.given_edits.enter import Given, submit_given
from tests.db.given_runs import asked
from tests.db.steps import edit_outcomes, job
from tests.factories import original_file, pair, png


def pictures(folder: Path, *names: str, **contents: bytes) -> Path:
    """Write images of these names below the folder, each of another size; `contents` are those of `NAME.png`."""
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(width=number + 1))
    for name, content in contents.items():
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.png").write_bytes(content)
    return folder


def benchmark_of(folder: Path, samples: Sequence[tuple[str, str]]) -> Path:
    """Write a benchmark of these samples, (category, key) each, in their order."""
    categories = [{"name": category, "pairs": [pair(key)]} for category, key in samples]
    return original_file(folder, {"categories": categories})


def table(folder: Path, *rows: Any, name: str = "edits.jsonl") -> Path:
    """Write a table below the folder: of texts as they are, of other values as JSON."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), encoding="utf-8")
    return path


class Giver:
    """Submits images of one benchmark to one ledger and store."""

    def __init__(self, folder: Path, ledger: Ledger, images: FolderStore) -> None:
        self.folder, self.ledger, self.images = folder, ledger, images
        self.benchmark = original_file(folder, pairs=2)
        self.sent: list[Doorbell] = []

    def __call__(self, edits: Path, **given: Any) -> Given:
        return submit_given(
            open_benchmark(self.benchmark),
            edits,
            asked(edits.stem, **given),
            ledger=self.ledger,
            images=self.images,
            send=self.sent.append,
        )

    def faults(self, edits: Path, **given: Any) -> tuple[str, ...]:
        """Return what is wrong with these images; nothing of them or of the benchmark is taken."""
        with pytest.raises(BenchmarkInvalid) as refused:
            self(edits, **given)
        assert refused.value.exit_code == 4
        assert all_runs(self.ledger.engine) == []
        assert not self.images.folder.exists()
        assert self.sent == []
        return refused.value.faults

    def given(self, run_id: str) -> Mapping[tuple[str, str, int], bytes | str]:
        """Return the run's edits by category, key and repeat: the image's bytes, else the kind of failure."""
        found: dict[tuple[str, str, int], bytes | str] = {}
        for row in edit_outcomes(self.ledger.engine, run_id):
            image = job(self.ledger, Stage.EDIT, row.id).image
            outcome = self.images.get(image) if row.state == State.DONE else row.failure_kind
            found[row.category, row.key, row.repeat] = outcome
        return found
