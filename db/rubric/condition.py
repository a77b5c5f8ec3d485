"""A condition on a sample: its category, and what of it is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

STRICT = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
"""How every part of a rubric is read: a field that is not known is a fault, and so is a number that is none."""


class When(BaseModel):
    """A condition on a sample: in one of these categories, with all of `has` and nothing of `lacks`.

    These name fields of the sample that are there, whatever their value, or `reference_image`, `reference_text`,
    `description`, `more_sources`.
    """

    model_config = STRICT

    categories: tuple[str, ...] | None = None
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()

    def holds(self, category: str, there: frozenset[str]) -> bool:
        """Tell whether it holds of a sample of this category of which this is there."""
        named = self.categories is None or category in self.categories
        return named and there.issuperset(self.has) and there.isdisjoint(self.lacks)


def there_is(
    fields: Mapping[str, object],
    *,
    reference: bool = False,
    reference_text: str | None = None,
    description: str | None = None,
    more_sources: bool = False,
) -> frozenset[str]:
    """Return what of a sample is there, as conditions name it."""
    given = {
        "reference_image": reference,
        "reference_text": bool(reference_text),
        "description": bool(description),
        "more_sources": more_sources,
    }
    return frozenset(fields).union(name for name, is_there in given.items() if is_there)


def first_by_name(some: Sequence[Any], category: str, there: frozenset[str]) -> Iterable[Any]:
    """Return of those with one name the first whose condition holds of such a sample."""
    found: dict[str, Any] = {}
    for one in some:
        if one.name not in found and one.when.holds(category, there):
            found[one.name] = one
    return found.values()
