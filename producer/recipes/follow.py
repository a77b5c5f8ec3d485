"""Following a recipe: what it makes of the scorers that a run was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from db.catalogue import Role, find_spec
from db.configuration import RunConfiguration
from db.errors import WrongCall, one_line
from db.options import JudgeOptions
from db.recipe import FollowedRecipe
from db.rubric import Rubric
from producer.recipes.official_prompts import PromptCopy
from producer.recipes.recipe import Recipe, read_recipe


@dataclass(frozen=True)
class Following:
    """A recipe, and its rubric with the prompts of the person's own copy of the benchmark."""

    recipe: Recipe
    rubric: Rubric

    @property
    def followed(self) -> FollowedRecipe:
        """What the run keeps of it."""
        return self.recipe.followed()

    def scorers(self, entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return the scorers, judges among them with the rubric and, unless told otherwise, the recipe's settings.

        Raises WrongCall where none of them is a judge, or one is told already how to ask.
        """
        judges = [_is_judge(entry["name"]) for entry in entries]
        if not any(judges):
            asked = ", ".join(entry["name"] for entry in entries)
            raise WrongCall(
                f"--recipe {self.recipe.name} needs a judge, and {asked} is none: name one with --scorer, as in "
                "--scorer api --set scorer.base_url=https://HOST/v1"
            )
        return [self._told(entry) if is_judge else dict(entry) for entry, is_judge in zip(entries, judges, strict=True)]

    def freed(self, entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return the scorers of a run that is there, its judges without what the recipe is to say anew."""
        said = {"rubric", "prompts", *self.recipe.settings}
        return [
            {**entry, "options": {name: value for name, value in entry["options"].items() if name not in said}}
            if _is_judge(entry["name"])
            else dict(entry)
            for entry in entries
        ]

    def _told(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        told = next((name for name in ("rubric", "prompts") if entry["options"].get(name) is not None), None)
        if told is not None:
            label = entry.get("label", entry["name"])
            raise WrongCall(f"--recipe {self.recipe.name} asks in its own words: leave out {told} of scorer {label!r}")
        options = find_spec(Role.SCORER, entry["name"]).options.model_fields
        settings = {name: value for name, value in self.recipe.settings.items() if name in options}
        judge = {"model": self.recipe.judge} if entry["name"] == "api" else {}
        rubric = self.rubric.model_dump(mode="json")
        return {**entry, "options": {**judge, **settings, **entry["options"], "rubric": rubric}}


def following(name: str | None, prompts: Path | None) -> Following | None:
    """Return the recipe that a person names, with the prompts of their copy; None where they name none.

    Raises WrongCall.
    """
    if name is None:
        if prompts is not None:
            raise WrongCall(f"--prompts {prompts}: is where a recipe finds its prompts; name one with --recipe")
        return None
    recipe = read_recipe(name)
    if prompts is None:
        raise WrongCall(
            f"--recipe {name}: its prompts are read from your own copy of {recipe.benchmark}: name that folder with "
            f"--prompts; there it looks for {' or '.join(recipe.files())}"
        )
    return Following(recipe, recipe.rubric(PromptCopy(prompts)))


def _is_judge(name: str) -> bool:
    return issubclass(find_spec(Role.SCORER, name).options, JudgeOptions)


def require_asked(configuration: RunConfiguration, categories: Sequence[str]) -> None:
    """Raise WrongCall for a category of which a rubric asks nothing: no sample of it could get a score."""
    for scorer in configuration.scorers:
        if not scorer.options.get("rubric"):
            continue
        named = [question["when"]["categories"] for question in scorer.options["rubric"]["questions"]]
        if None in named:
            continue
        known = list(dict.fromkeys(name for several in named for name in several))
        strange = next((name for name in categories if name not in known), None)
        if strange is not None:
            raise WrongCall(
                one_line(
                    f"scorer {scorer.label!r}: its rubric asks nothing of category {strange!r}; it knows "
                    f"{', '.join(known)} (--category chooses some)"
                )
            )
