"""Runs with the numbers that judges gave, and the tables that come of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from db.ledger import Ledger
from db.rubric import Rubric, there_is
from db.tables import FailureKind
from producer.recipes.follow import Following
from producer.report.gather import gather_report
from producer.report.official_grids import official_grids
from producer.report.schema import Report
from tests.producer.by_hand import RunByHand
from tests.producer.recipes.copies import recipe_and_copy


@dataclass(frozen=True)
class Judged:
    """A sample, and what a judge gave each criterion; None where its reply could not be read."""

    category: str
    given: Mapping[str, float] | None
    fields: Mapping[str, Any] | None = None
    reference_text: str | None = None
    reference_image: str | None = None


def judged_run(ledger: Ledger, folder: Path, name: str, samples: Sequence[Judged]) -> Report:
    """Return the report of a run that follows a recipe, with what the judge gave."""
    recipe, copy = recipe_and_copy(folder, name)
    following = Following(recipe, recipe.rubric(copy))
    entry = {"name": "api", "label": "judge", "options": {"base_url": "http://127.0.0.1:1/v1", "batch_size": 1}}
    run = RunByHand(
        ledger,
        [(sample.category, f"k-{number}") for number, sample in enumerate(samples)],
        sources=[f"source {number}" for number in range(len(samples))],
        extras=[
            {
                "fields": dict(sample.fields or {}) or None,
                "reference_text": sample.reference_text,
                "reference_image": sample.reference_image,
            }
            for sample in samples
        ],
        scorers=following.scorers([entry]),
        recipe=following.followed,
    )
    for number, sample in enumerate(samples):
        key = f"k-{number}"
        run.edit(key)
        if sample.given is None:
            run.fail_score(key, "judge", kind=FailureKind.UNPARSED)
        else:
            values = values_of(following.rubric, sample)
            run.score(key, "judge", values[recipe.score], **values)
    return gather_report(ledger.engine, run.id)


def values_of(rubric: Rubric, sample: Judged) -> dict[str, float]:
    """Return what a worker makes of a judge's numbers; they are all that the sample's questions ask for."""
    there = there_is(
        sample.fields or {},
        reference=sample.reference_image is not None,
        reference_text=sample.reference_text,
    )
    asked = rubric.asked(sample.category, there)
    assert sorted(one.name for question in asked for one in question.answer.criteria) == sorted(sample.given or {})
    return rubric.values_of(sample.category, there, sample.given or {})


def printed(report: Report, title: str) -> dict[str, list[str]]:
    """Return the figures of a table as they are printed, row by row."""
    (grid,) = (grid for grid in official_grids(report, wide=False) if grid.title.startswith(f"{title}, as"))
    return {row[0]: list(row[3:]) for row in (*grid.rows, *grid.footers)}


def gedit(category: str, language: str, numbers: Sequence[float] | None, *, shared: bool = False) -> Judged:
    names = ("success", "restraint", "naturalness", "artifacts")
    given = None if numbers is None else dict(zip(names, numbers, strict=True))
    return Judged(category, given, {"instruction_language": language, "Intersection_exist": shared})


def imgedit(category: str, *numbers: float) -> Judged:
    return Judged(category, dict(zip(("first", "second", "third"), numbers, strict=True)))


def kris(category: str, numbers: Sequence[float], **fields: Any) -> Judged:
    names = ("consistency", "quality", "instruction", "knowledge")[: len(numbers)]
    return Judged(category, dict(zip(names, numbers, strict=True)), fields, "a rule")


def rise(kind: str, given: Mapping[str, float], **more: Any) -> Judged:
    return Judged(f"{kind}_reasoning", given, **{"reference_text": "a rule", **more})
