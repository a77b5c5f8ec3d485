"""A run of this farm, written as an archive in memory that does not grow with its images."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, BinaryIO

from sqlalchemy import Connection, Engine

from db.engine import reading
from db.errors import FarmError
from db.images import ImageMissing, ImageStore
from db.moving.read import open_jobs, read_edits, read_run, read_samples
from db.moving.records import MovedSample
from db.tables import SCHEMA_VERSION, Stage
from producer.moving import EDITS, FORMAT, IMAGES, RUN, SAMPLES, SUMS
from producer.moving.archive import Member, Writer
from producer.moving.rows import digest, in_members, line


@dataclass
class Counts:
    """How much there is of everything."""

    samples: int = 0
    edits: int = 0
    scores: int = 0
    images: int = 0


@dataclass(frozen=True)
class Exported:
    """What was written, and how many jobs of the run had not ended."""

    counts: Counts
    bytes: int
    unfinished: dict[Stage, int]


def export(engine: Engine, images: ImageStore, run_id: str, file: BinaryIO) -> Exported:
    """Write the run, as it is at this moment. Raises FarmError naming an image that is not there or not whole."""
    archive, sums, named, counts = Writer(file), {}, dict[bytes, None](), Counts()
    with reading(engine) as connection:
        unfinished = open_jobs(connection, run_id)
        for member in _of_rows(connection, run_id, named, counts):
            sums[member.name] = digest(member.content)
            archive.add(*member)
    for name in named:
        archive.add(f"{IMAGES}/{name.hex()}", _image(images, name.hex(), run_id))
    counts.images = len(named)
    archive.add(SUMS, line({"members": sums, "counts": asdict(counts)}))
    archive.end()
    return Exported(counts, archive.bytes, unfinished)


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file beside this path that takes its name at the end of the block, and is gone where that is not come to.

    It is this user's alone, as the farm's own folder is.
    """
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-", delete=False) as file:
        try:
            yield file  # type: ignore[misc]  # it is one, in all that is asked of it
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except BaseException:
            with suppress(FileNotFoundError):
                Path(file.name).unlink()
            raise


def _of_rows(connection: Connection, run_id: str, named: dict[bytes, None], counts: Counts) -> Iterator[Member]:
    """Yield the members that hold rows; take down the images that they name."""
    run = read_run(connection, run_id)
    written_by = {"format": FORMAT, "editfarm": version("editfarm"), "schema": SCHEMA_VERSION}
    yield Member(RUN, line({**written_by, "run": run}))

    def samples() -> Iterator[dict[str, Any]]:
        for sample in read_samples(connection, run["benchmark"]["id"]):
            counts.samples += 1
            _take_down(named, MovedSample.model_construct(**sample).images())
            yield sample

    def edits() -> Iterator[dict[str, Any]]:
        for edit in read_edits(connection, run_id):
            counts.edits += 1
            counts.scores += len(edit.get("scores", ()))
            _take_down(named, [edit["image"]] if "image" in edit else [])
            yield edit

    yield from in_members(SAMPLES, samples())
    yield from in_members(EDITS, edits())


def _take_down(named: dict[bytes, None], digests: Iterable[str]) -> None:
    named.update(dict.fromkeys(map(bytes.fromhex, digests)))


def _image(images: ImageStore, name: str, run_id: str) -> bytes:
    try:
        return images.get(name)
    except ImageMissing as error:
        raise FarmError(f"{error}; `python -m producer fsck {run_id}` says which sample it is of") from error
