"""Scores that others have published, one a line of JSON; each line is read and checked by itself.

    {"sample": "p-1", "category": "物理", "editor": "model-x", "scorer": "gpt-4o", "dimension": "SC", "value": 7.5}

In the place of `value` there may be a `failure`, with a `reason`. `dimension` is absent, or `overall`, for the score
itself. Optional are `repeat`, `judge_repeat`, `reasoning`, `instruction`, and `source`, which names the source image.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from db.tables import FailureKind
from producer.benchmark.files import open_regular
from producer.benchmark.json_lines import read_line
from producer.benchmark.lines import Line, lines_of
from producer.benchmark.sample import Fault, FieldFault, kind_of
from producer.benchmark.text_values import check_name, check_text

OVERALL = "overall"
"""The dimension that is the score itself."""

FAILURES: Mapping[str, FailureKind] = {
    "edit_failed": FailureKind.MODEL,
    "judge_failed": FailureKind.MODEL,
    "unparsed": FailureKind.UNPARSED,
    "refused": FailureKind.REFUSED,
    "lost": FailureKind.POISON,
}
"""What may have come of a score in place of a value, as reports call it, and what the ledger knows it as."""

EDIT_FAILED = "edit_failed"

REPEATS_AT_MOST = {"repeat": 1000, "judge_repeat": 100}


@dataclass(frozen=True, slots=True)
class ScoreLine:
    """One line: what one scorer gave one edit in one dimension, or why it gave nothing."""

    number: int
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


def read_lines(path: Path, scale: tuple[float, float]) -> Iterator[ScoreLine | Fault]:
    """Yield the lines in their order, a fault where there is no usable one; empty lines are passed over.

    Raises OSError.
    """
    with open_regular(path) as file:
        for line in lines_of(file):
            yield _line(line, scale) if isinstance(line, Line) else line


def _line(line: Line, scale: tuple[float, float]) -> ScoreLine | Fault:
    place = f"line {line.number}"
    record = read_line(place, line.text)
    if isinstance(record, Fault):
        return record
    if not isinstance(record, Mapping):
        return Fault(place, f"expected an object, found {kind_of(record)}")
    try:
        return _score_line(line.number, record, scale)
    except FieldFault as fault:
        return Fault(place, str(fault))


def _score_line(number: int, record: Mapping[str, Any], scale: tuple[float, float]) -> ScoreLine:
    value, failure = record.get("value"), record.get("failure")
    if (value is None) == (failure is None):
        raise FieldFault(f"expected either a value or a failure, found {'neither' if value is None else 'both'}")
    return ScoreLine(
        number=number,
        editor=_required(record, "editor"),
        category=_required(record, "category"),
        sample=_required(record, "sample"),
        repeat=_count(record, "repeat"),
        scorer=_required(record, "scorer"),
        judge_repeat=_count(record, "judge_repeat"),
        dimension=_optional(record, "dimension", check_name) or OVERALL,
        value=None if value is None else _value(value, scale),
        failure=None if failure is None else _failure(failure),
        reason=_optional(record, "reason", check_text) or "",
        reasoning=_optional(record, "reasoning", check_text) or "",
        instruction=_optional(record, "instruction", check_text),
        source=_optional(record, "source", check_name),
    )


def _required(record: Mapping[str, Any], name: str) -> str:
    text = _optional(record, name, check_name)
    if not text:
        raise FieldFault(f"{name} is {'missing' if text is None else 'empty'}")
    return text


def _optional(record: Mapping[str, Any], name: str, check: Callable[[str, str], str]) -> str | None:
    given = record.get(name)
    if name == "sample" and isinstance(given, int) and not isinstance(given, bool):
        given = str(given)
    if given is None:
        return None
    if not isinstance(given, str):
        raise FieldFault(f"{name}: expected a text, found {kind_of(given)}")
    return check(given, name)


def _count(record: Mapping[str, Any], name: str) -> int:
    given = record.get(name)
    most = REPEATS_AT_MOST[name] - 1
    if given is None:
        return 0
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given <= most:
        shown = given if isinstance(given, int | float) and abs(given) < 1e9 else kind_of(given)
        raise FieldFault(f"{name}: expected a whole number from 0 to {most}, found {shown}")
    return given


def _value(given: object, scale: tuple[float, float]) -> float:
    least, most = scale
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise FieldFault(f"value: expected a number, found {kind_of(given)}")
    if not least <= given <= most:  # NaN and the infinities are not either
        raise FieldFault(f"value is {_short(given)}, which is not from {least:g} to {most:g} (--scale)")
    return float(given)


def _failure(given: object) -> str:
    if not isinstance(given, str) or given not in FAILURES:
        found = repr(given) if isinstance(given, str) else kind_of(given)
        raise FieldFault(f"failure: expected one of {', '.join(FAILURES)}, found {found}")
    return given


def _short(number: float) -> str:
    return "beyond all bounds" if abs(number) >= 1e300 else f"{number:.12g}"  # a whole number may have any length
