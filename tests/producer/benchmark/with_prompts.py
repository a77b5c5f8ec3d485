"""Benchmarks that bring prompts of their own."""

from __future__ import annotations

from typing import Any

from tests.factories import pair


def category(name: str, key: str = "p", *, behind: bool = False, **prompts: Any) -> dict[str, Any]:
    """Return a category of one pair in the list layout, its name and prompts before or behind the pairs."""
    pairs = {"pairs": [pair(key)]}
    return {**pairs, "name": name, **prompts} if behind else {"name": name, **prompts, **pairs}


def keyed(*categories: dict[str, Any]) -> dict[str, Any]:
    """Return the categories as an object keyed by their names."""
    return {"categories": {one["name"]: {key: one[key] for key in one if key != "name"} for one in categories}}


def listed(*categories: dict[str, Any]) -> dict[str, Any]:
    return {"categories": list(categories)}
