"""A rubric: what a judge is asked of one edit, in one or several questions, and how its answers become a score.

Benchmarks ask their judges in ways of their own: several questions with other images each, answers in other forms, and
arithmetic over them. A rubric is all of that as data, stored with the run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from db.aggregate import CriterionMissing, require_within
from db.expression import Expression, Interval, read_expression
from db.prompts import JudgePrompt

_STRICT = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

Scale = tuple[float, float]
"""The least and the best number."""

SCORE = "overall"
"""What reports call the score, beside the criteria and values."""

MOST_NUMBERS = 50
"""Criteria and values of a rubric: reports tell of so many."""

JUDGED_ON: Scale = (0.0, 10.0)
"""The scale of scorers that have no rubric."""


class When(BaseModel):
    """A condition on a sample: in one of these categories, with all of `has` and nothing of `lacks`.

    These name fields of the sample that are there, whatever their value, or `reference_image`, `reference_text`,
    `description`, `more_sources`.
    """

    model_config = _STRICT

    categories: tuple[str, ...] | None = None
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()

    def holds(self, category: str, there: frozenset[str]) -> bool:
        """Tell whether it holds of a sample of this category of which this is there."""
        named = self.categories is None or category in self.categories
        return named and there.issuperset(self.has) and there.isdisjoint(self.lacks)


class Shown(BaseModel):
    """A part of a question: its prompt, or images, each behind its label if there is one.

    `sources` are all source images of the sample, `source` is the first; `frames` are the sources with the edited image
    in its place among them, which the sample's field `frame` names, from 1. A label may name the image's `{number}`.
    """

    model_config = _STRICT

    what: Literal["prompt", "source", "sources", "edited", "reference", "frames"]
    label: str = ""
    edited_label: Annotated[str, Field(description="of the edited image among frames")] = ""


class Criterion(BaseModel):
    """A number that an answer gives, and between what it must lie.

    `at` is its place in an answer in JSON, as in `score[0]`; elsewhere numbers have the order of the criteria.
    """

    model_config = _STRICT

    name: Annotated[str, Field(min_length=1, max_length=100)]
    scale: Scale
    at: str = ""

    @model_validator(mode="after")
    def _scale_is_one(self) -> Self:
        _require_scale(self.name, self.scale)
        return self


class AnswerForm(BaseModel):
    """In which form a question is answered.

    `json`: an object that has every criterion `at` its place; `lines`: one line `Anything: 4` for each criterion, in
    their order; `labelled`: the numbers behind the `label`, in their order.
    """

    model_config = _STRICT

    form: Literal["json", "lines", "labelled"]
    label: str = ""
    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _form_is_whole(self) -> Self:
        if (self.form == "labelled") != bool(self.label):
            raise ValueError("a label is given with the form `labelled`, and only with it")
        if any((self.form == "json") != bool(criterion.at) for criterion in self.criteria):
            raise ValueError("criteria say where they are (`at`) in the form `json`, and only there")
        return self


class RubricQuestion(BaseModel):
    """One question; of several with one name, the first whose condition holds of a sample is asked."""

    model_config = _STRICT

    name: Annotated[str, Field(min_length=1, max_length=100)]
    when: When = When()
    prompt: JudgePrompt
    show: Annotated[tuple[Shown, ...], Field(min_length=1)]
    answer: AnswerForm


class RubricValue(BaseModel):
    """A number made of criteria and earlier values; of several with one name, the first whose condition holds."""

    model_config = _STRICT

    name: Annotated[str, Field(min_length=1, max_length=100)]
    when: When = When()
    of: Annotated[str, Field(description="an expression, as in `sqrt(SC * PQ)`")]
    scale: Scale

    @model_validator(mode="after")
    def _scale_is_one(self) -> Self:
        _require_scale(self.name, self.scale)
        return self


class Resize(BaseModel):
    """How images are brought to size before a judge sees them, keeping their shape.

    `area`: to so many pixels, up or down; `within`: no wider and no higher, never up.
    """

    model_config = _STRICT

    area: Annotated[int | None, Field(ge=1024)] = None
    within: tuple[int, int] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.area is None) == (self.within is None):
            raise ValueError("expected either an area or what it must lie within")
        return self


class Rubric(BaseModel):
    """All questions, the values made of their answers, and which of these is the score."""

    model_config = _STRICT

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
        return list(_first_by_name(self.questions, category, there))

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
            known[value.name] = _within(value.scale, expression.of(known))
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
                known[value.name] = _within(value.scale, expression.of(known))
        if self.score not in known:
            raise CriterionMissing(_what_lacks(self.score, lacking))
        return known

    def _made(self, category: str, there: frozenset[str]) -> Iterator[tuple[RubricValue, Expression]]:
        """Yield the values that such a sample has, in their order, and what each is made of."""
        scales = self.scales()
        for value in _first_by_name(self.values, category, there):
            yield value, read_expression(value.of, scales.__getitem__)


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


def scale_in(options: Mapping[str, Any]) -> Scale:
    """Return the scale of a scorer's scores, by its options as the ledger has them."""
    rubric = options.get("rubric")
    if not rubric:
        return JUDGED_ON
    criteria = [criterion for question in rubric["questions"] for criterion in question["answer"]["criteria"]]
    least, most = next(one["scale"] for one in (*rubric["values"], *criteria) if one["name"] == rubric["score"])
    return float(least), float(most)


def _within(scale: Scale, number: float) -> float:
    least, most = scale
    return min(most, max(least, number))


def _what_lacks(name: str, lacking: dict[str, str]) -> str:
    """Return what a number cannot be had for, down to what nothing is made of; `lacking` has a part of each value."""
    uses = ""
    while name in lacking:
        uses = f", of which {name!r} is made{uses}"
        name = lacking.pop(name)
    return f"no {name!r}{uses or ', which is the score'}"


def _first_by_name(some: Sequence[Any], category: str, there: frozenset[str]) -> Iterable[Any]:
    found: dict[str, Any] = {}
    for one in some:
        if one.name not in found and one.when.holds(category, there):
            found[one.name] = one
    return found.values()


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


def _require_scale(name: str, scale: Scale) -> None:
    least, most = scale
    if not 0 <= least < most <= 100:
        raise ValueError(f"the scale of {name!r} is {least:g} to {most:g}; expected two numbers from 0 to 100")
