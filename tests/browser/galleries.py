"""Galleries that several tests look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Engine

from db.images import FolderStore
from producer.comparison.gather import compare_runs
from producer.gallery.write import write_gallery
from tests.browser.scene import Edit, Sample, Score, Scorer, enter, picture

SCORERS = [Scorer("strict"), Scorer("mild", scale=(1, 5))]

SCORED = 26
"""Samples of the usual run that both scorers scored; three more have failures of three kinds."""


def usual_samples(images: FolderStore, shift: float = 0.0) -> list[Sample]:
    """Return 26 samples with scores and three failures, in two categories; `k-00` is the best, `k-25` the worst.

    The scorers disagree most on `k-07`, whose score a person had given anew. Shifted, `k-03` alone is much worse.
    """
    source, edited, reference = (picture(images, colour) for colour in ("navy", "orange", "green"))
    scored = [
        Sample(
            f"k-{number:02}",
            source,
            [Edit(edited, scores=_scores(number, shift))],
            category="物理" if number % 2 == 0 else "社会",
            instruction=f"Paint number {number} RED",
            description="a plain square" if number == 5 else None,
            reference=reference if number == 4 else None,
        )
        for number in range(SCORED)
    ]
    unreadable = {"strict": Score(failure=("unparsed", "the reply names no score"), reply="Hm."), "mild": Score(3)}
    refused = {"strict": Score(failure=("refused", "the judge declined")), "mild": Score(2)}
    return [
        *scored,
        Sample("f-edit", source, [Edit(failure=("input", "the instruction is empty"))]),
        Sample("f-unparsed", source, [Edit(edited, scores=unreadable)]),
        Sample("f-refused", source, [Edit(edited, scores=refused)], category="社会"),
    ]


def _scores(number: int, shift: float) -> dict[str, Score]:
    value = 10 - number * 0.25
    strict = Score(
        value - (4 if shift and number == 3 else 0) + (shift if value < 9 else 0),
        reasoning=f"Reason {number}",
        criteria={"realism": 7.5},
        retried=number == 7,
    )
    return {"strict": strict, "mild": Score(5 if number == 7 else 1 + value * 0.4)}


def usual_gallery(folder: Path, engine: Engine, images: FolderStore) -> Path:
    """Write the gallery of the usual run."""
    report = enter(engine, "a" * 12, usual_samples(images), SCORERS)
    return write_gallery([report], engine, images, folder)


def gallery_of(
    samples: Sequence[Sample], folder: Path, engine: Engine, images: FolderStore, scorers: Sequence[Scorer] = SCORERS
) -> Path:
    """Write the gallery of a run of these samples."""
    return write_gallery([enter(engine, "a" * 12, samples, scorers)], engine, images, folder)


def compared_gallery(folder: Path, engine: Engine, images: FolderStore) -> Path:
    """Write the usual run beside one that is a little better, but for `k-03`, and that has no `k-25`."""
    first = enter(engine, "a" * 12, usual_samples(images), SCORERS)
    others = [sample for sample in usual_samples(images, shift=0.5) if sample.key != "k-25"]
    second = enter(engine, "b" * 12, others, SCORERS)
    comparison = compare_runs(engine, [first.run, second.run], shared_only=True)
    return write_gallery([first, second], engine, images, folder, comparison=comparison)
