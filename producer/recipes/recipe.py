"""A recipe: how a benchmark's authors judge and what their tables say, as data; read and checked as a whole."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from db.catalogue import Role, find_spec
from db.configuration import first_fault
from db.errors import WrongCall, one_line
from db.prompts import as_literal
from db.recipe import FollowedRecipe, OfficialTable
from db.rubric import AnswerForm, Resize, Rubric, RubricValue, Shown, When
from producer.recipes.content import content_of
from producer.recipes.official_prompts import OfficialPrompt, PromptCopy
from producer.written_yaml import NotYaml, read_yaml

_STRICT = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

FOLDER = Path(__file__).parent
SUFFIX = ".yaml"

LARGEST = 1024**2

_NOT_SETTINGS = ("rubric", "prompts", "model", "base_url")


class RecipeQuestion(BaseModel):
    """A question of the rubric whose prompt is in the benchmark's own code."""

    model_config = _STRICT

    name: str
    when: When = When()
    prompt: OfficialPrompt
    show: Annotated[tuple[Shown, ...], Field(min_length=1)]
    answer: AnswerForm


class Recipe(BaseModel):
    """A recipe as its file has it: `judge` is the authors' model, `settings` are options of judges that have them.

    `anchors` holds what the file repeats, and means nothing by itself.
    """

    model_config = _STRICT

    name: Annotated[str, Field(min_length=1, max_length=100)]
    benchmark: str
    follows: Annotated[str, Field(description="which of the implementations")]
    judge: str
    settings: Mapping[str, Any] = {}
    notes: tuple[str, ...] = ()
    questions: Annotated[tuple[RecipeQuestion, ...], Field(min_length=1)]
    values: tuple[RubricValue, ...] = ()
    score: str
    resize: Resize | None = None
    tables: Annotated[tuple[OfficialTable, ...], Field(min_length=1)]
    anchors: Any = None
    digest: str

    @field_validator("settings")
    @classmethod
    def _are_of_judges(cls, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """Refuse what no judge has, and what is for the recipe itself or for the person who follows it to say."""
        known = {
            name for judge in ("api", "transformers") for name in find_spec(Role.SCORER, judge).options.model_fields
        }
        for name in settings:
            if name not in known:
                raise ValueError(f"{name!r} is no option of a judge")
            if name in _NOT_SETTINGS:
                raise ValueError(f"{name!r} is not for a recipe to set")
        return settings

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        known = self.rubric_without_prompts().scales()
        for table in self.tables:
            for name in (name for column in table.columns for name in column.of):
                if name not in known:
                    raise ValueError(f"table {table.title!r}: {name!r} is neither a criterion nor a value")
        return self

    def rubric(self, copy: PromptCopy) -> Rubric:
        """Return the rubric, its prompts read from this copy of the benchmark. Raises WrongCall."""
        return self._rubric([{"user": copy.template(question.prompt)} for question in self.questions])

    def rubric_without_prompts(self) -> Rubric:
        """Return the rubric for answers to prompts that are not known; in each one's place stands that it is not."""
        return self._rubric([{"user": as_literal(f"{question.name}: not known")} for question in self.questions])

    def files(self) -> list[str]:
        """Return where in the benchmark's code its prompts are looked for."""
        named = (name for question in self.questions for part in question.prompt.parts for name in part.files)
        return list(dict.fromkeys(named))

    def followed(self) -> FollowedRecipe:
        """Return what a run keeps of it."""
        return FollowedRecipe(
            name=self.name,
            digest=self.digest,
            benchmark=self.benchmark,
            judge=self.judge,
            notes=self.notes,
            tables=self.tables,
        )

    def _rubric(self, prompts: list[dict[str, str]]) -> Rubric:
        questions = [
            {**question.model_dump(exclude={"prompt"}), "prompt": prompt}
            for question, prompt in zip(self.questions, prompts, strict=True)
        ]
        values = [value.model_dump() for value in self.values]
        return Rubric.model_validate(
            {"questions": questions, "values": values, "score": self.score, "resize": self.resize}
        )


def recipe_names() -> list[str]:
    """Return the names of the recipes that are built in."""
    return sorted(path.stem for path in FOLDER.glob(f"*{SUFFIX}"))


def read_recipe(given: str) -> Recipe:
    """Return a recipe by its name, or of a person's own file. Raises WrongCall."""
    if given in recipe_names():
        path = FOLDER / f"{given}{SUFFIX}"
    elif given.lower().endswith((SUFFIX, ".yml")):
        path = Path(given)
    else:
        raise WrongCall(
            f"--recipe {given}: expected one of {', '.join(recipe_names())}, or a file that ends in {SUFFIX}"
        )
    content = content_of(path, LARGEST, ", which is no recipe")
    try:
        written = read_yaml(content)
    except NotYaml as error:
        raise WrongCall(one_line(f"{path}: is not YAML: {error}")) from error
    if not isinstance(written, dict):
        raise WrongCall(f"{path}: expected a mapping with `name`, `questions`, `tables` and so on")
    try:
        return Recipe.model_validate({**written, "digest": hashlib.sha256(content).hexdigest()})
    except ValidationError as error:
        raise WrongCall(one_line(f"{path}: {first_fault(error)}")) from error
