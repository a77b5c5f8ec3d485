"""From a file of published scores to runs in the ledger, one for each editor, that reports read as they read any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from db.images import ImageStore
from db.imported import enter_imported
from db.intake import ContentDigest, enter_samples, has_benchmark, image_digests
from db.ledger import Ledger
from producer.benchmark.faults import Faults
from producer.published_scores.publication import Publication
from producer.published_scores.read import read_published
from producer.published_scores.samples import PublishedSample
from producer.storing import Storing

CHUNK = 5000
"""Samples entered in one transaction."""


@dataclass(frozen=True)
class ImportedFile:
    """What was entered: the ids of the runs by editor, and which of them are new.

    `aggregated` are the scorers whose scores were made of their dimensions, `missing` counts the scores that the file
    does not have.
    """

    run_ids: Mapping[str, str]
    new: Sequence[str]
    aggregated: Sequence[str]
    missing: int


def import_scores(publication: Publication, *, ledger: Ledger, images: ImageStore) -> ImportedFile:
    """Check the whole file, then enter its samples and, for each editor, a run; each run is in whole or not at all.

    Importing the same again finds the same runs. Raises BenchmarkInvalid, with nothing entered.
    """
    faults = Faults()
    found = read_published(publication, faults)
    editors = list(found.editors.values())
    if not (faults.count or editors):
        faults.add("it has no scores")
    faults.require_none(publication.path, "nothing was entered")  # a line that cannot be read leaves a gap: one fault
    asked = [editor.run(publication, found.samples, faults) for editor in editors]
    faults.require_none(publication.path, "nothing was entered")
    benchmark_id = _enter_samples(publication.name, list(found.samples.values()), ledger, images)
    for editor in editors:
        images.put(editor.edited_image(publication.name))
    entered = {run.editor: enter_imported(ledger.engine, benchmark_id, run) for run in asked}
    return ImportedFile(
        run_ids={editor: run_id for editor, (run_id, _) in entered.items()},
        new=[run_id for run_id, new in entered.values() if new],
        aggregated=[] if publication.recipe else sorted({label for editor in editors for label in editor.aggregated()}),
        missing=sum(editor.missing for editor in editors),
    )


def _enter_samples(name: str, samples: Sequence[PublishedSample], ledger: Ledger, images: ImageStore) -> str:
    """Store the placeholders of the source images, enter the samples; return the benchmark's id."""
    rows = [sample.row(name) for sample in samples]
    digest = ContentDigest()
    for row in rows:
        digest.add(row)
    benchmark_id, engine = digest.hexdigest(), ledger.engine
    if not has_benchmark(engine, benchmark_id) or any(map(images.fault, image_digests(engine, benchmark_id))):
        with Storing(images) as storing:
            for content in {image for sample in samples for image in sample.images(name)}:
                storing.put(content)
            storing.wait()
        chunks = (rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK))
        enter_samples(engine, benchmark_id, name, len(rows), chunks)
    return benchmark_id
