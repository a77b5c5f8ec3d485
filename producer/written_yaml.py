"""What a person wrote as YAML, read so that whatever stands in it is a value or a fault of one line."""

from __future__ import annotations

from typing import Any

import yaml

MOST_VALUES = 100_000
"""Values that a text may stand for: with aliases of aliases a page of it could mean more than any memory holds."""


class NotYaml(ValueError):
    """A text that is no YAML; the message says why."""


def read_yaml(text: str | bytes) -> Any:
    """Return the value that the text stands for, which is finite. Raises NotYaml."""
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise NotYaml(" ".join(str(error).split())) from error
    except (LookupError, AttributeError, TypeError) as error:  # the parser's own, of a tag on what it does not fit
        raise NotYaml("a value is not what its tag says") from error
    _require_few(value)
    return value


def _require_few(value: Any) -> None:
    """Count every value as often as it is meant: what holds itself is endless, and so too many."""
    count, rest = 0, [value]
    while rest:
        value = rest.pop()
        count += 1
        if count > MOST_VALUES:
            raise NotYaml(f"with its aliases it stands for more than {MOST_VALUES:,} values")
        if isinstance(value, dict):
            rest.extend(value.values())
        elif isinstance(value, list | tuple | set):
            rest.extend(value)
