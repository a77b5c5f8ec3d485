"""Images that no row names, and leftovers of writers that died, removed beside running submits and workers.

An image is put before the row that names it is committed. So only old files are looked at, and each twice: it is set
aside first, which takes its name from it; whoever puts it from then on writes it anew, and whoever had put it before
has made it young again or has had time to commit. Only what is still old and still unnamed then goes.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from sqlalchemy import Engine, exists, select, union

from db.engine import reading
from db.errors import WrongCall
from db.images import ImageStore, Stored, look
from db.tables import SEVERAL_SOURCES, edits, samples
from db.upkeep.pages import PAGE


@dataclass(frozen=True)
class Removed:
    """What was removed, or would be."""

    files: int = 0
    bytes: int = 0

    def __add__(self, other: Removed) -> Removed:
        return Removed(self.files + other.files, self.bytes + other.bytes)


def collect(
    engine: Engine, images: ImageStore, *, older_than_seconds: float, now: float | None = None, dry_run: bool = False
) -> Removed:
    """Remove what was last put longer ago than that and is named by no row; `now` in seconds since the epoch.

    Raises WrongCall where the ledger names no image at all: then it is not this store's ledger.
    """
    before = (time.time() if now is None else now) - older_than_seconds
    removed = _remove_unfinished(images, before, dry_run=dry_run)
    for files in _pages(images.all_set_aside()):  # by a gc that died; before there are any of our own
        unused = unnamed(engine, files, before)
        if unused and not dry_run:
            _require_samples(engine)
        removed += _size(unused) if dry_run else settle(engine, images, [file.path for file in files], before)
    for files in _pages(images.stored()):
        unused = unnamed(engine, files, before)
        if unused and not dry_run:
            _require_samples(engine)
        removed += _size(unused) if dry_run else settle(engine, images, set_aside(images, unused), before)
    return removed


def unnamed(engine: Engine, files: Sequence[Stored], before: float) -> list[Stored]:
    """Return those of the images that were last put before that time and that no row names now."""
    old = [file for file in files if file.modified_at < before]
    named = _named(engine, [file.digest for file in old]) if old else set()
    return [file for file in old if file.digest not in named]


def set_aside(images: ImageStore, files: Sequence[Stored]) -> list[Path]:
    """Take their names from these images; return where those that were still there lie now."""
    return [aside for aside in map(images.set_aside, files) if aside is not None]


def settle(engine: Engine, images: ImageStore, aside: Sequence[Path], before: float) -> Removed:
    """Look again at images that are set aside: remove those still old and unnamed, put the others back."""
    files = [file for file in map(look, aside) if file is not None]
    unused = unnamed(engine, files, before)
    for file in files:
        if file in unused:
            file.path.unlink(missing_ok=True)  # another gc may be at the leftovers of a third
        else:
            images.put_back(file)
    return _size(unused)


def _remove_unfinished(images: ImageStore, before: float, *, dry_run: bool) -> Removed:
    removed = Removed()
    for file in images.unfinished():
        if file.modified_at < before:
            removed += _size([file])
            if not dry_run:
                file.path.unlink(missing_ok=True)
    return removed


def _named(engine: Engine, digests: Sequence[str]) -> set[str]:
    columns = (samples.c.source_image, samples.c.reference_image, edits.c.image)
    with reading(engine) as connection:
        named = set(connection.scalars(union(*(select(column).where(column.in_(digests)) for column in columns))))
        more = connection.scalars(select(samples.c.more_sources).where(SEVERAL_SOURCES))
        return named.union(*(several.split() for several in more))


def _require_samples(engine: Engine) -> None:
    with reading(engine) as connection:
        if not connection.scalar(select(exists(select(samples.c.id)))):
            raise WrongCall("the ledger names no image at all: do FARM_DATABASE_URL and FARM_IMAGES belong together?")


def _size(files: Sequence[Stored]) -> Removed:
    return Removed(len(files), sum(file.bytes for file in files))


def _pages(files: Iterable[Stored]) -> Iterator[list[Stored]]:
    rest = iter(files)
    while page := list(islice(rest, PAGE)):
        yield page
