"""What the farm asks of an editor and of a scorer, and the small records that pass between them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from db.aggregate import Aggregate
from workers.models.errors import InputFault, ModelFault

if TYPE_CHECKING:
    from PIL.Image import Image

OnStep = Callable[[int, int], None]
"""Told after each denoising step: how many are done, of how many."""

OnProgress = Callable[[], None]
"""Called whenever a batch got a little further, such as by a token: who is silent for long counts as hung."""

Reserve = Callable[[int], AbstractContextManager[bool]]
"""Asks for so many bytes of host memory; within the block they are ours to allocate, if what it yields is True."""


def unobserved(_done: int, _total: int) -> None:
    """Nobody watches."""


def unwatched() -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class EditRequest:
    """One edit to make.

    `source` is RGB with its EXIF orientation applied, as are `more_sources`, which few samples have: an editor that
    takes one image asks for the `only_source`. `seed` is in [0, 2**63) and depends only on the run's seed, the
    sample's key and the repeat.
    """

    key: str
    instruction: str
    source: Image
    seed: int
    on_step: OnStep = unobserved
    more_sources: Sequence[Image] = ()

    def only_source(self) -> Image:
        """Return the source, for an editor that takes one. Raises InputFault where the sample has several."""
        if self.more_sources:
            raise InputFault(f"the sample has {1 + len(self.more_sources)} source images, and this editor takes one")
        return self.source


@dataclass(frozen=True)
class EditedImage:
    """An edited image, with whatever else the editor wants kept beside it (JSON values)."""

    image: Image
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class ScoreRequest:
    """One edited image to rate; all images are RGB. `reference` is None where the sample has none.

    `reference_text` says what a right result is, `fields` what else the benchmark says of the sample, by name.
    `aggregate` makes the score of a scorer's criteria, where the run says how; a scorer without criteria leaves it.
    """

    key: str
    category: str
    instruction: str
    description: str | None
    source: Image
    edited: Image
    reference: Image | None
    seed: int
    more_sources: Sequence[Image] = ()
    reference_text: str | None = None
    fields: Mapping[str, object] = field(default_factory=dict)
    on_progress: OnProgress = unwatched
    aggregate: Aggregate | None = None


@dataclass(frozen=True)
class Rating:
    """A score in [0, 10] or on its rubric's scale, with whatever else is to be kept beside it (JSON values)."""

    value: float
    detail: Mapping[str, object] = field(default_factory=dict)


class Model:
    """What is resident on a GPU. Built from its options alone; what is costly is loaded then.

    Loading raises ModelFault where the options do not fit the model, anything else where it may succeed another time.
    """

    @classmethod
    def fetch(cls, options: Any) -> None:
        """Bring to this host what loading needs; it may take long, and other workers may load meanwhile."""

    @classmethod
    def host_bytes(cls, options: Any) -> int:  # noqa: ARG003 - the least a model can say of any options
        """Return how much host memory loading takes at most, in bytes, as far as that is known beforehand."""
        return 0

    def facts(self) -> Mapping[str, object]:
        """Return what of the loaded model and its software shapes results and is not an option (JSON values)."""
        return {}

    def park(self, reserve: Reserve) -> bool:  # noqa: ARG002 - as above
        """Give up the device but keep the weights in host memory; False when that cannot be done: then close it."""
        return False

    def wake(self) -> None:
        """Take the device again after `park`."""

    def close(self) -> None:
        """Give back memory and devices."""


class Editor(Model, ABC):
    """Turns (image, instruction, seed) into an image."""

    @abstractmethod
    def edit(self, request: EditRequest) -> EditedImage:
        """Return the edited image. Raises ModelFault where it cannot be made."""


class Scorer(Model, ABC):
    """Rates edited images, several in one call."""

    @abstractmethod
    def score(self, batch: Sequence[ScoreRequest]) -> Sequence[Rating | ModelFault]:
        """Return a rating, or the fault, for each request in its order. Raises OutOfMemory for the batch as a whole."""
