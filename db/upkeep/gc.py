"""Images that no row names, and leftovers of writers that died, removed beside running submits and workers.

An image is put before the row that names it is committed. So only old files are looked at, and each twice: it is set
aside first, which takes its name from it; whoever puts it from then on writes it anew, and whoever had put it before
has made it young again or has had time to commit. Only what is still old and still unnamed then goes.

A store of objects cannot rename: there an image may be put between the last look at it and the loss of its name. It has
been copied before that, so nothing is lost: readers find the copy, and it is kept for as long again as an image must be
old. By then the row of whoever put it is committed, and a later gc puts the copy back; what is still unnamed then goes.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import Engine, exists, select, union

from db.engine import reading
from db.errors import WrongCall
from db.images import ImageStore, Stored
from db.tables import SEVERAL_SOURCES, edits, environments, samples
from db.upkeep.pages import PAGE


@dataclass(frozen=True)
class Removed:
    """What was removed, or would be; `aside` counts the images that a later gc removes."""

    files: int = 0
    bytes: int = 0
    aside: int = 0

    def __add__(self, other: Removed) -> Removed:
        return Removed(self.files + other.files, self.bytes + other.bytes, self.aside + other.aside)


def collect(
    engine: Engine, images: ImageStore, *, older_than_seconds: float, now: float | None = None, dry_run: bool = False
) -> Removed:
    """Remove what was last put longer ago than that and is named by no row; `now` in seconds since the epoch.

    Raises WrongCall where the ledger is as good as new: then it is not this store's ledger. Raises StoreRefused where
    nothing may be removed.
    """
    before = (time.time() if now is None else now) - older_than_seconds
    if images.keeps_aside and not dry_run:
        images.probe()  # where nothing may be removed, each gc would leave one more copy of all that is unused
    removed = _remove_unfinished(images, before, dry_run=dry_run)
    for files in _pages(images.all_set_aside()):  # by an earlier gc; before there are any of our own
        unused = _unused(engine, files, before, dry_run=dry_run)
        removed += _size(unused) if dry_run else settle(engine, images, files, before)
    for files in _pages(images.stored()):
        unused = _unused(engine, files, before, dry_run=dry_run)
        if images.keeps_aside:
            removed += Removed(aside=len(unused) if dry_run else len(images.set_aside(unused)))
        else:
            removed += _size(unused) if dry_run else settle(engine, images, images.set_aside(unused), before)
    return removed


def unnamed(engine: Engine, files: Sequence[Stored], before: float) -> list[Stored]:
    """Return those of the images that were last put before that time and that no row names now."""
    old = [file for file in files if file.modified_at < before]
    named = _named(engine, [file.digest for file in old]) if old else set()
    return [file for file in old if file.digest not in named]


def settle(engine: Engine, images: ImageStore, aside: Sequence[Stored], before: float) -> Removed:
    """Look again at images that are set aside: remove those still old and unnamed, put the others back.

    Where they are kept aside, one that has not lain there for long enough stays: whoever set it aside may still be
    about to take its name, also from what was put back.
    """
    settled = [file for file in aside if file.modified_at < before or not images.keeps_aside]
    unused = unnamed(engine, settled, before)
    images.remove(unused)
    for file in settled:
        if file not in unused:
            images.put_back(file)
    return _size(unused)


def _remove_unfinished(images: ImageStore, before: float, *, dry_run: bool) -> Removed:
    removed = Removed()
    for files in _pages(file for file in images.unfinished() if file.modified_at < before):
        removed += _size(files)
        if not dry_run:
            images.remove(files)
    return removed


def _unused(engine: Engine, files: Sequence[Stored], before: float, *, dry_run: bool) -> list[Stored]:
    """Return the unnamed of these. Raises WrongCall where they are to go and the ledger is not theirs."""
    unused = unnamed(engine, files, before)
    if unused and not dry_run:
        _require_used(engine)
    return unused


def _named(engine: Engine, digests: Sequence[str]) -> set[str]:
    columns = (samples.c.source_image, samples.c.reference_image, edits.c.image)
    with reading(engine) as connection:
        named = set(connection.scalars(union(*(select(column).where(column.in_(digests)) for column in columns))))
        more = connection.scalars(select(samples.c.more_sources).where(SEVERAL_SOURCES))
        return named.union(*(several.split() for several in more))


def _require_used(engine: Engine) -> None:
    """Raise WrongCall where nothing was ever made: environments stay when the last run is removed."""
    with reading(engine) as connection:
        if not any(connection.scalar(select(exists(select(table.c.id)))) for table in (samples, environments)):
            raise WrongCall("the ledger names no image at all: do FARM_DATABASE_URL and FARM_IMAGES belong together?")


def _size(files: Sequence[Stored]) -> Removed:
    return Removed(len(files), sum(file.bytes for file in files))


def _pages(files: Iterable[Stored]) -> Iterator[list[Stored]]:
    rest = iter(files)
    while page := list(islice(rest, PAGE)):
        yield page
