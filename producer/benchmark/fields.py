"""The fields of a line that names samples and judgements; one that does not hold raises FieldFault, which says why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from producer.benchmark import text_values
from producer.benchmark.sample import FieldFault, kind_of
from producer.benchmark.text_values import Check, check_name, text_in

REPEATS_AT_MOST = {"repeat": 1000, "judge_repeat": 100}

_MAY_BE_NUMBERED = ("key", "sample", "rater")
"""Names that files often have as whole numbers."""


def required_text(record: Mapping[str, Any], name: str) -> str:
    """Return the name that this field must have."""
    return text_values.required_text(record, (name,), check_name, numbers=name in _MAY_BE_NUMBERED)


def optional_text(record: Mapping[str, Any], name: str, check: Check) -> str | None:
    """Return the field's text as `check` gives it; None where it has none."""
    return text_in(record, (name,), check, numbers=name in _MAY_BE_NUMBERED)


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
