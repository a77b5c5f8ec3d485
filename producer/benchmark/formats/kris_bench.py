"""KRIS-Bench: a folder of categories, each with an `annotation.json` of records by name, and its images beside that.

A record's category is its folder's name, in the column `#folder`. An empty `gt_img` or `explain_en` counts as missing.
Of a sequence, whose images are called `ID-FRAME.EXT`, the column `frame` says which frame is missing, from 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

from producer.benchmark.files import open_regular
from producer.benchmark.formats.json_records import json_records
from producer.benchmark.formats.record import NamedByPath, Record
from producer.benchmark.layouts.layout import NAME_OF_FOLDER
from producer.benchmark.layouts.public import FRAME
from producer.benchmark.sample import Fault, FileFault

ANNOTATION = "annotation.json"

SEQUENCES = "temporal_prediction"

_FRAME = re.compile(r"\d-(\d{1,4})\.\w+$")
_EMPTY_IS_MISSING = ("gt_img", "explain_en")


class KrisBench(NamedByPath):
    """The records of all category folders, which are read in the order of their names."""

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
    if record.folder.name == SEQUENCES:
        values[FRAME] = _missing_frame(values.get("ori_img"))
    return replace(record, values={**values, NAME_OF_FOLDER: record.folder.name})


def _missing_frame(images: object) -> int | None:
    """Return the first number that none of these images has; None where one has no number."""
    names = images if isinstance(images, list) else [images]
    found = [_FRAME.search(name) if isinstance(name, str) else None for name in names]
    frames = {int(one[1]) for one in found if one is not None}
    return next(number for number in count(1) if number not in frames) if all(found) else None
