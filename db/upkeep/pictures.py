"""Every image that the ledger names: is it in the store, and whole?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from sqlalchemy import Row, Select, select

from db.choice import GIVEN, IMPORTED
from db.engine import reading
from db.images import MISSING, faults_among
from db.intake import asked_samples
from db.subset import Subset
from db.tables import State, benchmarks, edits, runs, samples
from db.upkeep.finding import Finding, Inspection, Standing
from db.upkeep.pages import pages

_SUBMIT = "submit the benchmark again, which stores it anew"
_NOT_MADE_HERE = {
    IMPORTED: "import the published scores again, which stores it anew",
    GIVEN: "submit the images again with --edits, which stores it anew",
}
"""What to do about an edited image by what stands in the place of its editor."""


def sample_faults(inspection: Inspection) -> Iterator[Finding]:
    """Yield the source and reference images that are lost: only the benchmark's file still has them."""
    for rows in pages(inspection.engine, _samples(inspection), samples.c.id):
        faults = _faults(inspection, (digest for row in rows for _, digest in _images_of(row)))
        for row in rows:
            for use, digest in _images_of(row):
                if digest is not None and digest in faults:
                    where = f"benchmark {row.name!r}, sample {row.key!r} ({row.category})"
                    yield Finding(where, f"{use} image {digest} is {faults[digest]}", Standing.LEFT, _SUBMIT)


def _images_of(row: Row[Any]) -> Iterator[tuple[str, str | None]]:
    """Yield the use and the digest of every image of a sample."""
    first, *more = _sources_of(row)
    yield from (("source", first), ("reference", row.reference_image))
    yield from (("further source", digest) for digest in more)


def _sources_of(row: Row[Any]) -> list[str]:
    return [row.source_image, *row.more_sources.split()]


def edit_faults(inspection: Inspection) -> Iterator[Finding]:
    """Yield the edits whose image is lost. They are queued again, unless their source is lost, too.

    Without its source an edit can only fail, and would take the scores that it has with it. What was imported or given
    cannot be made here at all.
    """
    remedies = _remedies(inspection)
    for rows in pages(inspection.engine, _edits(inspection), edits.c.id):
        faults = _faults(inspection, (row.image for row in rows))
        lost = [row for row in rows if row.image in faults]
        lost_sources = _faults(inspection, (digest for row in lost for digest in _sources_of(row)))
        without_source = {row.id for row in lost if not lost_sources.keys().isdisjoint(_sources_of(row))}
        again = [row.id for row in lost if row.id not in without_source and row.run_id not in remedies]
        if inspection.repair and again:
            inspection.ledger.remake(again)
        for row in lost:
            what = f"edited image {row.image} is {faults[row.image]}"
            if row.run_id in remedies:
                yield Finding(_place(row), what, Standing.LEFT, remedies[row.run_id])
            else:
                yield _edit_finding(inspection, row, what, can_be_made=row.id not in without_source)


def _edit_finding(inspection: Inspection, row: Row[Any], what: str, *, can_be_made: bool) -> Finding:
    where = _place(row)
    if can_be_made:
        return Finding(where, what, inspection.mended, "edit queued again, its scores forgotten")
    return Finding(where, f"{what}, and so is its source", Standing.LEFT, "submit the benchmark again, then fsck again")


def _place(row: Row[Any]) -> str:
    return f"run {row.run_id}, edit {row.id} of {row.key!r} ({row.category})"


def _remedies(inspection: Inspection) -> Mapping[str, str]:
    """Return the runs whose edits nobody here can make again, and what to do about those."""
    editor = runs.c.configuration["editor"]["name"].as_string()
    query = select(runs.c.id, editor.label("editor")).where(editor.in_(_NOT_MADE_HERE))
    with reading(inspection.engine) as connection:
        return {row.id: _NOT_MADE_HERE[row.editor] for row in connection.execute(query)}


def _faults(inspection: Inspection, digests: Iterable[str | None]) -> Mapping[str, str]:
    """Return what is wrong with those images that are not whole; each is read once."""
    return dict(faults_among(sorted(set(filter(None, digests))), partial(_fault, inspection)))


def _fault(inspection: Inspection, digest: str) -> str | None:
    fault = inspection.images.fault(digest)
    if fault == MISSING and inspection.repair and inspection.images.restore(digest):
        return inspection.images.fault(digest)  # a gc had set it aside before the ledger named it, and then died
    return fault


def _samples(inspection: Inspection) -> Select[Any]:
    images = (samples.c.source_image, samples.c.reference_image, samples.c.more_sources)
    columns = (samples.c.key, samples.c.category, *images, benchmarks.c.name)
    query = select(samples.c.id, *columns).join(benchmarks, samples.c.benchmark_id == benchmarks.c.id)
    run = inspection.run
    return query if run is None else query.where(asked_samples(run.benchmark_id, Subset.of(run.configuration)))


def _edits(inspection: Inspection) -> Select[Any]:
    columns = (edits.c.run_id, edits.c.image, samples.c.key, samples.c.category)
    sources = (samples.c.source_image, samples.c.more_sources)
    query = select(edits.c.id, *columns, *sources).join(samples, edits.c.sample_id == samples.c.id)
    if inspection.run is not None:
        query = query.where(edits.c.run_id == inspection.run.id)
    return query.where(edits.c.state == State.DONE, edits.c.image.is_not(None))
