"""Runs of images that were given, for tests that are about what becomes of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from db.configuration import RunConfiguration
from db.given import GivenEdit, enter_given, with_images
from db.images import digest_of
from db.intake import enter_samples
from db.ledger import Ledger
from tests.factories import configuration, content_digest, png

LOOKED_FOR = "no image is called so"

Place = tuple[int, int]
"""Position of a sample, and repeat."""


def given_edits(images: Sequence[str | None] | dict[Place, str | None]) -> list[GivenEdit]:
    """Return an edit for each: its image's digest, or None where it is missing; of the first repeat by position."""
    by_place = images if isinstance(images, dict) else {(position, 0): one for position, one in enumerate(images)}
    return [GivenEdit(*place, image, "" if image else LOOKED_FOR) for place, image in by_place.items()]


def asked(label: str = "theirs", **given: Any) -> RunConfiguration:
    """Return the configuration of a run of given images, before anything is known of them."""
    return configuration(editor={"name": "given", "label": label}, **given)


def samples_of(ledger: Ledger, categories: Sequence[str], source: str | None = None) -> str:
    """Enter a benchmark with a sample of each of these categories, `p-0` and so on; return its id."""
    rows = [
        {
            "position": position,
            "key": f"p-{position}",
            "category": category,
            "instruction": "make it rain",
            "description": None,
            "source_image": source or digest_of(png()),
            "reference_image": None,
        }
        for position, category in enumerate(categories)
    ]
    benchmark = content_digest(rows)
    enter_samples(ledger.engine, benchmark, "made up", len(rows), [rows])
    return benchmark


def enter_images(
    ledger: Ledger,
    images: Sequence[str | None] | dict[Place, str | None],
    *,
    benchmark: str | None = None,
    label: str = "theirs",
    **given: Any,
) -> tuple[str, bool]:
    """Enter a run of these images; return its id and whether it is new."""
    edits = given_edits(images)
    count = 1 + max(edit.position for edit in edits)
    of = benchmark or samples_of(ledger, ["物理"] * count)
    return enter_given(ledger.engine, of, with_images(asked(label, **given), edits), edits, {})
