"""Which reader a file or folder takes, by what is in it rather than by its name alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from db.errors import BenchmarkInvalid, WrongCall
from producer.benchmark.files import open_regular
from producer.benchmark.formats.csv_table import CsvTable
from producer.benchmark.formats.encodings import UTF8_MARK, no_text
from producer.benchmark.formats.image_folder import METADATA, ImageFolder, metadata_in
from producer.benchmark.formats.json_events import JsonEvents, members, skip
from producer.benchmark.formats.json_lines import JsonLines
from producer.benchmark.formats.json_mistakes import JsonFault
from producer.benchmark.formats.json_records import JsonRecords
from producer.benchmark.formats.kris_bench import ANNOTATION, KrisBench, annotations_in
from producer.benchmark.formats.magicbrush_folder import SESSIONS, TURNS, MagicBrushFolder
from producer.benchmark.formats.original import Original
from producer.benchmark.formats.parquet import SUFFIX as PARQUET
from producer.benchmark.formats.parquet import Parquet
from producer.benchmark.formats.record import Record, Records
from producer.benchmark.formats.rows import table_at
from producer.benchmark.formats.saved_dataset import SPLITS, STATE, SavedDataset
from producer.benchmark.how import HowToRead
from producer.benchmark.layouts.layout import NAME_OF_RECORD
from producer.benchmark.layouts.public import LAYOUTS, ORIGINAL

_HEAD = 1 << 16
"""Bytes that a file is looked into where its suffix says nothing."""

_Reader = Callable[[Path], Records]


def records_at(path: Path, how: HowToRead) -> Records:
    """Return the reader of a file or folder. Raises BenchmarkInvalid, or WrongCall where the split is not clear."""
    try:
        if path.is_dir():
            return _of_folder(path, how.split)
        with open_regular(path):
            pass
        if how.split is not None:
            raise WrongCall(f"--split {how.split}: {path} is one file, which has no splits")
        return _of_file(path, how)
    except (OSError, RuntimeError) as error:  # the latter for links in a circle, before Python 3.13
        raise BenchmarkInvalid(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error


# -- folders -----------------------------------------------------------------------------------------------------------


def _of_folder(path: Path, split: str | None) -> Records:
    if (path / STATE).exists() or (path / SPLITS).exists():
        return SavedDataset(path, split)
    if (path / TURNS).exists() or (path / SESSIONS).exists():
        _require_no_split(path, split)
        return MagicBrushFolder(path)
    if annotations_in(path):
        _require_no_split(path, split)
        return KrisBench(path)
    if any(path.glob(f"*{PARQUET}")) or any(path.glob(f"data/*{PARQUET}")):
        return Parquet(path, split)
    if metadata_in(path):
        return ImageFolder(path, split)
    raise BenchmarkInvalid(
        f"{path}: is a folder of no known layout; expected {' or '.join(METADATA)} (an image folder), {PARQUET} files, "
        f"{STATE} (a saved data set), {TURNS} (MagicBrush), or folders with {ANNOTATION} (KRIS-Bench)"
    )


def _require_no_split(path: Path, split: str | None) -> None:
    if split is not None:
        raise WrongCall(f"--split {split}: the folder {path} is one split already")


# -- files -------------------------------------------------------------------------------------------------------------


def _of_file(path: Path, how: HowToRead) -> Records:
    suffix = path.suffix.lower()
    if suffix == ".json":
        return _of_json(path, how)(path)
    if suffix == PARQUET:
        return Parquet(path)
    return table_at(path) or _by_content(path, how)(path)


def _by_content(path: Path, how: HowToRead) -> _Reader:
    with open_regular(path) as file:
        head = file.read(_HEAD)
    if wrong := no_text(head[:4]):
        raise BenchmarkInvalid(f"{path}: {wrong}")
    text = head.removeprefix(UTF8_MARK).lstrip()
    if head.startswith(b"PAR1"):
        return Parquet
    if text.startswith((b"{", b"[")):
        return _of_json(path, how)
    first_line = text.partition(b"\n")[0]
    if b"\0" not in head and any(mark in first_line for mark in (b",", b";", b"\t")):
        return CsvTable
    raise BenchmarkInvalid(
        f"{path}: no reader for this kind of file; expected a folder, .json, .jsonl, .ndjson, .csv, .tsv or {PARQUET}"
    )


def _of_json(path: Path, how: HowToRead) -> _Reader:
    """Return the reader of a JSON file: by the layout asked for, else by what its first values are."""
    if how.layout == ORIGINAL:
        return Original
    instructions = {name for layout in LAYOUTS.values() for name in layout.instruction}
    if "instruction" in how.columns:
        instructions.add(how.columns["instruction"])
    with open_regular(path) as file:
        try:
            return _by_events(JsonEvents(file), instructions, how)
        except (JsonFault, StopIteration):
            return Original  # which says what is wrong


def _by_events(events: JsonEvents, instructions: set[str], how: HowToRead) -> _Reader:
    outermost, _ = next(events)
    if outermost == "start_array":
        return JsonRecords
    if outermost != "start_map":
        return Original
    by_name = how.layout is not None and NAME_OF_RECORD in LAYOUTS[how.layout].marks
    is_record = False
    for name, event, _ in members(events):
        if name == "categories" and event in ("start_map", "start_array"):
            return Original
        if event == "start_map":
            if by_name or instructions.intersection(_names_in(events)):
                return JsonRecords
        else:
            skip(events, event)
        is_record |= event == "string" and name in instructions
    return JsonLines if is_record else Original


def _names_in(events: JsonEvents) -> Iterator[str]:
    """Yield the names of the members of the object that has begun, to its end."""
    for name, event, _ in members(events):
        yield name
        skip(events, event)


def columns_of(records: Records, look: int = 20) -> list[str]:
    """Return the names of the columns of the first so many records, as they come."""
    if known := records.columns():
        return list(known)
    found = (item.values for item in islice(records, look) if isinstance(item, Record))
    return list(dict.fromkeys(name for values in found for name in values))
