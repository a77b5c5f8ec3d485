"""What the samples of a benchmark are called: by which the images that are given for them are found."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from db.categories import ENGLISH_ALIASES, with_alias
from db.prompts import OwnPrompt
from producer.benchmark.sample import Benchmark, Fault, Sample


class Named:
    """A benchmark that remembers what its samples are called when it is read."""

    def __init__(self, benchmark: Benchmark) -> None:
        self._benchmark = benchmark
        self.names = Names([])

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self._benchmark.path

    @property
    def name(self) -> str:
        """What the benchmark calls itself."""
        return self._benchmark.name

    @property
    def prompts(self) -> Mapping[str, OwnPrompt]:
        """The judge's prompts that the file brings."""
        return self._benchmark.prompts

    def __iter__(self) -> Iterator[Sample | Fault]:
        """Yield the samples in their order; the names are those of what was read last."""
        names: list[tuple[str, str]] = []
        self.names = Names(names)
        for item in self._benchmark:
            if isinstance(item, Sample):
                names.append((item.category, item.key))
            yield item


@dataclass(frozen=True)
class Names:
    """The samples of a benchmark in its order, (category, key) each."""

    samples: Sequence[tuple[str, str]]

    @cached_property
    def by_key(self) -> Mapping[str, Sequence[int]]:
        """The positions of the samples of each key; it may be used in several categories."""
        positions: dict[str, list[int]] = defaultdict(list)
        for position, (_, key) in enumerate(self.samples):
            positions[composed(key)].append(position)
        return dict(positions)

    @cached_property
    def categories(self) -> Mapping[str, str]:
        """The categories by what a folder or a table may call them: the name, or its English alias, in any case."""
        names = dict.fromkeys(category for category, _ in self.samples)
        aliases = {folded(ENGLISH_ALIASES[name]): name for name in names if name in ENGLISH_ALIASES}
        return {**aliases, **{folded(name): name for name in names}}

    def shown(self, position: int) -> str:
        """Return the sample as faults name it."""
        category, key = self.samples[position]
        return f"sample {key!r} ({with_alias(category)})"


@dataclass(frozen=True, slots=True)
class Found:
    """Where the image of one edit is: `place` is how faults name it. Without a path, `missing` says what there was."""

    position: int
    repeat: int
    place: str
    path: str | None
    missing: str = ""


def composed(name: str) -> str:
    """Return a name in the one form in which it is compared: some systems take accents off their letters."""
    return unicodedata.normalize("NFC", name)


def folded(name: str) -> str:
    """Return the same without regard to capitals."""
    return composed(name).casefold()
