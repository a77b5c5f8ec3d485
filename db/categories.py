"""The five categories of the first users' benchmark, by their Chinese name and its English alias."""

from __future__ import annotations

ENGLISH_ALIASES = {
    "物理": "physical",
    "环境": "environment",
    "社会": "social",
    "因果": "causal",
    "指代": "reference",
}


def with_alias(category: str) -> str:
    """Return the category as a person reads it: `物理 (physical)`, or the name itself where no alias is known."""
    alias = ENGLISH_ALIASES.get(category)
    return f"{category} ({alias})" if alias else category
