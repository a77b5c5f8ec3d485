"""A sample as the lines of a file name it: what they say of it must agree, and pictures stand for its images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from db.images import digest_of
from db.rubric import there_is
from producer.benchmark.sample import Fault
from producer.published_scores.lines import ScoreLine
from producer.published_scores.placeholders import placeholder

_SAID = ("instruction", "source", "description", "reference_text", "reference")


@dataclass
class PublishedSample:
    """A sample, and what was said of it so far."""

    position: int
    category: str
    key: str
    instruction: str | None = None
    source: str | None = None
    description: str | None = None
    reference_text: str | None = None
    reference: str | None = None
    fields: dict[str, str | float | bool] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"sample {self.key!r} of category {self.category!r}"

    @property
    def there(self) -> frozenset[str]:
        """What of it is there, as a rubric's conditions name it."""
        return there_is(
            self.fields,
            reference=self.reference is not None,
            reference_text=self.reference_text,
            description=self.description,
        )

    def row(self, benchmark: str) -> dict[str, Any]:
        """Return the sample as a row of the ledger."""
        reference = self.reference_image(benchmark)
        return {
            "position": self.position,
            "key": self.key,
            "category": self.category,
            "instruction": self.instruction or "",
            "description": self.description,
            "source_image": digest_of(self.source_image(benchmark)),
            "reference_image": None if reference is None else digest_of(reference),
            "reference_text": self.reference_text,
            "fields": dict(self.fields) or None,
        }

    def images(self, benchmark: str) -> Iterator[bytes]:
        """Yield what stands for its images."""
        yield self.source_image(benchmark)
        if (reference := self.reference_image(benchmark)) is not None:
            yield reference

    def source_image(self, benchmark: str) -> bytes:
        """Return what stands for its source image: by that one's name, or by the sample's own."""
        named = ("source", self.source) if self.source else ("source of", self.category, self.key)
        return placeholder(benchmark, *named)

    def reference_image(self, benchmark: str) -> bytes | None:
        """Return what stands for its reference image; None where it has none."""
        return None if self.reference is None else placeholder(benchmark, "reference", self.reference)

    def learn(self, line: ScoreLine) -> Iterator[Fault]:
        """Take in what a line says of the sample; yield a fault where an earlier line says something else."""
        for name in _SAID:
            said, known = getattr(line, name), getattr(self, name)
            if known is None:
                setattr(self, name, said)
            elif said not in (None, known):
                yield self._disagrees(line, name)
        for name, value in line.fields.items():
            known = self.fields.setdefault(name, value)
            if known != value or isinstance(known, bool) != isinstance(value, bool):  # to Python, true is 1
                yield self._disagrees(line, f"field {name!r}")

    def _disagrees(self, line: ScoreLine, what: str) -> Fault:
        return Fault(line.place, f"{what} of {self} is another one than on an earlier line")
