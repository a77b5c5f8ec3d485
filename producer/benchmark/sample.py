"""A sample as it comes out of a benchmark file, or the fault that stands in its place."""

from __future__ import annotations

import base64
import binascii
import errno
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from db.decode import MAX_BYTES
from db.errors import one_line
from db.images import digest_of
from db.prompts import OwnPrompt


@dataclass(frozen=True)
class Sample:
    """One sample with its image bytes; `place` says where in the file it stands.

    `fields` are what else the benchmark says of it, by name: texts, numbers, truth values.
    """

    place: str
    key: str
    category: str
    instruction: str
    description: str | None
    source: bytes
    reference: bytes | None
    more_sources: Sequence[bytes] = ()
    reference_text: str | None = None
    fields: Mapping[str, str | float | bool] = field(default_factory=dict)

    def images(self) -> Iterator[tuple[str, bytes]]:
        """Yield what each of its images is, and its bytes."""
        yield "source image", self.source
        yield from (("further source image", more) for more in self.more_sources)
        if self.reference is not None:
            yield "reference image", self.reference


def sample_row(sample: Sample, position: int) -> dict[str, Any]:
    """Return the sample as a row of the ledger: images by their digests."""
    return {
        "position": position,
        "key": sample.key,
        "category": sample.category,
        "instruction": sample.instruction,
        "description": sample.description,
        "source_image": digest_of(sample.source),
        "more_sources": " ".join(map(digest_of, sample.more_sources)),
        "reference_image": None if sample.reference is None else digest_of(sample.reference),
        "reference_text": sample.reference_text,
        "fields": dict(sample.fields) or None,
    }


def image_digests(row: Mapping[str, Any]) -> Iterator[str]:
    """Yield the digests of a sample's images, by its row, in the order of `Sample.images`."""
    yield row["source_image"]
    yield from row["more_sources"].split()
    if row["reference_image"] is not None:
        yield row["reference_image"]


@dataclass(frozen=True)
class Fault:
    """What is wrong at one place of the file; as text it is one line, whatever stands there."""

    place: str
    message: str

    def __str__(self) -> str:
        return one_line(f"{self.place}: {self.message}")


class Benchmark(Protocol):
    """A benchmark file; iterating reads it from the beginning, one sample in memory at a time."""

    @property
    def path(self) -> Path:
        """Where the file is."""

    @property
    def name(self) -> str:
        """What the benchmark calls itself, or the file's name without suffix."""

    @property
    def prompts(self) -> Mapping[str, OwnPrompt]:
        """The judge's prompts that the file brings, by category; none for those it has nothing to say about."""

    def __iter__(self) -> Iterator[Sample | Fault]:
        """Yield the samples in their order, a fault where there is no usable one."""


class FieldFault(Exception):
    """A field of a record that does not hold."""


MAX_KEY = 200
MAX_TEXT = 20_000

_SHOWN = 200
"""Characters of a path that a fault repeats."""

