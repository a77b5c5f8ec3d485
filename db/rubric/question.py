"""A question to a judge: what it is shown, and in which form it answers."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, model_validator

from db.prompts import JudgePrompt
from db.rubric.condition import STRICT, When
from db.rubric.scale import Scale, require_scale


class Shown(BaseModel):
    """A part of a question: its prompt, or images, each behind its label if there is one.

    `sources` are all source images of the sample, `source` is the first; `frames` are the sources with the edited image
    in its place among them, which the sample's field `frame` names, from 1. A label may name the image's `{number}`.
    """

    model_config = STRICT

    what: Literal["prompt", "source", "sources", "edited", "reference", "frames"]
    label: str = ""
    edited_label: Annotated[str, Field(description="of the edited image among frames")] = ""


class Criterion(BaseModel):
    """A number that an answer gives, and between what it must lie.

    `at` is its place in an answer in JSON, as in `score[0]`; elsewhere numbers have the order of the criteria.
    """

    model_config = STRICT

    name: Annotated[str, Field(min_length=1, max_length=100)]
    scale: Scale
    at: str = ""

    @model_validator(mode="after")
    def _scale_is_one(self) -> Self:
        require_scale(self.name, self.scale)
        return self


class AnswerForm(BaseModel):
    """In which form a question is answered.

    `json`: an object that has every criterion `at` its place; `lines`: one line `Anything: 4` for each criterion, in
    their order; `labelled`: the numbers behind the `label`, in their order.
    """

    model_config = STRICT

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

    model_config = STRICT

    name: Annotated[str, Field(min_length=1, max_length=100)]
    when: When = When()
    prompt: JudgePrompt
    show: Annotated[tuple[Shown, ...], Field(min_length=1)]
    answer: AnswerForm


class Resize(BaseModel):
    """How images are brought to size before a judge sees them, keeping their shape.

    `area`: to so many pixels, up or down; `within`: no wider and no higher, never up.
    """

    model_config = STRICT

    area: Annotated[int | None, Field(ge=1024)] = None
    within: tuple[int, int] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.area is None) == (self.within is None):
            raise ValueError("expected either an area or what it must lie within")
        return self
