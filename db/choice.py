"""One model of a run, as configuration, ledger and claims hold it; light, because every worker's parent loads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict


class ModelChoice(BaseModel):
    """One model of a run: its name in the catalogue and every option it takes, defaults written out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    label: str
    options: Mapping[str, Any]
