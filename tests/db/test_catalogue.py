"""The catalogue: what a run may name, built in or plugged in."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import get_type_hints

import pytest

from db.catalogue import EDITORS, SCORERS, ModelSpec, Role, find_spec, known_names, plugged_in
from db.choice import IMPORTED
from db.errors import WrongCall
from db.options import EditorOptions

PlugIn = Callable[[str], None]


@pytest.fixture
def plug_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PlugIn:
    """Install a distribution whose module has this source and offers its `SPEC` as the editor `plugged`."""

    def install(source: str) -> None:
        (tmp_path / "farm_plug_in.py").write_text(source)
        about = tmp_path / "farm_plug_in-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: farm-plug-in\nVersion: 1.0\n")
        (about / "entry_points.txt").write_text("[editfarm.editors]\nplugged = farm_plug_in:SPEC\n")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "farm_plug_in", raising=False)
        plugged_in.cache_clear()

    return install


A_SPEC = """
from db.catalogue import ModelSpec
from db.options import EditorOptions

class Options(EditorOptions):
    steps: int = 20

SPEC = ModelSpec(backend="farm_plug_in:Editor", options=Options, summary="a plug-in")
"""


# -- built in ----------------------------------------------------------------------------------------------------------


def test_what_others_have_published_has_a_name_that_is_offered_to_nobody_and_loads_nothing() -> None:
    for role in Role:
        spec = find_spec(role, IMPORTED)
        assert IMPORTED not in known_names(role)
        assert not (spec.needs_gpu or spec.fills_gpu)
        with pytest.raises(ImportError):
            importlib.import_module(spec.backend.partition(":")[0])


@pytest.mark.parametrize("spec", [*EDITORS.values(), *SCORERS.values()], ids=lambda spec: spec.backend)
def test_a_built_in_backend_imports_and_takes_its_options(spec: ModelSpec) -> None:
    module, found, name = spec.backend.partition(":")
    assert found
    try:
        backend = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        pytest.skip(f"not here: {error}")
    parameter, *injected = inspect.signature(backend).parameters.values()
    assert all(one.default is not inspect.Parameter.empty for one in injected)
    accepted = get_type_hints(backend.__init__)[parameter.name]
    assert issubclass(spec.options, accepted)


@pytest.mark.parametrize("spec", [*EDITORS.values(), *SCORERS.values()], ids=lambda spec: spec.backend)
def test_every_option_says_what_it_is(spec: ModelSpec) -> None:
    assert all(field.description for field in spec.options.model_fields.values())
    assert spec.summary


def test_the_catalogue_imports_no_backend() -> None:
    assert not any(name.startswith("workers") for name in vars(importlib.import_module("db.catalogue")))


def test_editors_and_scorers_are_told_apart() -> None:
    assert find_spec(Role.EDITOR, "simulated").backend == "workers.models.simulated:SimulatedEditor"
    assert find_spec(Role.SCORER, "simulated").backend == "workers.models.simulated:SimulatedScorer"


@pytest.mark.parametrize(("role", "models"), [(Role.EDITOR, EDITORS), (Role.SCORER, SCORERS)])
def test_an_unknown_name_lists_the_known_ones(role: Role, models: dict[str, ModelSpec]) -> None:
    with pytest.raises(WrongCall) as error:
        find_spec(role, "photoshop")
    assert str(error.value) == (
        f"no {role} is called 'photoshop'; known: {', '.join(sorted(models))}, "
        "or a folder of weights, or a hub id as OWNER/NAME"
    )


def test_a_path_to_code_is_not_a_name() -> None:
    with pytest.raises(WrongCall, match="no editor is called"):
        find_spec(Role.EDITOR, "workers.models.simulated:SimulatedEditor")


# -- plugged in --------------------------------------------------------------------------------------------------------


def test_an_installed_plug_in_is_found_by_its_name(plug_in: PlugIn) -> None:
    plug_in(A_SPEC)
    spec = find_spec(Role.EDITOR, "plugged")
    assert spec.backend == "farm_plug_in:Editor"
    assert "steps" in spec.options.model_fields
    assert "plugged" in known_names(Role.EDITOR)


def test_a_plug_in_is_known_in_its_own_role_only(plug_in: PlugIn) -> None:
    plug_in(A_SPEC)
    assert "plugged" not in known_names(Role.SCORER)
    with pytest.raises(WrongCall, match="no scorer is called 'plugged'"):
        find_spec(Role.SCORER, "plugged")


def test_a_plug_in_cannot_take_the_name_of_a_built_in_model(plug_in: PlugIn, tmp_path: Path) -> None:
    plug_in(A_SPEC)
    entry_points = tmp_path / "farm_plug_in-1.0.dist-info" / "entry_points.txt"
    entry_points.write_text("[editfarm.editors]\npillow = farm_plug_in:SPEC\n")
    assert find_spec(Role.EDITOR, "pillow") is EDITORS["pillow"]
    assert known_names(Role.EDITOR) == sorted(EDITORS)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("SPEC = 'not a spec'", id="not a ModelSpec"),
        pytest.param(
            A_SPEC.replace("(EditorOptions)", "(ScorerOptions)").replace(
                "import EditorOptions", "import ScorerOptions"
            ),
            id="a scorer's options",
        ),
        pytest.param(A_SPEC.replace("SPEC", "spec"), id="no such name"),
        pytest.param("import a_module_that_nobody_has", id="cannot be imported"),
    ],
)
def test_a_plug_in_that_is_no_model_is_refused_in_one_line(plug_in: PlugIn, source: str) -> None:
    plug_in(source)
    with pytest.raises(WrongCall, match=r"^the plug-in for editor 'plugged'") as error:
        find_spec(Role.EDITOR, "plugged")
    assert "\n" not in str(error.value)


def test_an_option_that_nobody_knows_is_refused_by_every_model() -> None:
    for spec in (*EDITORS.values(), *SCORERS.values()):
        with pytest.raises(ValueError, match="Extra inputs are not permitted"):
            spec.options.model_validate({"no_such_option": 1})
    assert EditorOptions.model_config["extra"] == "forbid"
