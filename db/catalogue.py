"""The editors and scorers a run may name, with the options each takes.

Only names, options and where the code lives: a backend is imported by the worker that needs it, so this module stays
light on both sides. Names resolve here or through the entry point groups `editfarm.editors` and `editfarm.scorers`,
never through a string that came in a message or a benchmark.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from db.choice import GIVEN, IMPORTED
from db.errors import WrongCall
from db.options import (
    ApiJudgeOptions,
    DiffusersEditorOptions,
    EditorOptions,
    GivenEditsOptions,
    ScorerOptions,
    SimulatedEditorOptions,
    SimulatedScorerOptions,
    TransformersJudgeOptions,
)
from db.presets import EDITOR_PRESETS, JUDGE_PRESETS, Preset


class Role(StrEnum):
    """What a model does in a run."""

    EDITOR = "editor"
    SCORER = "scorer"


@dataclass(frozen=True)
class ModelSpec:
    """One entry of the catalogue.

    `backend` is `module:class`; the class takes the options as its only argument. `preset` are the values that this
    name stands for, `licence` that of its weights. `needs_gpu` tells a farm on one machine what kind of workers to
    start; `fills_gpu`, that no other such model may be on the device beside it; `needs_reference` lets submit warn of
    samples that cannot be scored.
    """

    backend: str
    options: type[EditorOptions] | type[ScorerOptions]
    summary: str
    needs_gpu: bool = True
    fills_gpu: bool = True
    needs_reference: bool = False
    preset: Mapping[str, Any] = field(default_factory=dict)
    licence: str = ""


_DIFFUSERS = ModelSpec(
    backend="workers.models.diffusers_editor:DiffusersEditor",
    options=DiffusersEditorOptions,
    summary="any image-editing pipeline of diffusers: --editor DIR or --editor OWNER/NAME",
)
_TRANSFORMERS = ModelSpec(
    backend="workers.models.transformers_scorer:TransformersScorer",
    options=TransformersJudgeOptions,
    summary="any vision-language model of transformers: --scorer DIR or --scorer OWNER/NAME",
)


def _named(spec: ModelSpec, presets: Mapping[str, Preset]) -> dict[str, ModelSpec]:
    return {
        name: replace(spec, summary=preset.summary, preset=preset.options, licence=preset.licence)
        for name, preset in presets.items()
    }


EDITORS: Mapping[str, ModelSpec] = {
    **_named(_DIFFUSERS, EDITOR_PRESETS),
    "diffusers": _DIFFUSERS,
    "pillow": ModelSpec(
        backend="workers.models.pillow_editor:PillowEditor",
        options=EditorOptions,
        summary="carries out simple instructions (grayscale, blur, rotate ...) with Pillow, in English and Chinese",
        needs_gpu=False,
        fills_gpu=False,
    ),
    "simulated": ModelSpec(
        backend="workers.models.simulated:SimulatedEditor",
        options=SimulatedEditorOptions,
        summary="waits and writes a small image; for tests, planning and benchmarks of the farm itself",
        needs_gpu=False,
    ),
}

SCORERS: Mapping[str, ModelSpec] = {
    **_named(_TRANSFORMERS, JUDGE_PRESETS),
    "transformers": _TRANSFORMERS,
    "api": ModelSpec(
        backend="workers.models.api_scorer:ApiScorer",
        options=ApiJudgeOptions,
        summary="a judge behind an OpenAI-compatible server (vLLM, SGLang, hosted)",
        needs_gpu=False,
        fills_gpu=False,
    ),
    "reference": ModelSpec(
        backend="workers.models.reference_scorer:ReferenceScorer",
        options=ScorerOptions,
        summary="structural similarity (SSIM) to the sample's reference image, 0 to 10",
        needs_gpu=False,
        fills_gpu=False,
        needs_reference=True,
    ),
    "psnr": ModelSpec(
        backend="workers.models.psnr_scorer:PsnrScorer",
        options=ScorerOptions,
        summary="peak signal-to-noise ratio (PSNR) to the sample's reference image, 50 dB being 10",
        needs_gpu=False,
        fills_gpu=False,
        needs_reference=True,
    ),
    "preservation": ModelSpec(
        backend="workers.models.preservation_scorer:PreservationScorer",
        options=ScorerOptions,
        summary="how much of the image outside the change is untouched, 0 to 10",
        needs_gpu=False,
        fills_gpu=False,
    ),
    "simulated": ModelSpec(
        backend="workers.models.simulated:SimulatedScorer",
        options=SimulatedScorerOptions,
        summary="waits and draws a value; for tests, planning and benchmarks of the farm itself",
        needs_gpu=False,
    ),
}


_NO_MODEL = {
    (role, name): ModelSpec(
        backend=f"workers.models.{name}:{name.capitalize()}",  # which there is not: it cannot be loaded, and says so
        options=options,
        summary=summary,
        needs_gpu=False,
        fills_gpu=False,
    )
    for role, name, options, summary in (
        (Role.EDITOR, IMPORTED, EditorOptions, "stands for what others have published"),
        (Role.SCORER, IMPORTED, ScorerOptions, "stands for what others have published"),
        (Role.EDITOR, GIVEN, GivenEditsOptions, "stands for images that were there already"),
    )
}

_BUILT_IN = {Role.EDITOR: EDITORS, Role.SCORER: SCORERS}
_OPTIONS_BASE = {Role.EDITOR: EditorOptions, Role.SCORER: ScorerOptions}


_WEIGHTS = {Role.EDITOR: ("diffusers", "model_index.json"), Role.SCORER: ("transformers", "config.json")}
"""The entry that takes weights without a name of their own here, and the file that marks a folder of them."""

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def weights_entry(role: Role, given: str) -> tuple[str, dict[str, str]] | None:
    """Return the catalogue's name and the options for weights given in place of a name: a local folder or a hub id.

    None for what is neither. A folder is named by its absolute path, because workers have other working folders.
    Raises WrongCall for a folder that holds no such weights.
    """
    name, mark = _WEIGHTS[role]
    folder = Path(given).expanduser()
    if folder.is_dir():
        if not (folder / mark).is_file():
            raise WrongCall(f"{role} {given!r} is a folder without {mark}")
        return name, {"model": str(folder.resolve())}
    if _HUB_ID.fullmatch(given):
        return name, {"model": given}
    return None


def find_spec(role: Role, name: str) -> ModelSpec:
    """Return the entry of that name, from the built-in catalogue first and then from installed plug-ins.

    Raises WrongCall when nothing has that name, or when a plug-in's entry point is not a usable ModelSpec.
    """
    built_in = _NO_MODEL.get((role, name)) or _BUILT_IN[role].get(name)
    return built_in if built_in is not None else plugged_in(role, name)


@cache
def plugged_in(role: Role, name: str) -> ModelSpec:
    """Return a plug-in's entry; all that is installed is looked through for it, so a process does that once."""
    plugins = entry_points(group=f"editfarm.{role}s", name=name)
    if not plugins:
        raise WrongCall(
            f"no {role} is called {name!r}; known: {', '.join(known_names(role))}, "
            "or a folder of weights, or a hub id as OWNER/NAME"
        )
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
