"""The configuration of a run: everything that shapes a result, checked and fully resolved, with its digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from pathlib import PurePath
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from db.aggregate import read_aggregate
from db.catalogue import ModelSpec, Role, find_spec, known_names, weights_entry
from db.choice import GIVEN, IMPORTED, ModelChoice, ScorerChoice
from db.errors import WrongCall
from db.options import EditorOptions, JudgeOptions, ScorerOptions, TransformersJudgeOptions
from db.prompts import OwnPrompt, benchmark_prompt, prompt_of
from db.recipe import FollowedRecipe
from db.subset import Subset


class Priority(StrEnum):
    """Which run's jobs go first. It changes when a result comes, never the result."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class RunConfiguration(BaseModel):
    """What a run asks of the farm."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    editor: ModelChoice
    scorers: Annotated[tuple[ScorerChoice, ...], Field(min_length=1)]
    repeats: Annotated[int, Field(ge=1, le=1000, description="edits per sample, each with its own seed")] = 1
    seed: Annotated[int, Field(ge=0, lt=2**63, description="the seeds of all edits derive from it")] = 0
    limit: Annotated[int | None, Field(ge=1, lt=2**31, description="only the first so many samples")] = None
    categories: Annotated[
        tuple[str, ...] | None, Field(min_length=1, description="only samples of these; counted before `limit`")
    ] = None
    sample_every: Annotated[int | None, Field(ge=1, lt=2**31, description="only every n-th sample, likewise")] = None
    priority: Annotated[Priority | None, Field(description="None: as the run has it, normal when it is new")] = None
    aggregate: Annotated[
        str | None,
        Field(
            description="the score of a judge's criteria: mean, min, geometric-mean, or an expression of their names, "
            "as 0.3*consistency + 0.7*quality; unset: the score that the judge itself gave"
        ),
    ] = None
    recipe: Annotated[FollowedRecipe | None, Field(description="whose tables are reported beside our own")] = None
    fresh: Annotated[bool, Field(description="share no edits with other runs")] = False

    @field_validator("scorers")
    @classmethod
    def _labels_differ(cls, scorers: tuple[ScorerChoice, ...]) -> tuple[ScorerChoice, ...]:
        labels = [scorer.label for scorer in scorers]
        twice = sorted({label for label in labels if labels.count(label) > 1})
        if twice:
            raise ValueError(f"two scorers are called {twice[0]!r}; give one of them a label")
        return scorers

    @field_validator("aggregate")
    @classmethod
    def _aggregate_is_readable(cls, aggregate: str | None) -> str | None:
        return None if aggregate is None else read_aggregate(aggregate).text

    @model_validator(mode="after")
    def _aggregate_has_criteria(self) -> Self:
        """Refuse an aggregate beside a judge that gives one digit and nothing else."""
        ruled = next((one.label for one in self.scorers if one.options.get("rubric")), None)
        if self.aggregate is not None and ruled is not None:
            raise ValueError(f"aggregate: scorer {ruled!r} has a rubric, which says how its score is made")
        mute = next((one.label for one in self.scorers if one.options.get("mode") == "expected"), None)
        if self.aggregate is not None and mute is not None:
            raise ValueError(
                f"aggregate: scorer {mute!r} gives no criteria in mode `expected`; "
                "let it generate, or leave the aggregate out"
            )
        return self

    @model_validator(mode="after")
    def _recipe_is_followed(self) -> Self:
        if self.recipe is not None and not any(one.options.get("rubric") for one in self.scorers):
            raise ValueError(f"recipe: no scorer of the run has a rubric by which it could follow {self.recipe.name!r}")
        return self

    @model_validator(mode="before")
    @classmethod
    def _resolve_models(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            raise ValueError("expected a mapping of settings")
        scorers = given.get("scorers")
        resolved = dict(given)
        if "editor" in given:
            resolved["editor"] = _resolve(Role.EDITOR, given["editor"])
        if isinstance(scorers, list | tuple):
            resolved["scorers"] = [_resolve(Role.SCORER, scorer) for scorer in scorers]
        return resolved

    def digest(self) -> str:
        """Return the sha-256 of everything that shapes a result: equal digests ask for the same numbers."""
        return digest_of_values(self.shaping())

    def shaping(self) -> dict[str, Any]:
        """Return everything that shapes a result, as JSON values.

        What came later than the first runs is left out where it is not used: so it leaves their digests alone.
        """
        shaping = self.model_dump(mode="json", exclude={"priority", "fresh"})
        for scorer in shaping["scorers"]:
            if scorer["repeats"] == 1:
                del scorer["repeats"]
        for name in _LATER:
            if shaping[name] is None:
                del shaping[name]
        return shaping

    @property
    def subset(self) -> Subset:
        """Which samples of its benchmark the run is about."""
        return Subset(self.categories, self.sample_every, self.limit)

    def editing_digest(self) -> str:
        """Return the sha-256 of what shapes an edit beside its sample: of equal digests, one edit does for all runs."""
        return editing_digest_of(self.shaping())

    def with_prompts(self, own: Mapping[str, OwnPrompt]) -> RunConfiguration:
        """Return the configuration with every judge's prompts written out, category by category.

        A judge that was given prompts keeps them; the others use the benchmark's `own` and, for categories without one,
        those that are built in.
        """
        scorers = tuple(_with_prompts(scorer, own) for scorer in self.scorers)
        return self.model_copy(update={"scorers": scorers})

    def judged_alike(self) -> list[ScorerChoice]:
        """Return the scorers that are to judge several times and would say the same each time: they draw nothing."""
        return [scorer for scorer in self.scorers if scorer.repeats > 1 and _draws_nothing(scorer)]

    def specs(self) -> list[ModelSpec]:
        """Return the catalogue entries of the editor and of all scorers."""
        return [find_spec(Role.EDITOR, self.editor.name)] + [find_spec(Role.SCORER, one.name) for one in self.scorers]


def editing_digest_of(shaping: Mapping[str, Any]) -> str:
    """Return the same of a configuration as the ledger has it."""
    editor = {name: shaping["editor"][name] for name in ("name", "options")}
    return digest_of_values({"editor": editor, "seed": shaping["seed"]})


_LATER = ("aggregate", "categories", "sample_every", "recipe")
"""What later versions came to ask of a run."""


def digest_of_values(values: Mapping[str, Any]) -> str:
    """Return the sha-256 of JSON values, whatever the order of their names."""
    canonical = json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def resolve_configuration(given: Mapping[str, Any]) -> RunConfiguration:
    """Check a configuration as a user wrote it and fill in every default.

    An editor or scorer is given as its name, or as a mapping of `name`, `label` and its options, flat or below
    `options`. Raises WrongCall naming the first entry that does not hold.
    """
    try:
        configuration = RunConfiguration.model_validate(given)
        configuration.digest()
    except ValidationError as error:
        raise WrongCall(f"run configuration: {first_fault(error)}") from error
    except UnicodeEncodeError as error:
        raise WrongCall("run configuration: a text holds half of a surrogate pair, which is no character") from error
    return configuration


def first_fault(error: ValidationError) -> str:
    """Return pydantic's first complaint as `place: what is wrong`."""
    fault = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in fault["loc"])
    message = fault["msg"].removeprefix("Value error, ")
    return f"{place}: {message}" if place else message


