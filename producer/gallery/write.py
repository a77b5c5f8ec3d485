"""The gallery of one run, or of several side by side, written to the disk."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Engine

from db.images import ImageStore
from db.samples import recorded_samples
from producer.comparison.schema import Comparison
from producer.gallery.content import gallery_content
from producer.gallery.matching import Matched, matched
from producer.gallery.originals import originals_for
from producer.gallery.page import page
from producer.gallery.thumbnails import SIDE_PIXELS, Picture, embed_thumbnails, make_thumbnails
from producer.report.schema import Report

LARGER_SIDE_PIXELS = 768
"""The longer side of an image that a single file holds while these are few: it has no full size to show instead."""

FEW_IMAGES = 300


def write_gallery(
    reports: Sequence[Report],
    engine: Engine,
    images: ImageStore,
    folder: Path,
    *,
    comparison: Comparison | None = None,
    single_file: bool = False,
) -> Path:
    """Write the gallery of one run, or of several side by side, and return the path of its index.html.

    `folder` is made where it is not there; its thumbnails are kept, its index.html is replaced. The page links to the
    full images by relative paths: to where the store has them or, where the store is no folder, to copies beside the
    page. With `single_file`, `folder` is the path of one HTML file that holds its images itself, without full sizes. An
    image that cannot be read is shown as such. A `comparison` of the same runs stands on top of several.
    """
    samples = matched([recorded_samples(engine, report.run) for report in reports])
    digests = dict.fromkeys(digest for one in samples for digest in one.digests())
    if single_file:
        folder.parent.mkdir(parents=True, exist_ok=True)
        side = LARGER_SIDE_PIXELS if len(digests) <= FEW_IMAGES else SIDE_PIXELS
        return _write(folder, reports, samples, embed_thumbnails(digests, images, side), None, comparison)
    source, originals = originals_for(digests, images, folder)
    pictures = make_thumbnails(digests, source, folder / "images")
    return _write(folder / "index.html", reports, samples, pictures, originals, comparison)


def _write(
    path: Path,
    reports: Sequence[Report],
    samples: Sequence[Matched],
    pictures: dict[str, Picture],
    originals: str | None,
    comparison: Comparison | None,
) -> Path:
    content = gallery_content(reports, samples, pictures, originals)
    embedded = [picture.uri for picture in pictures.values()] if originals is None else None
    unfinished = path.with_name(f".{path.name}-{os.getpid()}")
    unfinished.write_text(page(reports, content, embedded, comparison), encoding="utf-8")
    unfinished.replace(path)
    return path
