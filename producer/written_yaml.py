"""What a person wrote as YAML, read so that whatever stands in it is a value or a fault of one line."""

from __future__ import annotations

from typing import Any

import yaml


class NotYaml(ValueError):
    """A text that is no YAML; the message says why."""


def read_yaml(text: str | bytes) -> Any:
    """Return the value that the text stands for. Raises NotYaml."""
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise NotYaml(" ".join(str(error).split())) from error
    except (LookupError, AttributeError, TypeError) as error:  # the parser's own, of a tag on what it does not fit
        raise NotYaml("a value is not what its tag says") from error
