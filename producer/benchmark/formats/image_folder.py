"""Hugging Face's imagefolder: images with a `metadata.jsonl` or `metadata.csv`, maybe in a folder for each split.

A row names its images in `file_name`, which becomes the column `image`, `X_file_name`, which becomes `X`, `file_names`,
which becomes `images`, and `X_file_names`, which becomes `X`; their paths begin in the metadata's own folder. The path
of the first of them without its suffix is in the column `#key`. A row without such columns is left as it is: in
GEditBench v2 the path stands in `source_image`. `datasets` passes over images that no row names without a word, and
over metadata that lies above its split; here the ones are counted and the others are read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any

from db.errors import BenchmarkInvalid, WrongCall
from producer.benchmark.files import open_regular
from producer.benchmark.formats.csv_table import CsvTable
from producer.benchmark.formats.json_lines import JsonLines
from producer.benchmark.formats.record import NamedByPath, Record, Records
from producer.benchmark.formats.splits import WHOLE, chosen
from producer.benchmark.layouts.layout import NAME_OF_RECORD
from producer.benchmark.sample import Fault, FileFault

METADATA: Mapping[str, Callable[[Path], Records]] = {"metadata.jsonl": JsonLines, "metadata.csv": CsvTable}
IMAGES = frozenset((".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif"))

_SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), "test"),
}
"""Words in the name of a folder, and the split that they say it is of."""

_FILE_COLUMN = re.compile(r"(?:(.+)_)?file_name(s)?")


class ImageFolder(NamedByPath):
    """The rows of all metadata of a folder, or of those of its subfolders that are of one split, or of those given.

    Raises WrongCall where it is not clear of which split, BenchmarkInvalid where there is no metadata.
    """

    def __init__(self, path: Path, split: str | None = None, *, metadata: Sequence[Path] = ()) -> None:
        super().__init__(path, split)
        self._metadata = metadata or _of_split(path, metadata_in(path), split)
        self._named: set[str] = set()

    def remarks(self) -> Iterator[str]:
        """Yield what else there is to say once all rows were read: how many images no `file_name` names."""
        if not self._named:
            return  # they are named in other columns, if they are
        folders = {file.parent for file in self._metadata}
        above = {folder for folder in folders if not any(other in folder.parents for other in folders)}
        images = {os.path.realpath(image) for folder in above for image in _files_in(folder, IMAGES)}
        if left := len(images - self._named):
            are = "1 image of the folder is" if left == 1 else f"{left:,} images of the folder are"
            yield f"{are} named by no row of its metadata, and left out"

    def __iter__(self) -> Iterator[Record | Fault]:
        """Yield the rows of one metadata file after the other, in the order of their paths."""
        self._named.clear()
        for file in self._metadata:
            shown = "" if len(self._metadata) == 1 else f"{file.relative_to(self._path)} "
            try:
                with open_regular(file):
                    pass
                yield from self._rows(METADATA[file.name](file), shown)
            except OSError as error:
                yield FileFault(shown.rstrip() or file.name, f"cannot be read: {error.strerror}")

    def _rows(self, metadata: Records, shown: str) -> Iterator[Record | Fault]:
        empty = dict.fromkeys(metadata.columns())  # the cells that a row leaves empty
        for item in metadata:
            placed = replace(item, place=shown + item.place)
            if isinstance(placed, Record):
                yield self._with_images(replace(placed, values={**empty, **placed.values}))
            else:
                yield placed

    def _with_images(self, record: Record) -> Record | Fault:
        """Return the record with its images in the columns that its file names say."""
        values: dict[str, Any] = {}
        files: list[str] = []
        for column, value in record.values.items():
            name = _column_of_images(column)
            if name in values or (name != column and name in record.values):
                return Fault(record.place, f"column {column!r} becomes {name!r}, which there is already")
            values[name] = value
            if name != column:
                files += [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]
        with suppress(ValueError):  # a path with a NUL or half a character leads nowhere, which the image's fault says
            self._named.update(os.path.realpath(record.folder / file) for file in files)
        if files:
            inside = record.folder.relative_to(self._path)
            values.setdefault(NAME_OF_RECORD, os.path.splitext(PurePosixPath(inside, files[0]))[0])  # noqa: PTH122 - of no name, too
        return replace(record, values=values)


def metadata_in(folder: Path) -> list[Path]:
    """Return the metadata files of a folder and its subfolders, in the order of their paths."""
    return sorted(file for file in _files_in(folder, frozenset((".jsonl", ".csv"))) if file.name in METADATA)


def _files_in(folder: Path, suffixes: frozenset[str]) -> Iterator[Path]:
    """Yield the files below the folder with such suffixes; links to folders and what is hidden are not followed."""
    for here, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "__"))]
        yield from (Path(here, name) for name in files if Path(name).suffix.lower() in suffixes)


def _of_split(folder: Path, metadata: Sequence[Path], split: str | None) -> list[Path]:
    if not metadata:
        raise BenchmarkInvalid(f"{folder}: holds no {' or '.join(METADATA)}")
    twice = next((one.parent for one, other in pairwise(metadata) if one.parent == other.parent), None)
    if twice is not None:
        raise BenchmarkInvalid(f"{twice}: holds {' and '.join(METADATA)}; expected one of them")
    splits: dict[str, list[Path]] = {}
    for file in metadata:
        splits.setdefault(_split_named(file.relative_to(folder).parts[:-1]), []).append(file)
    if split is None and WHOLE in splits and len(splits) > 1:
        names, outside = ", ".join(sorted({*splits} - {WHOLE})), splits[WHOLE][0].relative_to(folder)
        raise WrongCall(f"{folder}: say which split with --split; there are: {names}; {outside} is of none")
    if split in splits and split:
        return splits[split]
    own = [file for file in metadata if split is not None and split in file.relative_to(folder).parts[:-1]]
    return own or chosen(splits, _SPLITS.get(split or "", split), "split", folder)


def _split_named(folders: Sequence[str]) -> str:
    words = (word.lower() for name in folders for word in re.split(r"[-._ \d]+", name))
    return next((_SPLITS[word] for word in words if word in _SPLITS), "")


def _column_of_images(column: str) -> str:
    """Return the column that images of this column of file names are in; any other stays as it is."""
    found = _FILE_COLUMN.fullmatch(column)
    if found is None:
        return column
    return found[1] or ("images" if found[2] else "image")
