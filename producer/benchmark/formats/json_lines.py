"""JSON Lines: one sample a line, images by a path relative to the file.

    {"key": "p-17", "category": "物理", "instruction": "make it rain", "image": "images/p-17.png"}

`reference_image` and `description` are optional; the original layout's field names are understood too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from producer.benchmark.files import open_regular
from producer.benchmark.formats.lines import Line, lines_of
from producer.benchmark.formats.record import NamedByPath, Record
from producer.benchmark.sample import Fault, kind_of


class JsonLines(NamedByPath):
    """The records of a file of JSON Lines."""

    def __iter__(self) -> Iterator[Record | Fault]:
        """Yield the lines in their order; empty lines are passed over."""
        with open_regular(self._path) as file:
            for line in lines_of(file):
                yield self._record(line) if isinstance(line, Line) else line

    def _record(self, line: Line) -> Record | Fault:
        place = f"line {line.number}"
        values = _value_of(place, line.text)
        if isinstance(values, Fault):
            return values
        if not isinstance(values, Mapping):
            return Fault(place, f"expected an object, found {kind_of(values)}")
        return Record(place, values, self._path.parent)


def _value_of(place: str, line: str) -> Any:
    """Return the JSON value of a line, or the Fault that it is none."""
    try:
        return json.loads(line, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        column = min(error.pos, len(line.rstrip())) + 1  # what is missing at the end is missed behind the line's end
        reason = f"{error.msg.partition(' (')[0]}: column {column:,}"
    except _NoValue as error:
        reason = str(error)
    except RecursionError:
        reason = "is nested too deep"
    except ValueError:
        return Fault(place, "has a number that is too large to be read; write it as a text")
    return Fault(place, f"is not valid JSON: {reason}")


class _NoValue(ValueError):
    """A word that only some writers of JSON take for a number."""


def _refuse(name: str) -> NoReturn:
    raise _NoValue(f"{name} is no value of JSON; expected a number, or null")
