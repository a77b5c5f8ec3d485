"""The editors and scorers a run may name, with the options each takes.

Only names, options and where the code lives: a backend is imported by the worker that needs it, so this module stays
light on both sides. Names resolve here or through the entry point groups `editfarm.editors` and `editfarm.scorers`,
never through a string that came in a message or a benchmark.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import entry_points
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from db.errors import WrongCall


class Role(StrEnum):
    """What a model does in a run."""

    EDITOR = "editor"
    SCORER = "scorer"


class EditorOptions(BaseModel):
    """Options common to every editor; a backend's own options extend it."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ScorerOptions(BaseModel):
    """Options common to every scorer."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    batch_size: Annotated[int, Field(ge=1, le=1024, description="scores claimed and judged together, at most")] = 8


class SimulatedOptions(BaseModel):
    """How a simulated model spends time and fails; every draw is a function of `seed` and the sample's key."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    seconds: Annotated[float, Field(ge=0, description="mean duration of one item, in seconds")] = 0.05
    spread: Annotated[float, Field(ge=0, description="coefficient of variation of the lognormal duration")] = 0.0
    load_seconds: Annotated[float, Field(ge=0, description="time it takes to load the model, in seconds")] = 0.0
    fail_rate: Annotated[float, Field(ge=0, le=1, description="share of items that fail, drawn by key")] = 0.0
    crash_on: Annotated[tuple[str, ...], Field(description="sample keys that kill the process")] = ()
    seed: Annotated[int, Field(ge=0, lt=2**63, description="seed of every draw")] = 0


class SimulatedEditorOptions(SimulatedOptions, EditorOptions):
    """A simulated editor writes a small valid image."""

    width: Annotated[int, Field(ge=1, le=8192, description="width of the image it writes, in pixels")] = 64
    height: Annotated[int, Field(ge=1, le=8192, description="height of the image it writes, in pixels")] = 64
    oom_above: Annotated[int | None, Field(ge=0, description="source pixels above which memory runs out")] = None


class SimulatedScorerOptions(SimulatedOptions, ScorerOptions):
    """A simulated scorer draws a value between 0 and 10."""

    batch_speedup: Annotated[float, Field(ge=1, description="how much faster an item is in a full batch")] = 1.0
    oom_above: Annotated[int | None, Field(ge=0, description="batch size above which memory runs out")] = None


@dataclass(frozen=True)
class ModelSpec:
    """One entry of the catalogue.

    `backend` is `module:class`; the class takes the options as its only argument. `needs_gpu` tells a farm on one
    machine what kind of workers to start; `needs_reference` lets submit warn of samples that cannot be scored.
    """

    backend: str
    options: type[EditorOptions] | type[ScorerOptions]
    summary: str
    needs_gpu: bool = True
    needs_reference: bool = False


EDITORS: Mapping[str, ModelSpec] = {
    "pillow": ModelSpec(
        backend="workers.models.pillow_editor:PillowEditor",
        options=EditorOptions,
        summary="carries out simple instructions (grayscale, blur, rotate ...) with Pillow, in English and Chinese",
        needs_gpu=False,
    ),
    "simulated": ModelSpec(
        backend="workers.models.simulated:SimulatedEditor",
        options=SimulatedEditorOptions,
        summary="waits and writes a small image; for tests, planning and benchmarks of the farm itself",
        needs_gpu=False,
    ),
}

SCORERS: Mapping[str, ModelSpec] = {
    "reference": ModelSpec(
        backend="workers.models.reference_scorer:ReferenceScorer",
        options=ScorerOptions,
        summary="structural similarity (SSIM) to the sample's reference image, 0 to 10",
        needs_gpu=False,
        needs_reference=True,
    ),
    "simulated": ModelSpec(
        backend="workers.models.simulated:SimulatedScorer",
        options=SimulatedScorerOptions,
        summary="waits and draws a value; for tests, planning and benchmarks of the farm itself",
        needs_gpu=False,
    ),
}

_BUILT_IN = {Role.EDITOR: EDITORS, Role.SCORER: SCORERS}
_OPTIONS_BASE = {Role.EDITOR: EditorOptions, Role.SCORER: ScorerOptions}


def find_spec(role: Role, name: str) -> ModelSpec:
    """Return the entry of that name, from the built-in catalogue first and then from installed plug-ins.

    Raises WrongCall when nothing has that name, or when a plug-in's entry point is not a usable ModelSpec.
    """
    built_in = _BUILT_IN[role].get(name)
    if built_in is not None:
        return built_in
    plugins = entry_points(group=f"editfarm.{role}s", name=name)
    if not plugins:
        raise WrongCall(f"no {role} is called {name!r}; known: {', '.join(known_names(role))}")
    plugin = next(iter(plugins))
    try:
        spec = plugin.load()
    except (ImportError, AttributeError) as error:
        raise WrongCall(f"the plug-in for {role} {name!r} cannot be imported from {plugin.value}: {error}") from error
    if not isinstance(spec, ModelSpec) or not issubclass(spec.options, _OPTIONS_BASE[role]):
        raise WrongCall(
            f"the plug-in for {role} {name!r} must name a db.catalogue.ModelSpec "
            f"whose options extend {_OPTIONS_BASE[role].__name__}"
        )
    return spec


def known_names(role: Role) -> list[str]:
    """Return every name of that role, built-in and plugged in, sorted."""
    plugged = {entry.name for entry in entry_points(group=f"editfarm.{role}s")}
    return sorted(plugged.union(_BUILT_IN[role]))
