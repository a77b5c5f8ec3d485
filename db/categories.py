"""The five categories of the first users' benchmark, by their Chinese name and its English alias."""

from __future__ import annotations

from collections.abc import Sequence

from db.errors import WrongCall

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


def category_called(given: str, known: Sequence[str]) -> str:
    """Return which of these categories is meant, by its name or else its English alias.

    Raises WrongCall naming what there is.
    """
    if given in known:
        return given
    by_alias = {ENGLISH_ALIASES[name]: name for name in known if name in ENGLISH_ALIASES}
    if given not in by_alias:
        raise WrongCall(f"there is no category {given!r}; there are {', '.join(map(with_alias, known))}")
    return by_alias[given]
