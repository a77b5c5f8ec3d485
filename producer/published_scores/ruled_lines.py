"""A line of a file that follows a recipe: it is checked by the recipe's own names and scales.

    {"sample": "7", "category": "text_change", "editor": "x", "scorer": "gpt-4.1", "question": "perceptual quality",
     "reply": "{\"score\": [8, 9]}", "fields": {"instruction_language": "en"}}

Beside what every file may have (lines): `dimension` is one of the recipe's criteria and values, its score where there
is none; `question` is one of its questions, of a reply or a failure; and what conditions of recipes and tables ask for,
`fields`, `description`, `reference_text`, and `reference`, which names the reference image.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from db.imported import ImportedRecipe
from db.rubric import Scale
from producer.benchmark.fields import optional_text
from producer.benchmark.sample import FieldFault, kind_of
from producer.benchmark.text_values import check_name, check_text, field_in
from producer.published_scores.lines import (
    OVERALL,
    ScoreLine,
    failure_in,
    names_in,
    number_on,
    words_in,
)

_SAID = ("value", "failure", "reply")


@dataclass(frozen=True)
class RuledLines:
    """Reads such lines: `scales` by dimension, `score` the one that is the score."""

    recipe: str
    score: str
    scales: Mapping[str, Scale]
    questions: Collection[str]

    @classmethod
    def of(cls, recipe: ImportedRecipe) -> RuledLines:
        """Return what reads the lines of a file that follows this recipe."""
        rubric = recipe.rubric
        questions = dict.fromkeys(question.name for question in rubric.questions)
        return cls(recipe.followed.name, rubric.score, rubric.scales(), questions)

    def __call__(self, place: str, record: Mapping[str, Any]) -> Sequence[ScoreLine]:
        """Return what the line says. Raises FieldFault."""
        said = [name for name in _SAID if record.get(name) is not None]
        if len(said) != 1:
            raise FieldFault(f"expected one of a value, a failure and a reply, found {' and '.join(said) or 'none'}")
        value, failure = record.get("value"), record.get("failure")
        dimension = self._dimension(record)
        question = self._question(record, said[0])
        return [
            ScoreLine(
                place=place,
                **names_in(record),
                dimension=dimension,
                value=None if value is None else number_on(self.scales[dimension], value, self._whose(dimension)),
                failure=None if failure is None else failure_in(failure),
                **words_in(record),
                question=question,
                **_of_sample(record),
            )
        ]

    def _dimension(self, record: Mapping[str, Any]) -> str:
        """Return the dimension by the recipe's name for it; `overall` is the score, whatever the recipe calls that."""
        given = optional_text(record, "dimension", check_name) or self.score
        if given not in self.scales:
            if given == OVERALL:
                return self.score
            known = ", ".join(self.scales)
            raise FieldFault(f"dimension: recipe {self.recipe} has no {given!r}; it has {known}")
        return given

    def _question(self, record: Mapping[str, Any], said: str) -> str | None:
        """Return the question by its name, "" for a reply to the only one; None where the line is about a dimension."""
        given = optional_text(record, "question", check_name)
        if given and given not in self.questions:
            known = ", ".join(self.questions)
            raise FieldFault(f"question: recipe {self.recipe} has no {given!r}; it has {known}")
        if given and said == "value":
            raise FieldFault("expected either a value or a question, found both: a question has a reply")
        if (given or said == "reply") and record.get("dimension") is not None:
            raise FieldFault(f"expected either a {said if said == 'reply' else 'question'} or a dimension, found both")
        return given or ("" if said == "reply" else None)

    def _whose(self, dimension: str) -> str:
        return f"the scale of {dimension!r} in recipe {self.recipe}"


def _of_sample(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the line says of its sample; an empty text is none."""
    return {
        "description": optional_text(record, "description", check_text) or None,
        "reference_text": optional_text(record, "reference_text", check_text) or None,
        "reference": optional_text(record, "reference", check_name) or None,
        "fields": _fields(record.get("fields")),
    }


def _fields(given: object) -> dict[str, str | float | bool]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise FieldFault(f"fields: expected an object, found {kind_of(given)}")
    found = {check_name(name, "a name in fields"): field_in(given, name) for name in given}
    if "" in found:
        raise FieldFault("fields: a name is empty")
    return {name: value for name, value in found.items() if value is not None}
