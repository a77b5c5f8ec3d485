"""Models as a person asks for them, and what becomes of them in a run's configuration."""

from __future__ import annotations

from typing import Any

import pytest

from db.errors import WrongCall
from tests.factories import configuration

API = {"name": "api", "model": "judge", "base_url": "http://127.0.0.1:8000/v1"}


def editor(given: Any) -> dict[str, Any]:
    """Return the options that a run stores of this editor."""
    return dict(configuration(editor=given).editor.options)


def scorer(given: Any) -> dict[str, Any]:
    """Return the options that a run stores of this scorer."""
    return dict(configuration(scorers=[given]).scorers[0].options)


def complaint(**given: Any) -> str:
    """Return what is said of a run that does not hold; always one line."""
    with pytest.raises(WrongCall, match=r"^run configuration: ") as error:
        configuration(**given)
    assert "\n" not in str(error.value)
    return str(error.value).removeprefix("run configuration: ")
