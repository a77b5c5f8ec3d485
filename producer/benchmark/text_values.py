"""What may stand for a key, a name or a text in a record."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from producer.benchmark.layouts.layout import CONSTANT, TEMPLATE, Names, shown_column
from producer.benchmark.sample import FieldFault, kind_of

MAX_KEY = 200
MAX_TEXT = 20_000

Check = Callable[[str, str], str]
"""Takes a text and the name of its column; returns it as it is kept, or raises FieldFault."""

_NOT_IN_A_NAME = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Control characters, line separators, and marks that turn the direction of writing: names stand in tables."""

_IN_BRACES = re.compile(r"\{([^{}]+)\}")

_SURROGATE = re.compile("[\ud800-\udfff]")


def check_name(text: str, name: str) -> str:
    """Return a key or a name without surrounding space. Raises FieldFault for what no table should show."""
    stripped = check_text(text, name, MAX_KEY)
    if found := _NOT_IN_A_NAME.search(stripped):
        raise FieldFault(f"{name} contains a control character, {found[0]!a}")
    return stripped


def check_text(text: str, name: str, limit: int = MAX_TEXT) -> str:
    """Return the text without surrounding space. Raises FieldFault for what no database or model can take."""
    stripped = text.strip()
    if len(stripped) > limit:
        raise FieldFault(f"{name} has {len(stripped):,} characters; at most {limit:,} are taken")
    if "\0" in stripped:
        raise FieldFault(f"{name} contains a NUL character")
    if _SURROGATE.search(stripped):
        raise FieldFault(f"{name} contains half of a surrogate pair, which is no character")
    return stripped


def text_in(values: Mapping[str, Any], names: Names, check: Check, *, numbers: bool = False) -> str | None:
    """Return the text in the first of these columns that is there, None where none is; `numbers` may stand for it.

    Raises FieldFault.
    """
    for name in names:
        if name.startswith(CONSTANT):
            return check(name.removeprefix(CONSTANT), "the constant")
        if name.startswith(TEMPLATE):
            return check(composed(values, name), shown_column(name))
        value = values.get(name)
        if value is None:
            continue
        if numbers and isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            raise FieldFault(f"{name}: expected a text, found {kind_of(value)}")
        return check(value, shown_column(name))
    return None


def columns_in(template: str) -> list[str]:
    """Return the names of the columns that a template is made of."""
    return _IN_BRACES.findall(template.removeprefix(TEMPLATE))


def composed(values: Mapping[str, Any], template: str) -> str:
    """Return the template's text with what stands in its columns. Raises FieldFault where one of them has nothing."""

    def part(column: re.Match[str]) -> str:
        return required_text(values, (column[1],), check_text, numbers=True)

    return _IN_BRACES.sub(part, template.removeprefix(TEMPLATE))


def required_text(values: Mapping[str, Any], names: Names, check: Check, *, numbers: bool = False) -> str:
    """Return the text likewise. Raises FieldFault where there is none, or an empty one."""
    text = text_in(values, names, check, numbers=numbers)
    if not text:
        raise FieldFault(f"{names[0][:MAX_KEY]} is {'empty' if text == '' else 'missing'}")
    return text


def field_in(values: Mapping[str, Any], name: str) -> str | float | bool | None:
    """Return what else a benchmark says: a text, a finite number, a truth value; None where it says nothing.

    Raises FieldFault.
    """
    value = values.get(name)
    if isinstance(value, str):
        return check_text(value, name)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise FieldFault(f"{name} is {value}, which is no number")
        return value
    raise FieldFault(f"{name}: expected a text, a number or a truth value, found {kind_of(value)}")
