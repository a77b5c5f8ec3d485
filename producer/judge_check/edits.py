"""All edits of the runs in one row, and where each of them is found by the names that people write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from db.queries import Run
from producer.benchmark.fields import optional_text, required_text, whole_number
from producer.benchmark.sample import FieldFault
from producer.benchmark.text_values import check_name
from producer.report.scores import RunScores
from producer.statistics.bootstrap import Indices

_NAMED = 10
"""So many names of what there is are told; of more there are only so many."""


@dataclass(frozen=True)
class Edits:
    """Every edit of every run, run after run: the category, source image and sample of each as numbers from 0."""

    categories: Sequence[str]
    category: Indices
    image: Indices
    sample: Indices


class Roster:
    """Finds edits by sample, category, editor and repeat. What it does not know raises FieldFault naming what there is.

    `identities` are the rows of the benchmark's samples, in its order. A run goes by its editor's label, or by its id.
    """

    def __init__(self, runs: Sequence[Run], scores: Sequence[RunScores], identities: Iterable[Any]) -> None:
        self._samples = _Samples.of(identities)
        self._run_ids = [run.id for run in runs]
        self._editors: dict[str, list[int]] = {}
        for number, run in enumerate(runs):
            self._editors.setdefault(str(run.configuration["editor"]["label"]), []).append(number)
        self.edits, self._places = _in_one_row(self._samples, scores)

    def sample(self, record: Mapping[str, Any]) -> int:
        """Return the number of the sample that a record names, with its category where the key is in several."""
        return self._samples.find(required_text(record, "sample"), optional_text(record, "category", check_name))

    def editor(self, record: Mapping[str, Any], name: str, *, required: bool = True) -> int:
        """Return which run a field of the record names; where there is one only, it need not be named."""
        given = required_text(record, name) if required else optional_text(record, name, check_name)
        if given is None:
            if len(self._run_ids) == 1:
                return 0
            raise FieldFault(f"{name} is missing: there are several, {_listed(self._editors)}")
        if given in self._run_ids:
            return self._run_ids.index(given)
        found = self._editors.get(given, [])
        if not found:
            raise FieldFault(f"{name} {given!r} is none of the runs': {_listed(self._editors)}")
        if len(found) > 1:
            ids = ", ".join(self._run_ids[number] for number in found)
            raise FieldFault(f"{name} {given!r} is that of several runs: name one by its id, {ids}")
        return found[0]

    def edit(self, run: int, sample: int, record: Mapping[str, Any]) -> int:
        """Return where the edit is that this run made of the sample, in the repeat that the record names."""
        repeat = whole_number(record, "repeat")
        there = self._places.get((run, sample), {})
        if repeat not in there:
            asked = f"its repeats are {_listed(map(str, there))}" if there else "the run was not asked that sample"
            raise FieldFault(f"repeat {repeat} of sample {self._samples.keys[sample]!r} is none: {asked}")
        return there[repeat]


@dataclass(frozen=True)
class _Samples:
    """The benchmark's samples by number: key and category of each; `by_key` has all of one key by their category."""

    ids: Sequence[int]
    keys: Sequence[str]
    categories: Sequence[str]
    category: Indices
    image: Indices
    by_key: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, identities: Iterable[Any]) -> _Samples:
        rows = list(identities)
        categories = {name: number for number, name in enumerate(dict.fromkeys(row.category for row in rows))}
        images = {digest: number for number, digest in enumerate(dict.fromkeys(row.source_image for row in rows))}
        by_key: dict[str, dict[str, int]] = {}
        for number, row in enumerate(rows):
            by_key.setdefault(row.key, {})[row.category] = number
        return cls(
            ids=[row.id for row in rows],
            keys=[row.key for row in rows],
            categories=list(categories),
            category=np.array([categories[row.category] for row in rows], dtype=np.intp),
            image=np.array([images[row.source_image] for row in rows], dtype=np.intp),
            by_key=by_key,
        )

    def find(self, key: str, category: str | None) -> int:
        found = self.by_key.get(key)
        if found is None:
            raise FieldFault(f"sample {key!r} is none of the benchmark's: {_listed(self.by_key)}")
        if category is None:
            if len(found) > 1:
                raise FieldFault(f"category is missing: sample {key!r} is in {_listed(found)}")
            return next(iter(found.values()))
        if category not in found:
            raise FieldFault(f"category {category!r} has no sample {key!r}: it is in {_listed(found)}")
        return found[category]


_Places = dict[tuple[int, int], dict[int, int]]
"""Where the edits of a run and sample are, by repeat."""


def _in_one_row(samples: _Samples, scores: Sequence[RunScores]) -> tuple[Edits, _Places]:
    """Return the edits of all runs, and the place of each."""
    number_of = {sample_id: number for number, sample_id in enumerate(samples.ids)}
    numbers = [np.zeros(0, dtype=np.intp)]
    places: _Places = {}
    count = 0
    for run, found in enumerate(scores):
        of_run = np.array([number_of[one] for one in found.asked.sample_ids], dtype=np.intp)[found.asked.sample]
        numbers.append(of_run)
        for sample, repeat in zip(of_run.tolist(), found.asked.repeat.tolist(), strict=True):
            places.setdefault((run, sample), {})[repeat] = count
            count += 1
    sample_of = np.concatenate(numbers)
    return Edits(samples.categories, samples.category[sample_of], samples.image[sample_of], sample_of), places


def _listed(names: Iterable[str]) -> str:
    known = list(names)
    more = [f"and {len(known) - _NAMED:,} more"] if len(known) > _NAMED else []
    return ", ".join([*map(repr, known[:_NAMED]), *more])
