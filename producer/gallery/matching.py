"""Which sample of one run is the same as which of another: what the editor was given is alike, under the same name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from db.samples import RecordedEdit, RecordedSample


@dataclass(frozen=True)
class Matched:
    """A sample with each run's edits of it; None for a run whose benchmark does not have it."""

    id: str
    sample: RecordedSample
    edits_by_run: Sequence[Sequence[RecordedEdit] | None]

    def digests(self) -> Iterator[str]:
        """Yield the images that there should be: source, reference, edited ones."""
        yield from (self.sample.source_image, *self.sample.more_sources)
        if self.sample.reference_image:
            yield self.sample.reference_image
        yield from (edit.image for edits in self.edits_by_run for edit in edits or () if edit.image)


def matched(runs: Sequence[Sequence[RecordedSample]]) -> list[Matched]:
    """Return every sample that any run has: in the order of the first, then what only later ones have."""
    found: dict[str, tuple[RecordedSample, list[Sequence[RecordedEdit] | None]]] = {}
    for number, samples in enumerate(runs):
        for sample in samples:
            _, edits_by_run = found.setdefault(identity(sample), (sample, [None] * len(runs)))
            edits_by_run[number] = sample.edits
    return [Matched(name, sample, edits) for name, (sample, edits) in found.items()]


def identity(sample: RecordedSample) -> str:
    """Return 16 hexadecimal digits that are the same in every gallery with this sample; links hold them."""
    content = (sample.category, sample.key, sample.source_image, sample.instruction, *sample.more_sources)
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
