"""The fields of a line that names samples and judgements; one that does not hold raises FieldFault, which says why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from producer.benchmark.sample import FieldFault, kind_of
from producer.benchmark.text_values import check_name

REPEATS_AT_MOST = {"repeat": 1000, "judge_repeat": 100}

_MAY_BE_NUMBERED = ("sample", "rater")
"""Names that files often have as whole numbers."""


def required_text(record: Mapping[str, Any], name: str) -> str:
    """Return the name that this field must have."""
    text = optional_text(record, name, check_name)
    if not text:
        raise FieldFault(f"{name} is {'missing' if text is None else 'empty'}")
    return text


def optional_text(record: Mapping[str, Any], name: str, check: Callable[[str, str], str]) -> str | None:
    """Return the field's text as `check` gives it; None where it has none."""
    given = record.get(name)
    if name in _MAY_BE_NUMBERED and isinstance(given, int) and not isinstance(given, bool):
        given = str(given)
    if given is None:
        return None
    if not isinstance(given, str):
        raise FieldFault(f"{name}: expected a text, found {kind_of(given)}")
    return check(given, name)


def whole_number(record: Mapping[str, Any], name: str) -> int:
    """Return which repeat this field names; without it, the first."""
    given = record.get(name)
    most = REPEATS_AT_MOST[name] - 1
    if given is None:
        return 0
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given <= most:
        shown = given if isinstance(given, int | float) and abs(given) < 1e9 else kind_of(given)
        raise FieldFault(f"{name}: expected a whole number from 0 to {most}, found {shown}")
    return given