def model_entry(role: Role, given: Any) -> dict[str, Any]:
    """Return a model as a user may write it, a name or a mapping with options flat or nested, in its one long form.

    That is `name`, `options` and, where given, `label`; a folder of weights or a hub id in place of a name becomes the
    entry that takes such, with a label from its name. Raises WrongCall.
    """
    entry: Any = {"name": given} if isinstance(given, str) else given
    if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
        found = "" if isinstance(given, Mapping) else f", not {given!r}"  # of a mapping a value may be secret
        raise WrongCall(f"{role}: expected a name, or a mapping with a name{found}")
    nested = entry.get("options") or {}
    if not isinstance(nested, Mapping):
        raise WrongCall(f"{role} {entry['name']!r}: options: expected a mapping")
    flat = {key: value for key, value in entry.items() if key not in ("name", "label", "options")}
    own = {key: value for key, value in entry.items() if key in ("name", "label")}
    return _with_weights(role, {**own, "options": {**nested, **flat}})


def _resolve(role: Role, given: Any) -> dict[str, Any]:
    try:
        entry = model_entry(role, given)
        spec = _usable_spec(role, entry["name"])
    except WrongCall as error:
        raise ValueError(str(error)) from error
    try:
        options = spec.options.model_validate({**spec.preset, **entry["options"]})
    except ValidationError as error:
        raise ValueError(f"{role} {entry['name']!r}: {_with_known_options(error, spec)}") from error
    written = {
        name: value for name, value in options.model_dump(mode="json").items() if (name, value) not in _LATER_OPTIONS
    }
    beside = {"repeats": written.pop("repeats")} if role is Role.SCORER else {}  # nothing of the model that is loaded
    return {
        "name": entry["name"],
        "label": str(entry.get("label") or entry["name"]),
        "options": written,
        **beside,
    }