_NOT_IN_A_NAME = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Control characters, line separators, and marks that turn the direction of writing: names stand in tables."""

_SURROGATE = re.compile("[\ud800-\udfff]")

_KEY = ("pair_id", "key", "id")
_INSTRUCTION = ("edit_instruction", "instruction")
_DESCRIPTION = ("original_description", "description")
_SOURCE = ("original_image", "image")
_REFERENCE = ("reference_image",)


def read_sample(record: object, *, place: str, folder: Path, category: str | None = None) -> Sample | Fault:
    """Read one record of a benchmark file.

    Image fields hold a path inside `folder`; the same name with `_b64` holds the image itself, in base64 or as a data
    URL. The record's own `category` counts where none is given.
    """
    if not isinstance(record, Mapping):
        return Fault(place, f"expected an object, found {kind_of(record)}")
    shown = next((str(value) for name in _KEY if _can_be_shown(value := record.get(name))), None)
    place = f"{place} ({shown[:MAX_KEY]})" if shown else place
    try:
        source = _image(record, _SOURCE, folder)
        if source is None:
            raise FieldFault(f"no image: expected {_SOURCE[0]}_b64 or {_SOURCE[0]}")
        return Sample(
            place=place,
            key=_required(record, _KEY, check_name),
            category=category if category is not None else _required(record, ("category",), check_name),
            instruction=_required(record, _INSTRUCTION, check_text),
            description=_text(record, _DESCRIPTION, check_text),
            source=source,
            reference=_image(record, _REFERENCE, folder),
        )
    except FieldFault as fault:
        return Fault(place, str(fault))


def check_name(text: str, name: str) -> str:
    """Return a key or a name without surrounding space. Raises FieldFault for what no table should show."""
    stripped = check_text(text, name, MAX_KEY)
    if found := _NOT_IN_A_NAME.search(stripped):
        raise FieldFault(f"{name} contains a control character, {found[0]!a}")
    return stripped


def check_text(text: str, name: str, limit: int = MAX_TEXT) -> str:
    """Return the text without surrounding space. Raises FieldFault for what no database or model can take."""
    stripped = text.strip()
    if len(stripped) > limit:
        raise FieldFault(f"{name} has {len(stripped):,} characters; at most {limit:,} are taken")
    if "\0" in stripped:
        raise FieldFault(f"{name} contains a NUL character")
    if _SURROGATE.search(stripped):
        raise FieldFault(f"{name} contains half of a surrogate pair, which is no character")
    return stripped


def _can_be_shown(key: object) -> bool:
    return isinstance(key, str | int | float) and key != ""  # what is nested may be too deep to be written


_Check = Callable[[str, str], str]


def _required(record: Mapping[str, Any], names: tuple[str, ...], check: _Check) -> str:
    text = _text(record, names, check)
    if not text:
        raise FieldFault(f"{names[0]} is {'empty' if text == '' else 'missing'}")
    return text


def _text(record: Mapping[str, Any], names: tuple[str, ...], check: _Check) -> str | None:
    for name in names:
        value = record.get(name)
        if value is None:
            continue
        if isinstance(value, int) and not isinstance(value, bool) and names is _KEY:
            value = str(value)
        if not isinstance(value, str):
            raise FieldFault(f"{name}: expected a text, found {kind_of(value)}")
        return check(value, name)
    return None


def _image(record: Mapping[str, Any], names: tuple[str, ...], folder: Path) -> bytes | None:
    for name in names:
        for named, read in ((f"{name}_b64", _from_base64), (name, lambda value: _from_path(value, folder))):
            value = record.get(named)
            if value is None:
                continue
            if not isinstance(value, str) or not value:
                raise FieldFault(f"{named}: expected a text, found {kind_of(value) if value != '' else 'an empty one'}")
            try:
                return read(value)
            except FieldFault as fault:
                raise FieldFault(f"{named}: {fault}") from fault
    return None


def _from_base64(value: str) -> bytes:
    if value.startswith("data:"):
        value = value.partition(",")[2]
    with suppress(ValueError):  # binascii.Error is one: it may be broken into lines, which is looked at only then
        return base64.b64decode(value, validate=True)
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise FieldFault(f"is not base64: {error}") from error


def _from_path(value: str, folder: Path) -> bytes:
    try:
        path, inside = _resolved_file(value, folder), _resolved(str(folder))
        if path != inside and not path.startswith(inside.rstrip(os.sep) + os.sep):
            raise FieldFault(f"{value[:_SHOWN]!r} lies outside the benchmark's folder")
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size > MAX_BYTES:
                raise FieldFault(f"{value[:_SHOWN]!r} has {size:,} bytes; at most {MAX_BYTES:,} are read")
            return file.read(size + 1)  # room is made for as much as is asked for
    except (OSError, ValueError, RuntimeError) as error:  # the last for links in a circle, before Python 3.13
        raise FieldFault(f"{value[:_SHOWN]!r} cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _resolved_file(value: str, folder: Path) -> str:
    """Return where the path leads, links followed; of its folders that is found out once."""
    parent, name = os.path.split(os.path.join(folder, value))  # noqa: PTH118 - a third of the time of Path
    path = os.path.join(_resolved(parent), name)  # noqa: PTH118
    return os.path.realpath(path) if name in ("", ".", "..") or os.path.islink(path) else path  # noqa: PTH114


@lru_cache(maxsize=1000)
def _resolved(folder: str) -> str:
    return os.path.realpath(folder)


@contextmanager
def open_regular(path: Path | str) -> Iterator[BinaryIO]:
    """Open a file for reading. Raises OSError, also for a pipe or a device, whose bytes never come or never end."""
    with open(path, "rb", opener=_without_waiting) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "Is no regular file")
        yield file


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # a pipe that nobody writes to would hold us up in opening it


def kind_of(value: object) -> str:
    """Return what a JSON value is, in words."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")
