"""Scores that others have published, one a line of JSON; each line is read and checked by itself.

    {"sample": "p-1", "category": "物理", "editor": "model-x", "scorer": "gpt-4o", "dimension": "SC", "value": 7.5}

In the place of `value` there may be a `failure`, with a `reason`, or a `reply`: what a judge wrote, which is read as
this farm's own judges are; its criteria are dimensions, and one that cannot be read has failed as unparsed. `dimension`
is absent, or `overall`, for the score itself. Optional are `repeat`, `judge_repeat`, `reasoning`, `instruction`, and
`source`, which names the source image.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from db.replies import Unreadable, read_reply
from db.rubric import JUDGED_ON
from db.tables import FailureKind
from producer.benchmark.fields import optional_text, required_text, whole_number
from producer.benchmark.formats.json_lines import JsonLines
from producer.benchmark.formats.record import Record
from producer.benchmark.sample import Fault, FieldFault, kind_of
from producer.benchmark.text_values import check_name, check_text

OVERALL = "overall"
"""The dimension that is the score itself."""

FAILURES: Mapping[str, FailureKind] = {
    "edit_failed": FailureKind.MODEL,
    "missing": FailureKind.MISSING,
    "judge_failed": FailureKind.MODEL,
    "unparsed": FailureKind.UNPARSED,
    "refused": FailureKind.REFUSED,
    "lost": FailureKind.POISON,
}
"""What may have come of a score in place of a value, as reports call it, and what the ledger knows it as."""

OF_THE_EDIT = ("edit_failed", "missing")
"""Those that say that there is no edited image: then nobody can have scored it."""


@dataclass(frozen=True, slots=True)
class ScoreLine:
    """One line: what one scorer gave one edit in one dimension, or why it gave nothing.

    Of a file that follows a recipe it may be about a `question` in the place of a dimension; what has neither value nor
    failure there is a reply that is still to be read.
    """

    place: str
    editor: str
    category: str
    sample: str
    repeat: int
    scorer: str
    judge_repeat: int
    dimension: str
    value: float | None
    failure: str | None
    reason: str
    reasoning: str
    instruction: str | None
    source: str | None
    reply: str = ""

    question: str | None = None
    description: str | None = None
    reference_text: str | None = None
    reference: str | None = None
    fields: Mapping[str, str | float | bool] = field(default_factory=dict)

    @property
    def about(self) -> str:
        """What of the score it says: a dimension, or a question, which is told from one by what no name may hold."""
        return self.dimension if self.question is None else f"\n{self.question}"


LineReader = Callable[[str, Mapping[str, Any]], Sequence[ScoreLine]]
"""Takes the place of a line and its object; returns what it says, or raises FieldFault."""


def read_lines(path: Path, read: LineReader) -> Iterator[ScoreLine | Fault]:
    """Yield the lines in their order, a fault where there is no usable one; empty lines are passed over.

    Raises OSError.
    """
    for record in JsonLines(path):
        yield from _lines(record, read) if isinstance(record, Record) else [record]


def _lines(line: Record, read: LineReader) -> Sequence[ScoreLine | Fault]:
    try:
        return read(line.place, line.values)
    except FieldFault as fault:
        return [Fault(line.place, str(fault))]


# -- on one scale ------------------------------------------------------------------------------------------------------


def on_scale(scale: tuple[float, float]) -> LineReader:
    """Return what reads lines whose numbers are all on this scale."""
    return lambda place, record: _on_scale(place, record, scale)


def _on_scale(place: str, record: Mapping[str, Any], scale: tuple[float, float]) -> Sequence[ScoreLine]:
    """Return what one line of the file says: one number or failure, or all that a judge's reply comes to."""
    if record.get("reply") is None:
        return [_score_line(place, record, scale)]
    heard, criteria = _heard(record, scale)
    dimensions = [{"dimension": name, "value": value} for name, value in criteria.items() if name != OVERALL]
    return [_score_line(place, {**record, **heard, **one}, scale) for one in ({}, *dimensions)]


def _heard(record: Mapping[str, Any], scale: tuple[float, float]) -> tuple[Mapping[str, Any], Mapping[str, float]]:
    """Return the fields that a judge's reply stands for, and its criteria.

    Raises FieldFault for a reply beside what it stands for.
    """
    beside = next((name for name in ("value", "failure", "dimension") if record.get(name) is not None), None)
    if beside is not None:
        raise FieldFault(f"expected either a reply or a {beside}, found both")
    if scale != JUDGED_ON:
        raise FieldFault("a reply is read on a scale of 0 to 10, and the file has another one (--scale)")
    try:
        verdict = read_reply(optional_text(record, "reply", check_text) or "")
    except Unreadable as unreadable:
        return {"failure": "unparsed", "reason": str(unreadable)}, {}
    return {"value": verdict.value, "reasoning": verdict.reasoning or None, "reply": None}, verdict.criteria


def _score_line(place: str, record: Mapping[str, Any], scale: tuple[float, float]) -> ScoreLine:
    value, failure = record.get("value"), record.get("failure")
    if (value is None) == (failure is None):
        raise FieldFault(f"expected either a value or a failure, found {'neither' if value is None else 'both'}")
    return ScoreLine(
        place=place,
        **names_in(record),
        dimension=optional_text(record, "dimension", check_name) or OVERALL,
        value=None if value is None else number_on(scale, value, "--scale"),
        failure=None if failure is None else failure_in(failure),
        **words_in(record),
    )


# -- fields ------------------------------------------------------------------------------------------------------------


def names_in(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return whose score a line is about."""
    return {
        "editor": required_text(record, "editor"),
        "category": required_text(record, "category"),
        "sample": required_text(record, "sample"),
        "repeat": whole_number(record, "repeat"),
        "scorer": required_text(record, "scorer"),
        "judge_repeat": whole_number(record, "judge_repeat"),
    }


def words_in(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a line says in words."""
    return {
        "reason": optional_text(record, "reason", check_text) or "",
        "reasoning": optional_text(record, "reasoning", check_text) or "",
        "instruction": optional_text(record, "instruction", check_text),
        "source": optional_text(record, "source", check_name),
        "reply": optional_text(record, "reply", check_text) or "",
    }


def number_on(scale: tuple[float, float], given: object, whose: str) -> float:
    """Return a value that lies on the scale, of which `whose` says where it is from."""
    least, most = scale
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise FieldFault(f"value: expected a number, found {kind_of(given)}")
    if not least <= given <= most:  # NaN and the infinities are not either
        raise FieldFault(f"value is {_short(given)}, which is not from {least:g} to {most:g} ({whose})")
    return float(given)


def failure_in(given: object) -> str:
    """Return a failure by its name."""
    if not isinstance(given, str) or given not in FAILURES:
        found = repr(given) if isinstance(given, str) else kind_of(given)
        raise FieldFault(f"failure: expected one of {', '.join(FAILURES)}, found {found}")
    return given


def _short(number: float) -> str:
    return "beyond all bounds" if abs(number) >= 1e300 else f"{number:.12g}"  # a whole number may have any length
