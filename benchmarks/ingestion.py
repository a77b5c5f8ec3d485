"""Measures `producer submit`: a large file with images in it, and a hundred thousand samples: `benchmarks.ingestion`.

The large file is held against the least that must be done with it: its bytes read and hashed, its images decoded. The
command is measured as a person calls it, from its start to the run's id, with all of its memory.
"""

from __future__ import annotations

import base64
import hashlib
import io
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import click
from PIL import Image

from benchmarks.databases import DATABASES, SQLITE
from benchmarks.farm import Farm, open_farm
from benchmarks.goals import Figure, Measured, figures_table, in_rounds, publish
from benchmarks.processes import MB, Spent
from benchmarks.samples import tiny_png, with_remark, write_lines, write_original

MEGABYTES = 400.0
TIMES_THE_LEAST = 2.0
BEYOND_MB = 60.0
SAMPLES = 100_000
SAMPLES_PER_SECOND = 5000.0
SHARED_IMAGES = 10
FEWER = 10
"""Where each sample has its own image, which takes far longer, so many times fewer will do."""

SIMULATED = ("--editor", "simulated", "--scorer", "simulated")


@click.command()
@click.option("--megabytes", default=MEGABYTES, show_default=True, help="Size of the file with images in it.")
@click.option("--samples", default=SAMPLES, show_default=True, help="Of the file that names its images by path.")
@click.option("--rounds", default=3, show_default=True, help="Of which the median is taken.")
@click.option("--json", "as_json", is_flag=True, help="A JSON line for each row; the table goes to stderr.")
def main(megabytes: float, samples: int, rounds: int, as_json: bool) -> None:
    """Measure how fast benchmarks are taken in; markdown on stdout. Exit code 1 when a goal is missed."""
    shared = [Lines(samples, SHARED_IMAGES, database) for database in DATABASES]
    own = [Lines(samples // FEWER, samples // FEWER, database) for database in DATABASES]
    rows = chain(
        original_rows(megabytes, rounds), chain.from_iterable(lines_rows(file, rounds) for file in shared + own)
    )
    publish(rows, figures_table, as_json=as_json)


# -- images in the file ------------------------------------------------------------------------------------------------


def original_rows(megabytes: float, rounds: int) -> Iterator[Measured]:
    """Yield the rows of an original file of that size; each round has a farm of its own."""
    name = f"one JSON file of {megabytes:g} MB, images in base64"
    figures = (
        Figure(name, "submitted: read, checked, decoded, stored", "s"),
        Figure(name, "the least: read and hashed, images decoded", "s"),
        Figure.at_most(name, "submitted, to the least", "x", TIMES_THE_LEAST),
        Figure(name, "peak memory of the whole command", "MB"),
        Figure.at_most(name, "peak memory beyond that with one sample", "MB", BEYOND_MB),
    )
    with tempfile.TemporaryDirectory(prefix="editfarm-original-") as folder:
        file = Path(folder) / "original.json"
        photos = write_original(file, megabytes)
        yield from in_rounds(figures, lambda: _original_round(file, photos), rounds)


def _original_round(file: Path, photos: Sequence[slice]) -> Sequence[float]:
    least = least_seconds(file, photos)
    with open_farm() as farm:
        small, spent = _one_sample(farm), farm.submit(file, *SIMULATED)
    return (
        spent.seconds,
        least,
        spent.seconds / least,
        spent.peak_bytes / MB,
        (spent.peak_bytes - small.peak_bytes) / MB,
    )


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


@dataclass(frozen=True)
class Lines:
    """A file of so many samples that share so many tiny images, and where they are entered."""

    samples: int
    images: int
    database: str = SQLITE

    @property
    def name(self) -> str:
        """As rows call it."""
        images = "each its own image" if self.images == self.samples else f"{self.images} images"
        return f"{self.samples:,} samples by path, {images}, {self.database}"


def lines_rows(lines: Lines, rounds: int) -> Iterator[Measured]:
    """Yield the rows of such a file; each round has a farm of its own."""
    figures = (
        Figure.at_least(lines.name, "submitted", "samples/s", SAMPLES_PER_SECOND),
        Figure(lines.name, "peak memory of the whole command", "MB"),
        Figure.at_most(lines.name, "peak memory beyond that with one sample", "MB", BEYOND_MB),
    )
    with tempfile.TemporaryDirectory(prefix="editfarm-lines-") as folder:
        file = write_lines(Path(folder), lines.samples, images=_tiny_images(lines.images))
        yield from in_rounds(figures, lambda: _lines_round(lines, file), rounds)


def _tiny_images(count: int) -> list[bytes]:
    drawn = [tiny_png(seed) for seed in range(min(count, SHARED_IMAGES))]
    return [with_remark(drawn[number % len(drawn)], f"number {number}") for number in range(count)]


def _lines_round(lines: Lines, file: Path) -> Sequence[float]:
    with open_farm(lines.database) as farm:
        small, spent = _one_sample(farm), farm.submit(file, *SIMULATED)
    return lines.samples / spent.seconds, spent.peak_bytes / MB, (spent.peak_bytes - small.peak_bytes) / MB


def _one_sample(farm: Farm) -> Spent:
    """Submit one tiny sample: what the command takes before there is anything to do."""
    return farm.submit(write_lines(farm.folder, 1, images=[tiny_png(0)], name="one"), *SIMULATED)


if __name__ == "__main__":
    main()
