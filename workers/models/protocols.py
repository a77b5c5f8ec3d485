"""What the farm asks of an editor and of a scorer, and the small records that pass between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from PIL.Image import Image

from workers.models.errors import ModelFault


@dataclass(frozen=True)
class EditRequest:
    """One edit to make.

    `source` is RGB with its EXIF orientation applied. `seed` is in [0, 2**63) and depends only on the run's seed, the
    sample's key and the repeat.
    """

    key: str
    instruction: str
    source: Image
    seed: int


@dataclass(frozen=True)
class ScoreRequest:
    """One edited image to rate; all images are RGB. `reference` is None where the sample has none."""

    key: str
    instruction: str
    source: Image
    edited: Image
    reference: Image | None
    seed: int


@dataclass(frozen=True)
class Rating:
    """A score in [0, 10], finite, with whatever else the scorer wants kept beside it (JSON values)."""

    value: float
    detail: Mapping[str, object] = field(default_factory=dict)


class Editor(Protocol):
    """Turns (image, instruction, seed) into an image. Built from its options; what is costly is loaded then."""

    def edit(self, request: EditRequest) -> Image:
        """Return the edited image. Raises ModelFault where it cannot be made."""

    def close(self) -> None:
        """Give back memory and devices."""


class Scorer(Protocol):
    """Rates edited images, several in one call."""

    def score(self, batch: Sequence[ScoreRequest]) -> Sequence[Rating | ModelFault]:
        """Return a rating, or the fault, for each request in its order. Raises OutOfMemory for the batch as a whole."""

    def close(self) -> None:
        """Give back memory and devices."""
