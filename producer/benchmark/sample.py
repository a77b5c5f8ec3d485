"""A sample as it comes out of a benchmark file, or the fault that stands in its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from db.errors import one_line
from db.images import digest_of
from db.prompts import OwnPrompt


@dataclass(frozen=True)
class Spot:
    """Where in a file something stands, for programs: the record's number from 1, its key, a byte of the file."""

    row: int | None = None
    key: str | None = None
    byte: int | None = None


@dataclass(frozen=True)
class Sample:
    """One sample with its image bytes; `place` says where in the file it stands, `spot` says it to programs.

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
    spot: Spot = field(default=Spot(), compare=False)

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
    spot: Spot = field(default=Spot(), compare=False)

    def __str__(self) -> str:
        return one_line(f"{self.place}: {self.message}")


class FileFault(Fault):
    """What is wrong with a file as a whole, or where it breaks off: it stands in no sample's place."""


class BenchmarkFile(Protocol):
    """What is known of a benchmark's file or folder besides what is in it."""

    @property
    def path(self) -> Path:
        """Where the file is."""

    @property
    def name(self) -> str:
        """What the benchmark calls itself, or the file's name without suffix."""

    @property
    def prompts(self) -> Mapping[str, OwnPrompt]:
        """The judge's prompts that the file brings, by category; none for those it has nothing to say about."""


class Benchmark(BenchmarkFile, Protocol):
    """A benchmark; iterating reads it from the beginning, one sample in memory at a time."""

    def __iter__(self) -> Iterator[Sample | Fault]:
        """Yield the samples in their order, a fault where there is no usable one."""


class FieldFault(Exception):
    """A field of a record that does not hold."""


def kind_of(value: object) -> str:
    """Return what a JSON value is, in words."""
    return _KINDS.get(type(value), "a number")


_KINDS: Mapping[type, str] = {
    **{dict: "an object", list: "a list", str: "a text"},
    **{bool: "a truth value", type(None): "null", bytes: "bytes"},
}
