"""Runs that follow a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from db.configuration import RunConfiguration
from producer.choices import choose
from producer.recipes.follow import Following, following
from tests.producer.recipes.copies import write_copy

API = ["api"]


SERVER = "scorer.base_url=http://127.0.0.1:1/v1"


def gedit(folder: Path) -> Following:
    found = following("gedit", write_copy(folder, "gedit"))
    assert found is not None
    return found


def chosen(recipe: Following | None, *settings: str, scorers: list[str] | None = None, **more: Any) -> RunConfiguration:
    return choose(
        **{"file": None, "editor": None, "others": {}, **more},
        scorers=API if scorers is None else scorers,
        settings=[SERVER, *settings],
        recipe=recipe,
    )
