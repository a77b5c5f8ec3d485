"""`python -m producer models`: what a run may name, and every value that a name stands for."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console, RenderableType

from db.catalogue import EDITORS, SCORERS
from db.errors import WrongCall
from db.presets import EDITOR_PRESETS, JUDGE_PRESETS
from producer.models import model_data, models_data, models_table, options_table

NAMES = [("editor", name) for name in sorted(EDITORS)] + [("scorer", name) for name in sorted(SCORERS)]


def shown(content: RenderableType) -> str:
    file = io.StringIO()
    Console(width=1000, file=file).print(content)
    return file.getvalue()


def options_of(name: str) -> dict[str, Any]:
    """Return every option of a name that only one model has, with its value."""
    (model,) = model_data(name)
    return {option["name"]: option["value"] for option in model["options"]}


# -- the catalogue -----------------------------------------------------------------------------------------------------


def test_every_editor_and_scorer_is_listed_once_editors_first() -> None:
    assert [(model["role"], model["name"]) for model in models_data()] == NAMES


def test_a_model_with_weights_is_listed_with_their_licence() -> None:
    licences = {model["name"]: model["licence"] for model in models_data() if model["licence"]}

    assert licences == {name: preset.licence for name, preset in (EDITOR_PRESETS | JUDGE_PRESETS).items()}


def test_the_table_has_a_row_for_each_with_what_it_is_and_its_licence() -> None:
    rows = [" ".join(line.split()) for line in shown(models_table()).splitlines()]

    expected = [" ".join(f"{m['role']} {m['name']} {m['summary']} {m['licence'] or ''}".split()) for m in models_data()]
    assert [row for row in rows if row.startswith(("editor", "scorer"))] == expected


# -- one model ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("role", "name"), NAMES)
def test_a_model_is_shown_with_every_option_its_value_and_its_meaning(role: str, name: str) -> None:
    spec = (EDITORS if role == "editor" else SCORERS)[name]

    (model,) = [model for model in model_data(name) if model["role"] == role]

    assert (model["summary"], model["licence"] or "") == (spec.summary, spec.licence)
    assert [option["name"] for option in model["options"]] == list(spec.options.model_fields)
    assert all(option["meaning"] for option in model["options"])
    assert json.loads(json.dumps(model, allow_nan=False))


def test_a_presets_values_are_those_that_a_run_would_use() -> None:
    options = options_of("qwen-image-edit-lightning-4")

    assert (options["num_inference_steps"], options["true_cfg_scale"]) == (4, 1.0)
    assert options["negative_prompt"] == " "
    assert options["vae_tiling"] is False


def test_an_option_that_must_be_given_has_no_value() -> None:
    assert (options_of("diffusers")["model"], options_of("api")["base_url"]) == (None, None)


def test_a_name_of_both_roles_is_shown_twice() -> None:
    assert [model["role"] for model in model_data("simulated")] == ["editor", "scorer"]


@pytest.mark.parametrize("name", sorted({name for _, name in NAMES}))
def test_the_table_of_a_model_has_a_row_for_each_option(name: str) -> None:
    rows = [" ".join(line.split()) for line in shown(options_table(name)).splitlines()]

    for model in model_data(name):
        assert [row for row in rows if row.startswith(f"{model['role']} {name}: {model['summary']}")]
        for option in model["options"]:
            value = json.dumps(option["value"], ensure_ascii=False)
            assert " ".join(f"{option['name']} {value} {option['meaning']}".split()) in rows


@pytest.mark.parametrize("name", ["nope", "", "Pillow", "workers.models.simulated:SimulatedEditor"])
def test_an_unknown_name_is_a_wrong_call(name: str) -> None:
    with pytest.raises(WrongCall) as caught:
        model_data(name)

    assert str(caught.value) == f"no editor or scorer is called {name!r}; `python -m producer models` lists them"


# -- the command -------------------------------------------------------------------------------------------------------


def models(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Call the command where there is neither ledger nor broker, with an address of each that nobody answers."""
    elsewhere = {
        "FARM_HOME": str(folder / "farm"),
        "FARM_BROKER_URL": "redis://127.0.0.1:1/0",
        "FARM_DATABASE_URL": "postgresql://127.0.0.1:1/nowhere",
    }
    return subprocess.run(
        [sys.executable, "-m", "producer", "models", *arguments],
        env={**os.environ, "COLUMNS": "200", **elsewhere},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.integration
def test_the_command_prints_the_catalogue_and_needs_nothing(tmp_path: Path) -> None:
    done = models(tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert [name for _, name in NAMES if name not in done.stdout] == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.integration
def test_the_command_prints_one_model(tmp_path: Path) -> None:
    done = models(tmp_path, "flux-kontext")

    assert (done.returncode, done.stderr) == (0, "")
    assert "FLUX.1 [dev] Non-Commercial License" in done.stdout
    assert "num_inference_steps" in done.stdout
    assert "qwen" not in done.stdout


@pytest.mark.integration
@pytest.mark.parametrize(("arguments", "content"), [((), models_data()), (("api",), model_data("api"))])
def test_the_command_prints_json(tmp_path: Path, arguments: tuple[str, ...], content: list[dict[str, Any]]) -> None:
    done = models(tmp_path, *arguments, "--json")

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == json.loads(json.dumps(content))


@pytest.mark.integration
@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_an_unknown_name_is_told_in_a_line_with_exit_code_2(tmp_path: Path, flags: tuple[str, ...]) -> None:
    done = models(tmp_path, "nope", *flags)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: no editor or scorer is called 'nope'; `python -m producer models` lists them\n"
