"""KRIS-Bench: a folder of categories, each with an `annotation.json` of records by name, and its images beside that.

A record's category is its folder's name, in the column `#folder`. An empty `gt_img` or `explain_en` counts as missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from db.prompts import OwnPrompt
from producer.benchmark.files import open_regular
from producer.benchmark.json_records import json_records
from producer.benchmark.layouts import NAME_OF_FOLDER
from producer.benchmark.record import Record
from producer.benchmark.sample import Fault, FileFault

ANNOTATION = "annotation.json"

_EMPTY_IS_MISSING = ("gt_img", "explain_en")


class KrisBench:
    """The records of all category folders, which are read in the order of their names."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def path(self) -> Path:
        """Where the folder is."""
        return self._path

    @property
    def name(self) -> str:
        """The folder's name."""
        return self._path.resolve().name

    @property
    def prompts(self) -> Mapping[str, OwnPrompt]:
        """None."""
        return {}

    def __iter__(self) -> Iterator[Record | Fault]:
        """Yield the records, category by category."""
        for file in annotations_in(self._path):
            shown = f"{file.relative_to(self._path)} "
            try:
                with open_regular(file):
                    pass
                for record in json_records(file, shown):
                    yield _of_folder(record) if isinstance(record, Record) else record
            except OSError as error:
                yield FileFault(shown.rstrip(), f"cannot be read: {error.strerror}")


def annotations_in(folder: Path) -> list[Path]:
    """Return the annotations of the category folders."""
    return sorted(folder.glob(f"*/{ANNOTATION}"))


def _of_folder(record: Record) -> Record:
    values = {name: value for name, value in record.values.items() if value != "" or name not in _EMPTY_IS_MISSING}
    return replace(record, values={**values, NAME_OF_FOLDER: record.folder.name})
