"""Measures `producer submit`: large files with images in them, and a hundred thousand samples: `benchmarks.ingestion`.

An original file is held against the least that must be done with it: its bytes read and hashed, its images decoded. The
command is measured as a person calls it, from its start to the run's id, with all of its memory.
"""

from __future__ import annotations

import base64
import hashlib
import io
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Protocol

import click
from PIL import Image

from benchmarks.figures.goals import Figure, Measured, chosen_by_name, figures_table, in_rounds, publish
from benchmarks.measured_farm.databases import DATABASES, SQLITE
from benchmarks.measured_farm.farm import Farm, open_farm
from benchmarks.measured_farm.parquet_samples import (
    GROUP_ROWS,
    largest_group_bytes,
    write_parquet,
    write_parquet_with_images,
)
from benchmarks.measured_farm.processes import MB, Spent
from benchmarks.measured_farm.samples import photo_png, tiny_png, with_remark, write_csv, write_lines, write_original

MEGABYTES, LARGE_MEGABYTES = 400.0, 1000.0
TIMES_THE_LEAST = 2.0
BEYOND_MB, WHOLE_MB = 60.0, 300.0
SAMPLES = 100_000
SAMPLES_PER_SECOND = 5000.0
SHARED_IMAGES = 10
FEWER = 10
"""Where each sample has its own image, which takes far longer, so many times fewer will do."""

INSIDE_SIDE = 256
"""Of the photos inside Parquet: a row group of them has several megabytes."""

ROUNDS, LARGE_ROUNDS = 3, 1

SIMULATED = ("--editor", "simulated", "--scorer", "simulated")

WHOLE, BEYOND = "peak memory of the whole command", "peak memory beyond that with one sample"
"""Figures; of one sample in a file of the same kind where that kind is not JSON."""


class Write(Protocol):
    """A function that writes a kind of file."""

    def __call__(self, folder: Path, samples: int, *, images: list[bytes], name: str = ...) -> Path:
        """Write a file of so many samples with these images in turns; return it."""


class Case(Protocol):
    """A file to submit, and what is measured then."""

    @property
    def name(self) -> str:
        """As rows and `--case` call it."""

    @property
    def usual_rounds(self) -> int:
        """Of which the median is taken where nothing else is asked for."""

    def rows(self, rounds: int) -> Iterator[Measured]:
        """Write the file and yield its rows; each round has a farm of its own."""


@click.command()
@click.option("--case", "names", multiple=True, help="How a case begins; may be given often. [default: all]")
@click.option("--megabytes", default=MEGABYTES, show_default=True, help="Size of the file with images in it.")
@click.option("--large-megabytes", default=LARGE_MEGABYTES, show_default=True, help="Size of a larger one.")
@click.option("--samples", default=SAMPLES, show_default=True, help="Of the files that name their images by path.")
@click.option("--rounds", type=int, help="Of which the median is taken. [default: 3; of the larger file 1]")
@click.option("--json", "as_json", is_flag=True, help="A JSON line for each row; the table goes to stderr.")
def main(
    names: Sequence[str], megabytes: float, large_megabytes: float, samples: int, rounds: int | None, as_json: bool
) -> None:
    """Measure how fast benchmarks are taken in; markdown on stdout. Exit code 1 when a goal is missed."""
    chosen = chosen_by_name(cases(megabytes, large_megabytes, samples), names)
    rows = chain.from_iterable(case.rows(rounds or case.usual_rounds) for case in chosen)
    publish(rows, figures_table, as_json=as_json)


def cases(megabytes: float, large_megabytes: float, samples: int) -> list[Case]:
    """Return every case, with files so large."""
    fewer = samples // FEWER
    return [
        OriginalFile(megabytes),
        OriginalFile(large_megabytes, usual_rounds=LARGE_ROUNDS),
        *(ByPath(samples, SHARED_IMAGES, database) for database in DATABASES),
        *(ByPath(fewer, fewer, database) for database in DATABASES),
        *(ByPath(samples, SHARED_IMAGES, database, kind) for kind in (CSV, PARQUET) for database in DATABASES),
        ImagesInParquet(fewer),
    ]


# -- images in JSON ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OriginalFile:
    """A file of the original layout, so large."""

    megabytes: float
    usual_rounds: int = ROUNDS

    @property
    def name(self) -> str:
        """As rows and `--case` call it."""
        return f"one JSON file of {self.megabytes:g} MB, images in base64"

    def rows(self, rounds: int) -> Iterator[Measured]:
        """Write the file and yield its rows; each round has a farm of its own."""
        figures = (
            Figure(self.name, "submitted: read, checked, decoded, stored", "s"),
            Figure(self.name, "the least: read and hashed, images decoded", "s"),
            Figure.at_most(self.name, "submitted, to the least", "x", TIMES_THE_LEAST),
            Figure.at_most(self.name, WHOLE, "MB", WHOLE_MB),
            Figure.at_most(self.name, BEYOND, "MB", BEYOND_MB),
        )
        with tempfile.TemporaryDirectory(prefix="editfarm-original-") as folder:
            file = Path(folder) / "original.json"
            photos = write_original(file, self.megabytes)
            yield from in_rounds(figures, lambda: _original_round(file, photos), rounds)


