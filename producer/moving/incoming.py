"""An archive of a run, taken into this farm: checked as a whole first, then its images, its samples, and the run.

The run is entered in one transaction; what is there before it is nothing that anybody sees. The archive is read three
times, so that memory does not grow with its images, and held to its sums each time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from sqlalchemy import Engine

from db.images import ImageStore
from db.intake import enter_samples, has_benchmark
from db.moving.enter import benchmark_name, enter_moved, is_there
from db.moving.records import MovedEdit, MovedRun, MovedSample
from producer.moving import EDITS, IMAGES, SAMPLES
from producer.moving.checked import check, contents
from producer.moving.outgoing import Counts
from producer.moving.rows import rows_of
from producer.storing import Storing


@dataclass(frozen=True)
class Imported:
    """A run that is in this farm now; `new` is False where it was before.

    `unfinished`: its jobs that had not ended; `benchmark_name`: what its benchmark is called here.
    """

    run: MovedRun
    counts: Counts
    unfinished: int
    new: bool
    benchmark_name: str


def import_run(engine: Engine, images: ImageStore, file: BinaryIO) -> Imported:
    """Take in the run of an archive. Raises ArchiveInvalid, WrongCall where another run of its id is here."""
    checked = check(file)
    run = checked.run

    def edits() -> Iterator[MovedEdit]:
        for member in contents(file, EDITS):
            yield from rows_of(member, MovedEdit)

    is_there(engine, run, edits)  # raises before anything is entered where another is
    with Storing(images) as storing:
        for member in contents(file, IMAGES):
            storing.put(member.content)
        storing.wait()
    if not has_benchmark(engine, run.benchmark.id):
        _enter_benchmark(engine, run, file)
    new = enter_moved(engine, run, edits)
    name = benchmark_name(engine, run) or run.benchmark.name
    return Imported(run, checked.counts, checked.unfinished, new, name)


def _enter_benchmark(engine: Engine, run: MovedRun, file: BinaryIO) -> None:
    chunks = ([row.model_dump() for row in rows_of(member, MovedSample)] for member in contents(file, SAMPLES))
    enter_samples(engine, run.benchmark.id, run.benchmark.name, run.benchmark.sample_count, chunks)
