"""A file of pairs that a judge was shown: which edit came first, which second, and which it preferred.

    {"sample": "p-1", "first": "model-x", "second": "model-y", "preferred": "first", "judge": "gpt-4o"}

`preferred` is `first`, `second` or `tie`. Optional are `category` (needed where a key is in several), `repeat` of the
edits, `judge`, and `judge_repeat` where one judge saw the same pair in the same order several times.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from producer.benchmark.faults import Faults
from producer.benchmark.fields import optional_text, required_text, whole_number
from producer.benchmark.sample import Fault, FieldFault
from producer.benchmark.text_values import check_name
from producer.judge_check.edits import Roster
from producer.judge_check.rows import read_rows


class Preferred(StrEnum):
    """What a judge may say of a pair."""

    FIRST = "first"
    SECOND = "second"
    TIE = "tie"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a judge said of two edits of a sample, by the places of both."""

    judge: str | None
    sample: int
    first: int
    second: int
    judge_repeat: int
    preferred: Preferred

    @property
    def winner(self) -> int | None:
        """The place of the edit that it preferred; None for a tie."""
        if self.preferred is Preferred.TIE:
            return None
        return self.first if self.preferred is Preferred.FIRST else self.second

    @property
    def pair(self) -> tuple[int, int]:
        """The two edits in an order that says nothing of what was shown first."""
        return min(self.first, self.second), max(self.first, self.second)


def read_pairs(path: Path, roster: Roster) -> Sequence[Verdict]:
    """Read the whole file. Raises BenchmarkInvalid with every fault, WrongCall for a file of another kind."""
    faults = Faults()
    first_places: dict[tuple[object, ...], str] = {}
    found = []
    for row in read_rows(path, "--pairs"):
        if isinstance(row, Fault):
            faults.add(row)
            continue
        try:
            verdict = _verdict(row.values, roster)
            shown = (verdict.judge, verdict.first, verdict.second, verdict.judge_repeat)
            earlier = first_places.setdefault(shown, row.place)
            if earlier != row.place:
                raise FieldFault(f"the judge has seen this pair in this order on {earlier} already (judge_repeat)")
            found.append(verdict)
        except FieldFault as fault:
            faults.add(Fault(row.place, str(fault)))
    if not faults.count and not found:
        faults.add("it has no pairs")
    faults.require_none(path, "nothing was compared")
    return found


def _verdict(fields: Mapping[str, Any], roster: Roster) -> Verdict:
    sample = roster.sample(fields)
    first, second = (roster.edit(roster.editor(fields, name), sample, fields) for name in ("first", "second"))
    if first == second:
        raise FieldFault(f"first and second are the same, {required_text(fields, 'first')!r}")
    preferred = required_text(fields, "preferred")
    if preferred not in list(Preferred):
        raise FieldFault(f"preferred: expected one of {', '.join(Preferred)}, found {preferred!r}")
    judge = optional_text(fields, "judge", check_name) or None
    return Verdict(judge, sample, first, second, whole_number(fields, "judge_repeat"), Preferred(preferred))
