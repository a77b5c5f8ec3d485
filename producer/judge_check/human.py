"""A file of what people said of edits: ratings of one, or preferences between two; each row is checked by itself.

    {"sample": "p-1", "category": "物理", "editor": "model-x", "rater": "anna", "value": 4}
    {"sample": "p-1", "better": "model-x", "worse": "model-y", "rater": "anna"}

`category` is needed where a key is in several, `editor` where there are several runs. Optional are `repeat`, `rater`
and `dimension`, without which it is about the score itself. Two that are equally good have a `tie` that is true.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from producer.benchmark.faults import Faults
from producer.benchmark.fields import optional_text, required_text
from producer.benchmark.formats.record import Record
from producer.benchmark.sample import Fault, FieldFault, kind_of
from producer.benchmark.text_values import check_name
from producer.judge_check.edits import Roster
from producer.judge_check.rows import read_rows
from producer.report.schema import OVERALL
from producer.statistics.agreement import Rated
from producer.statistics.bootstrap import Indices

LEAST_SIZE, MOST_SIZE = 1e-30, 1e30
"""No scale of ratings is so wide; the squares of what lies beyond would be no numbers."""


@dataclass(frozen=True)
class Preferences:
    """What people prefer: the places of the better and of the worse edit; of a tie, those of both in either order."""

    better: Indices
    worse: Indices
    is_tie: NDArray[np.bool_]

    def decided(self) -> Preferences:
        """Return those that are no tie."""
        where = ~self.is_tie
        return Preferences(self.better[where], self.worse[where], self.is_tie[where])


@dataclass(frozen=True)
class Human:
    """All that a file says, by dimension; units of the ratings are places of edits."""

    ratings: Mapping[str, Rated]
    preferences: Mapping[str, Preferences]
    raters: int

    @property
    def dimensions(self) -> list[str]:
        """What it is about, the score itself first."""
        return sorted({*self.ratings, *self.preferences}, key=lambda name: (name != OVERALL, name))


def read_human(path: Path, roster: Roster, dimensions: Collection[str]) -> Human:
    """Read the whole file. Raises BenchmarkInvalid with every fault, WrongCall for a file of another kind."""
    reading, faults = _Reading(roster, dimensions), Faults()
    for row in read_rows(path, "--human"):
        faults.add(*([row] if isinstance(row, Fault) else reading.take_in(row)))
    if not faults.count and not reading.first_places:
        faults.add("it has no ratings and no preferences")
    faults.require_none(path, "nothing was compared")
    return reading.human()


@dataclass
class _Reading:
    """Takes in rows, one after the other."""

    roster: Roster
    dimensions: Collection[str]
    first_places: dict[Hashable, str] = field(default_factory=dict)
    raters: dict[str | None, int] = field(default_factory=dict)
    ratings: dict[str, list[tuple[int, int, float]]] = field(default_factory=dict)
    preferences: dict[str, list[tuple[int, int, bool]]] = field(default_factory=dict)

    def take_in(self, row: Record) -> Iterator[Fault]:
        """Take in a row; yield what is wrong with it."""
        try:
            self._take_in(row.place, row.values)
        except FieldFault as fault:
            yield Fault(row.place, str(fault))

    def human(self) -> Human:
        return Human(
            ratings={name: _rated(rows) for name, rows in self.ratings.items()},
            preferences={name: _preferences(rows) for name, rows in self.preferences.items()},
            raters=len(self.raters),
        )

    def _take_in(self, place: str, fields: Mapping[str, Any]) -> None:
        is_tie = _truth(fields, "tie")
        is_preference = is_tie or any(fields.get(name) is not None for name in ("better", "worse"))
        if is_preference == (fields.get("value") is not None):
            raise FieldFault(
                "expected either a value or better and worse, found " + ("both" if is_preference else "neither")
            )
        sample, dimension = self.roster.sample(fields), self._dimension(fields)
        rater = optional_text(fields, "rater", check_name) or None
        whose = self.raters.setdefault(rater, len(self.raters))
        if is_preference:
            better, worse = self._two(sample, fields)
            self._require_first(place, ("preference", dimension, rater, *sorted((better, worse))), rater, "pair")
            self.preferences.setdefault(dimension, []).append((better, worse, is_tie))
        else:
            edit = self.roster.edit(self.roster.editor(fields, "editor", required=False), sample, fields)
            value = _value(fields["value"])
            self._require_first(place, ("rating", dimension, rater, edit), rater, "edit")
            self.ratings.setdefault(dimension, []).append((edit, whose, value))

    def _two(self, sample: int, fields: Mapping[str, Any]) -> tuple[int, int]:
        two = [self.roster.editor(fields, name) for name in ("better", "worse")]
        if two[0] == two[1]:
            raise FieldFault(f"better and worse are the same, {required_text(fields, 'better')!r}")
        better, worse = (self.roster.edit(run, sample, fields) for run in two)
        return better, worse

    def _dimension(self, fields: Mapping[str, Any]) -> str:
        given = optional_text(fields, "dimension", check_name) or OVERALL
        if given not in self.dimensions:
            known = ", ".join(map(repr, self.dimensions))
            raise FieldFault(f"dimension {given!r} is none that a scorer gives: {known}")
        return given

    def _require_first(self, place: str, what: Hashable, rater: str | None, of: str) -> None:
        first = self.first_places.setdefault(what, place)
        if first != place:
            who = f"rater {rater!r}" if rater else "the rater, who has no name,"
            hint = "" if rater else " (where there are several raters, each row names its own)"
            raise FieldFault(f"{who} has said of this {of} on {first} already{hint}")


def _rated(rows: list[tuple[int, int, float]]) -> Rated:
    """Return the ratings brought to a scale of about 1, for rounding's sake: no figure depends on it."""
    edit, rater, value = (np.array(column) for column in zip(*rows, strict=True))
    sizes = np.abs(value[value != 0])
    return Rated(edit, rater, value / (np.median(sizes) if sizes.size else 1.0))


def _preferences(rows: list[tuple[int, int, bool]]) -> Preferences:
    better, worse, is_tie = (np.array(column, dtype=np.intp) for column in zip(*rows, strict=True))
    return Preferences(better, worse, is_tie == 1)


def _value(given: object) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise FieldFault(f"value: expected a number, found {kind_of(given)}")
    if given != 0 and not LEAST_SIZE <= abs(given) <= MOST_SIZE:  # NaN is not either
        raise FieldFault(f"value: expected 0 or a number of a size from {LEAST_SIZE:g} to {MOST_SIZE:g}")
    return float(given)


def _truth(fields: Mapping[str, Any], name: str) -> bool:
    given = fields.get(name)
    if given is not None and not isinstance(given, bool):
        raise FieldFault(f"{name}: expected true or false, found {kind_of(given)}")
    return bool(given)
