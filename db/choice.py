"""One model of a run, as configuration, ledger and claims hold it; light, because every worker's parent loads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

IMPORTED = "imported"
"""What stands in the place of an editor or a scorer where others have published what came of it: nothing can be run."""

GIVEN = "given"
"""What stands in the place of an editor where the edited images were there already: nothing makes them here."""


@dataclass(frozen=True)
class ModelChoice:
    """One model of a run: its name in the catalogue and every option it takes, defaults written out."""

    __pydantic_config__ = {"extra": "forbid"}  # where a run's configuration is read  # noqa: RUF012

    name: str
    label: str
    options: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Return it as the ledger stores it; `ModelChoice(**stored)` is it again."""
        return {"name": self.name, "label": self.label, "options": dict(self.options)}


@dataclass(frozen=True)
class ScorerChoice(ModelChoice):
    """One scorer of a run: a model, and how often it judges each edit.

    The repeats are nothing of the model: one that is loaded does for all of them.
    """

    repeats: int = 1
