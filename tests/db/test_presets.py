"""Every preset by name: its values written out, and what a user may change of it."""

from __future__ import annotations

import math

import pytest

from db.catalogue import EDITORS, SCORERS, Role
from db.configuration import load_options, resolve_configuration
from db.options import DiffusersEditorOptions
from db.presets import EDITOR_PRESETS, JUDGE_PRESETS
from producer.choices import choose
from tests.db.choices import API, complaint, editor, scorer
from tests.factories import configuration

LIGHTNING = [name for name in EDITOR_PRESETS if "lightning" in name]


@pytest.mark.parametrize("name", EDITOR_PRESETS)
def test_an_editor_by_name_has_every_value_that_shapes_its_images_written_out(name: str) -> None:
    preset, stored = EDITOR_PRESETS[name], editor(name)

    assert {"model", "revision", "dtype", "num_inference_steps", "size"} <= preset.options.keys()
    assert preset.options.keys() & {"true_cfg_scale", "guidance_scale"}
    assert None not in preset.options.values()
    assert stored["dtype"] != "auto"
    assert {key: stored[key] for key in preset.options} == preset.options
    assert EDITORS[name].licence == preset.licence != ""


@pytest.mark.parametrize("name", JUDGE_PRESETS)
def test_a_judge_by_name_has_every_value_that_shapes_its_scores_written_out(name: str) -> None:
    preset, stored = JUDGE_PRESETS[name], scorer(name)

    assert {"model", "revision", "dtype", "attention", "mode"} <= preset.options.keys()
    assert None not in preset.options.values()
    assert stored["dtype"] != "auto"
    assert {key: stored[key] for key in preset.options} == preset.options
    assert SCORERS[name].licence == preset.licence != ""


def test_the_lightning_presets_are_three_models_in_four_and_eight_steps() -> None:
    assert len(LIGHTNING) == 6
    assert {EDITOR_PRESETS[name].options["model"] for name in LIGHTNING} == {
        "Qwen/Qwen-Image-Edit",
        "Qwen/Qwen-Image-Edit-2509",
        "Qwen/Qwen-Image-Edit-2511",
    }


@pytest.mark.parametrize("name", LIGHTNING)
def test_a_lightning_preset_has_few_steps_no_guidance_its_lora_and_its_shifts(name: str) -> None:
    stored = editor(name)
    steps = int(name.rpartition("-")[2])

    assert stored["num_inference_steps"] == steps in (4, 8)
    assert stored["true_cfg_scale"] == 1
    (lora,) = stored["loras"]
    assert lora["model"].startswith("lightx2v/")
    assert lora["weight_name"].endswith(".safetensors")
    assert f"-{steps}steps-" in lora["weight_name"]
    assert stored["scheduler"] == {"base_shift": math.log(3), "max_shift": math.log(3), "shift_terminal": None}


@pytest.mark.parametrize("name", [name for name in EDITOR_PRESETS if name not in LIGHTNING])
def test_no_other_preset_has_a_lora_or_a_changed_scheduler(name: str) -> None:
    stored = editor(name)

    assert (stored["loras"], stored["scheduler"]) == ([], {})


def test_a_users_option_wins_over_the_presets() -> None:
    stored = editor({"name": "qwen-image-edit", "num_inference_steps": 20, "size": "source"})

    assert stored == editor("qwen-image-edit") | {"num_inference_steps": 20, "size": "source"}


def test_set_changes_a_preset() -> None:
    found = choose(
        file=None, editor="qwen-image-edit", scorers=["simulated"], settings=["editor.num_inference_steps=4"], others={}
    )

    assert found.editor.options["num_inference_steps"] == 4
    assert found.editor.options["true_cfg_scale"] == 4


def test_set_reaches_a_scorer_whose_name_holds_a_dot() -> None:
    found = choose(
        file=None,
        editor="simulated",
        scorers=["qwen2.5-vl-7b"],
        settings=["scorer.qwen2.5-vl-7b.batch_size=2"],
        others={},
    )

    assert found.scorers[0].options["batch_size"] == 2


def test_a_name_that_stands_for_no_weights_needs_them() -> None:
    assert complaint(editor="diffusers") == "editor 'diffusers': model: Field required"
    assert complaint(scorers=["transformers"]) == "scorer 'transformers': model: Field required"
    assert complaint(scorers=[{"name": "api", "model": "judge"}]) == "scorer 'api': base_url: Field required"


def test_what_was_stored_of_a_preset_is_read_back_the_same() -> None:
    first = configuration(editor="qwen-image-edit-lightning-4", scorers=["qwen3-vl-8b", API]).with_prompts({})

    again = resolve_configuration(first.model_dump(mode="json"))

    assert again.digest() == first.digest()
    options = load_options(Role.EDITOR, again.editor)
    assert isinstance(options, DiffusersEditorOptions)
    assert options.loras[0].scale == 1.0
