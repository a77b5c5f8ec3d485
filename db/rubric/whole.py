"""A whole rubric: its questions, the values made of their answers, and which of these is the score."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Self

from pydantic import BaseModel, Field, model_validator

from db.aggregate import CriterionMissing, require_within
from db.expression import Expression, Interval, read_expression
from db.rubric.condition import STRICT, When, first_by_name
from db.rubric.question import Criterion, Resize, RubricQuestion
from db.rubric.scale import Scale, require_scale, within

SCORE = "overall"
"""What reports call the score, beside the criteria and values."""

MOST_NUMBERS = 50
"""Criteria and values of a rubric: reports tell of so many."""


class RubricValue(BaseModel):
    """A number made of criteria and earlier values; of several with one name, the first whose condition holds."""

    model_config = STRICT

    name: Annotated[str, Field(min_length=1, max_length=100)]
    when: When = When()
    of: Annotated[str, Field(description="an expression, as in `sqrt(SC * PQ)`")]
    scale: Scale

    @model_validator(mode="after")
    def _scale_is_one(self) -> Self:
        require_scale(self.name, self.scale)
        return self


class Rubric(BaseModel):
    """All questions, the values made of their answers, and which of these is the score."""

    model_config = STRICT

    questions: Annotated[tuple[RubricQuestion, ...], Field(min_length=1)]
    values: tuple[RubricValue, ...] = ()
    score: Annotated[str, Field(description="the criterion or value that is the score")]
    resize: Resize | None = None

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        scales = dict(_scales_of(self.questions))
        for value in self.values:
            if value.name not in scales:
                scales[value.name] = value.scale
            elif scales[value.name] != value.scale or any(value.name == one.name for one in self.criteria()):
                raise ValueError(f"{value.name!r} has another meaning or scale before")
            expression = read_expression(value.of, lambda name, known=scales: _known(name, known))  # type: ignore[misc]
            require_within(expression.reach, value.scale, value.of)
        if len(scales) > MOST_NUMBERS:
            raise ValueError(f"a rubric has at most {MOST_NUMBERS} criteria and values, and this has {len(scales)}")
        if self.score != SCORE and SCORE in scales:
            raise ValueError(f"{SCORE!r} is what reports call the score, which is {self.score!r} here")
        if self.score not in scales:
            raise ValueError(f"score: {self.score!r} is neither a criterion nor a value ({', '.join(scales)})")
        return self

    def criteria(self) -> list[Criterion]:
        """Return every criterion of every question."""
        return [criterion for question in self.questions for criterion in question.answer.criteria]

    def scales(self) -> dict[str, Scale]:
        """Return the scale of every criterion and value, in their order."""
        return {**dict(_scales_of(self.questions)), **{value.name: value.scale for value in self.values}}

    def asked(self, category: str, there: frozenset[str]) -> list[RubricQuestion]:
        """Return the questions that are asked of a sample of this category of which this is there."""
        return list(first_by_name(self.questions, category, there))

    def given(self, category: str, there: frozenset[str]) -> frozenset[str]:
        """Return the names of all numbers that such a sample comes to, where its questions are answered."""
        asked = self.asked(category, there)
        names = {criterion.name for question in asked for criterion in question.answer.criteria}
        for value, expression in self._made(category, there):
            if expression.names <= names:
                names.add(value.name)
        return frozenset(names)

    def values_of(self, category: str, there: frozenset[str], criteria: Mapping[str, float]) -> dict[str, float]:
        """Return the values of such a sample, in their order.

        Raises CriterionMissing where one is made of what was not given, or where the score itself was not.
        """
        known = dict(criteria)
        for value, expression in self._made(category, there):
            if missing := sorted(expression.names - known.keys()):
                raise CriterionMissing(f"no {missing[0]!r}, of which {value.name!r} is made")
            known[value.name] = within(value.scale, expression.of(known))
        if self.score not in known:
            raise CriterionMissing(f"no {self.score!r}, which is the score")
        return known

    def completed(self, category: str, there: frozenset[str], given: Mapping[str, float]) -> dict[str, float]:
        """Return what is given of such a sample with all values that can be made of it; what is given stays as it is.

        Raises CriterionMissing where the score is neither given nor can be made.
        """
        known, lacking = dict(given), dict[str, str]()
        for value, expression in self._made(category, there):
            if value.name in known:
                continue
            if missing := sorted(expression.names - known.keys()):
                lacking[value.name] = missing[0]
            else:
                known[value.name] = within(value.scale, expression.of(known))
        if self.score not in known:
            raise CriterionMissing(_what_lacks(self.score, lacking))
        return known

    def _made(self, category: str, there: frozenset[str]) -> Iterator[tuple[RubricValue, Expression]]:
        """Yield the values that such a sample has, in their order, and what each is made of."""
        scales = self.scales()
        for value in first_by_name(self.values, category, there):
            yield value, read_expression(value.of, scales.__getitem__)


def _what_lacks(name: str, lacking: dict[str, str]) -> str:
    """Return what a number cannot be had for, down to what nothing is made of; `lacking` has a part of each value."""
    uses = ""
    while name in lacking:
        uses = f", of which {name!r} is made{uses}"
        name = lacking.pop(name)
    return f"no {name!r}{uses or ', which is the score'}"


def _scales_of(questions: Sequence[RubricQuestion]) -> Iterable[tuple[str, Scale]]:
    """Yield every criterion with its scale. Raises ValueError where one name has two scales."""
    known: dict[str, Scale] = {}
    given_by: dict[str, str] = {}
    for question in questions:
        names = [criterion.name for criterion in question.answer.criteria]
        if len(set(names)) < len(names):
            raise ValueError(f"question {question.name!r} gives one criterion twice")
        for criterion in question.answer.criteria:
            if known.setdefault(criterion.name, criterion.scale) != criterion.scale:
                raise ValueError(f"criterion {criterion.name!r} has two scales")
            if given_by.setdefault(criterion.name, question.name) != question.name:
                raise ValueError(
                    f"criterion {criterion.name!r} is of two questions; only those of one name may share it"
                )
    return known.items()


def _known(name: str, scales: Mapping[str, Scale]) -> Interval:
    if name not in scales:
        raise ValueError(f"{name!r} is neither a criterion nor an earlier value ({', '.join(scales)})")
    return scales[name]