_LATER_OPTIONS = (("rubric", None), ("jpeg_quality", 95), ("image_detail", None))
"""What later versions came to ask of a judge, where it is not used: so it leaves the digests of older runs alone."""


def _usable_spec(role: Role, name: str) -> ModelSpec:
    if name == IMPORTED:
        raise WrongCall(f"{role} {name!r} stands for what others have published; nothing can be run with it")
    return find_spec(role, name)


def _with_weights(role: Role, entry: dict[str, Any]) -> dict[str, Any]:
    if entry["name"] in (GIVEN, *known_names(role)):  # a folder of that name is not meant
        return entry
    weights = weights_entry(role, entry["name"])
    if weights is None:
        return entry
    name, options = weights
    label = entry.get("label") or PurePath(options["model"]).name
    return {"name": name, "label": label, "options": {**entry["options"], **options}}


def _with_prompts(scorer: ScorerChoice, own: Mapping[str, OwnPrompt]) -> ScorerChoice:
    options = load_options(Role.SCORER, scorer)
    if not isinstance(options, JudgeOptions) or options.prompts is not None or options.rubric is not None:
        return scorer
    from db.judge_prompts import built_in_prompts

    mode = options.mode if isinstance(options, TransformersJudgeOptions) else "generate"
    built_in = built_in_prompts(mode)
    given = {
        name: benchmark_prompt(one.system, one.user, otherwise=prompt_of(built_in, name)) for name, one in own.items()
    }
    prompts = {**built_in, **given}
    written = {category: prompt.model_dump(mode="json") for category, prompt in prompts.items()}
    return replace(scorer, options={**scorer.options, "prompts": written})


def _draws_nothing(scorer: ScorerChoice) -> bool:
    options = load_options(Role.SCORER, scorer)
    if isinstance(options, JudgeOptions):
        generates = not isinstance(options, TransformersJudgeOptions) or options.mode == "generate"
        return options.temperature == 0 or not generates
    return type(options) is ScorerOptions  # arithmetic on pixels


def _with_known_options(error: ValidationError, spec: ModelSpec) -> str:
    first = error.errors()[0]
    if first["type"] != "extra_forbidden":
        return first_fault(error)
    *within, name = (str(part) for part in first["loc"])
    if within:
        return f"{'.'.join(within)}.{name}: is not one of its fields"
    return f"{name!r} is not one of its options ({', '.join(spec.options.model_fields) or 'none'})"


def load_options(role: Role, choice: ModelChoice) -> EditorOptions | ScorerOptions:
    """Return the options of a stored choice as the backend's own type."""
    return find_spec(role, choice.name).options.model_validate(choice.options)