def _original_round(file: Path, photos: Sequence[slice]) -> Sequence[float]:
    least = least_seconds(file, photos)
    with open_farm() as farm:
        one, spent = _one_sample(farm, write_lines), farm.submit(file, *SIMULATED)
    return spent.seconds, least, spent.seconds / least, *_memory(spent, one)


def least_seconds(file: Path, photos: Sequence[slice]) -> float:
    """Return the seconds that reading and hashing the file takes, and decoding the images at these places of it."""
    started = time.perf_counter()
    with file.open("rb") as opened:
        hashlib.file_digest(opened, "sha256")
        for place in photos:
            opened.seek(place.start)
            content = base64.b64decode(opened.read(place.stop - place.start), validate=True)
            Image.open(io.BytesIO(content)).load()
    return time.perf_counter() - started


# -- images by path ----------------------------------------------------------------------------------------------------


JSON_LINES, CSV, PARQUET = "JSON Lines", "CSV", "Parquet"
_WRITERS: Mapping[str, Write] = {JSON_LINES: write_lines, CSV: write_csv, PARQUET: write_parquet}


@dataclass(frozen=True)
class ByPath:
    """A file of so many samples that share so many tiny images, and where they are entered."""

    samples: int
    images: int
    database: str = SQLITE
    written_as: str = JSON_LINES
    usual_rounds: int = ROUNDS

    @property
    def name(self) -> str:
        """As rows and `--case` call it."""
        images = "each its own image" if self.images == self.samples else f"{self.images} images"
        about = f"{self.samples:,} samples by path, {images}, {self.database}"
        return about if self.written_as == JSON_LINES else f"{self.written_as}: {about}"

    def rows(self, rounds: int) -> Iterator[Measured]:
        """Write the file and yield its rows; each round has a farm of its own."""
        figures = (
            Figure.at_least(self.name, "submitted", "samples/s", SAMPLES_PER_SECOND),
            Figure(self.name, WHOLE, "MB"),
            Figure.at_most(self.name, BEYOND, "MB", BEYOND_MB),
        )
        with tempfile.TemporaryDirectory(prefix="editfarm-by-path-") as folder:
            file = _WRITERS[self.written_as](Path(folder), self.samples, images=_tiny_images(self.images))
            yield from in_rounds(figures, lambda: self._round(file), rounds)

    def _round(self, file: Path) -> Sequence[float]:
        with open_farm(self.database) as farm:
            one, spent = _one_sample(farm, _WRITERS[self.written_as]), farm.submit(file, *SIMULATED)
        return self.samples / spent.seconds, *_memory(spent, one)


def _tiny_images(count: int) -> list[bytes]:
    drawn = [tiny_png(seed) for seed in range(min(count, SHARED_IMAGES))]
    return [with_remark(drawn[number % len(drawn)], f"number {number}") for number in range(count)]


# -- images in Parquet -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ImagesInParquet:
    """A Parquet file of so many samples, each with a photo of its own inside."""

    samples: int
    usual_rounds: int = ROUNDS

    @property
    def name(self) -> str:
        """As rows and `--case` call it."""
        return f"Parquet: {self.samples:,} samples, photos inside, {GROUP_ROWS} a row group"

    def rows(self, rounds: int) -> Iterator[Measured]:
        """Write the file and yield its rows; each round has a farm of its own."""
        figures = (
            Figure(self.name, "submitted", "samples/s"),
            Figure(self.name, "size of the file", "MB"),
            Figure(self.name, "size of its largest row group", "MB"),
            Figure.at_most(self.name, WHOLE, "MB", WHOLE_MB),
            Figure(self.name, BEYOND, "MB"),  # mostly pyarrow's own: several times a row group
        )
        photos = [photo_png(seed, INSIDE_SIDE) for seed in range(SHARED_IMAGES)]
        with tempfile.TemporaryDirectory(prefix="editfarm-parquet-") as folder:
            file = write_parquet_with_images(Path(folder), self.samples, images=photos)
            yield from in_rounds(figures, lambda: self._round(file), rounds)

    def _round(self, file: Path) -> Sequence[float]:
        with open_farm() as farm:
            one, spent = _one_sample(farm, write_parquet_with_images), farm.submit(file, *SIMULATED)
        sizes = file.stat().st_size / MB, largest_group_bytes(file) / MB
        return self.samples / spent.seconds, *sizes, *_memory(spent, one)


# -- what the command takes --------------------------------------------------------------------------------------------


def _one_sample(farm: Farm, write: Write) -> Spent:
    """Submit one tiny sample: what the command takes before there is anything to do."""
    return farm.submit(write(farm.folder, 1, images=[tiny_png(0)], name="one"), *SIMULATED)


def _memory(spent: Spent, one_sample: Spent) -> tuple[float, float]:
    """Return the figures WHOLE and BEYOND."""
    return spent.peak_bytes / MB, (spent.peak_bytes - one_sample.peak_bytes) / MB


if __name__ == "__main__":
    main()
