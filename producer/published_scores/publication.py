"""What is known of a file of published scores beside its lines, checked as a person gives it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from db.aggregate import Aggregate, read_aggregate
from db.errors import WrongCall
from db.imported import ImportedRecipe
from db.rubric import JUDGED_ON, Scale
from producer.benchmark.sample import FieldFault
from producer.benchmark.text_values import MAX_KEY, check_name
from producer.published_scores.lines import LineReader, on_scale
from producer.published_scores.ruled_lines import RuledLines
from producer.recipes.recipe import read_recipe


@dataclass(frozen=True)
class Publication:
    """What is known of a file; `name` is the benchmark's: files of one benchmark share it.

    `scale` is that of the scores; `aggregate` counts where no recipe is followed.
    """

    path: Path
    name: str
    scale: Scale
    aggregate: Aggregate
    allow_missing: bool
    recipe: ImportedRecipe | None = None

    def reader(self) -> LineReader:
        """Return what reads its lines."""
        return on_scale(self.scale) if self.recipe is None else RuledLines.of(self.recipe)


def publication_of(
    path: Path,
    *,
    name: str | None,
    scale: Scale | None,
    aggregate: str | None,
    allow_missing: bool,
    recipe: str | None = None,
) -> Publication:
    """Return what is known of the file; its name is the benchmark's unless one is given. Raises WrongCall."""
    followed = _followed(recipe, scale, aggregate)
    least, most = followed.rubric.scales()[followed.rubric.score] if followed else scale or JUDGED_ON
    if not 0 <= least < most <= 100:
        raise WrongCall(f"--scale {least:g} {most:g}: expected two numbers from 0 to 100, the smaller one first")
    try:
        checked_name = check_name(path.stem[:MAX_KEY] if name is None else name, "the benchmark's name")
        made_of = read_aggregate(aggregate or "mean", least, most)
        if not checked_name:
            raise FieldFault("the benchmark's name is empty")
    except FieldFault as fault:
        raise WrongCall(f"--name: {fault}") from fault
    except ValueError as error:
        raise WrongCall(f"--aggregate: {error}") from error
    return Publication(path, checked_name, (least, most), made_of, allow_missing, followed)


def _followed(name: str | None, scale: Scale | None, aggregate: str | None) -> ImportedRecipe | None:
    """Return the recipe that the file follows; nothing is asked, so no prompt is needed. Raises WrongCall."""
    if name is None:
        return None
    for flag, given in (("--scale", scale), ("--aggregate", aggregate)):
        if given is not None:
            raise WrongCall(
                f"{flag} beside --recipe {name}: a recipe says itself how its scores are made; leave it out"
            )
    recipe = read_recipe(name)
    return ImportedRecipe(recipe.followed(), recipe.rubric_without_prompts())
