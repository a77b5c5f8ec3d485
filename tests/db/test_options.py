"""Options, presets and weights in place of a name: what a run stores of a model, and what it refuses."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from db.catalogue import EDITORS, SCORERS, Role, find_spec
from db.configuration import RunConfiguration, load_options, resolve_configuration
from db.errors import WrongCall
from db.judge_prompts import built_in_prompts
from db.options import DiffusersEditorOptions, JudgeOptions
from db.presets import EDITOR_PRESETS, JUDGE_PRESETS
from db.prompts import JudgePrompt
from producer.choices import choose
from tests.factories import configuration

SECRET = "s3cr3t-Wort"
API = {"name": "api", "model": "judge", "base_url": "http://127.0.0.1:8000/v1"}
LIGHTNING = [name for name in EDITOR_PRESETS if "lightning" in name]


def editor(given: Any) -> dict[str, Any]:
    """Return the options that a run stores of this editor."""
    return dict(configuration(editor=given).editor.options)


def scorer(given: Any) -> dict[str, Any]:
    """Return the options that a run stores of this scorer."""
    return dict(configuration(scorers=[given]).scorers[0].options)


def complaint(**given: Any) -> str:
    """Return what is said of a run that does not hold; always one line."""
    with pytest.raises(WrongCall, match=r"^run configuration: ") as error:
        configuration(**given)
    assert "\n" not in str(error.value)
    return str(error.value).removeprefix("run configuration: ")


# -- presets -----------------------------------------------------------------------------------------------------------


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
        file=None,
        editor="qwen-image-edit",
        scorers=["simulated"],
        settings=["editor.num_inference_steps=4"],
        others={},
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


# -- options that do not go together -----------------------------------------------------------------------------------


def test_guidance_without_a_negative_prompt_is_refused_in_one_clear_line() -> None:
    assert complaint(editor={"name": "diffusers", "model": "m", "true_cfg_scale": 4}) == (
        "editor 'diffusers': true_cfg_scale 4 is off without a negative_prompt; give one, a single space will do, "
        "or set true_cfg_scale to 1"
    )


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"true_cfg_scale": 1},
        {"true_cfg_scale": 0},
        {"true_cfg_scale": 4, "negative_prompt": " "},
        {"true_cfg_scale": 4, "negative_prompt": ""},
        {"guidance_scale": 4},
    ],
)
def test_guidance_that_works_is_taken(options: dict[str, Any]) -> None:
    assert editor({"name": "diffusers", "model": "m", **options}).items() >= options.items()


def test_guidance_set_on_a_preset_without_a_negative_prompt_is_refused() -> None:
    assert "true_cfg_scale 2.5 is off" in complaint(editor={"name": "flux-kontext", "true_cfg_scale": 2.5})


@pytest.mark.parametrize(
    "option",
    [
        {"num_inference_steps": 0},
        {"true_cfg_scale": float("nan")},
        {"guidance_scale": float("inf")},
        {"guidance_scale": -1},
        {"size": "big"},
        {"size": "1024"},
        {"size": "0x1024"},
        {"size": "1024x1024px"},
        {"size": "px"},
        {"dtype": "int4"},
        {"cache": "always"},
        {"cache_threshold": 1},
        {"max_source_pixels": 1},
        {"loras": [{"weight_name": "w"}]},
        {"model": ""},
    ],
    ids=str,
)
def test_an_option_of_an_editor_out_of_its_range_is_named(option: dict[str, Any]) -> None:
    (name,) = option

    assert complaint(editor={"name": "qwen-image-edit", **option}).startswith(f"editor 'qwen-image-edit': {name}")


def test_an_unknown_field_within_an_option_is_named() -> None:
    said = complaint(editor={"name": "qwen-image-edit", "loras": [{"model": "m", "strength": 1}]})

    assert said.startswith("editor 'qwen-image-edit': loras.0.strength: ")


@pytest.mark.parametrize("size", ["auto", "source", "1024x768", "16x16", "1048576px"])
def test_a_size_is_a_rule_or_width_by_height_or_an_area(size: str) -> None:
    assert editor({"name": "qwen-image-edit", "size": size})["size"] == size


# -- weights in place of a name ----------------------------------------------------------------------------------------


def editor_folder(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "model_index.json").write_text("{}")
    return folder


def judge_folder(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    return folder


def chosen(role: Role, given: Any) -> Any:
    """Return the model that a run stores when this is given in that role."""
    found = configuration(**({"editor": given} if role is Role.EDITOR else {"scorers": [given]}))
    return found.editor if role is Role.EDITOR else found.scorers[0]


ROLES = [(Role.EDITOR, editor_folder, "diffusers"), (Role.SCORER, judge_folder, "transformers")]


@pytest.mark.parametrize(("role", "make", "name"), ROLES)
def test_a_folder_of_weights_works_in_place_of_a_name(
    role: Role, make: Callable[[Path], Path], name: str, tmp_path: Path
) -> None:
    folder = make(tmp_path / "my weights-1.5")

    found = chosen(role, str(folder))

    assert (found.name, found.label, found.options["model"]) == (name, "my weights-1.5", str(folder))


@pytest.mark.parametrize(("role", "make", "name"), ROLES)
@pytest.mark.parametrize("given", ["weights", "./weights", "weights/", "../here/weights", "~/weights"])
def test_a_folder_is_stored_absolute_with_its_own_name_as_label(
    role: Role, make: Callable[[Path], Path], name: str, given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make(tmp_path / "here" / "weights")
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("HOME", str(folder.parent))

    found = chosen(role, given)

    assert found.label == "weights"
    assert Path(found.options["model"]).is_absolute()
    assert Path(found.options["model"]).samefile(folder)


@pytest.mark.parametrize(("role", "make", "name"), ROLES)
def test_the_folder_one_stands_in_is_labelled_by_its_name(
    role: Role, make: Callable[[Path], Path], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(make(tmp_path / "weights"))

    found = chosen(role, ".")

    assert found.options["model"] == str(tmp_path / "weights")
    assert found.label == "weights"


@pytest.mark.parametrize(
    ("role", "make", "lacking"),
    [(Role.EDITOR, judge_folder, "model_index.json"), (Role.SCORER, editor_folder, "config.json")],
)
def test_a_folder_of_something_else_is_refused(
    role: Role, make: Callable[[Path], Path], lacking: str, tmp_path: Path
) -> None:
    folder = str(make(tmp_path / "weights"))
    given: dict[str, Any] = {"editor": folder} if role is Role.EDITOR else {"scorers": [folder]}

    assert complaint(**given) == f"{role} {folder!r} is a folder without {lacking}"


def test_a_folder_that_looks_like_a_hub_id_is_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = editor_folder(tmp_path / "Qwen" / "Qwen-Image-Edit")
    monkeypatch.chdir(tmp_path)

    assert editor("Qwen/Qwen-Image-Edit")["model"] == str(folder)


def test_a_folder_of_a_known_name_does_not_take_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor_folder(tmp_path / "pillow")
    monkeypatch.chdir(tmp_path)

    assert configuration(editor="pillow").editor.name == "pillow"
    assert configuration(editor="./pillow").editor.name == "diffusers"


@pytest.mark.parametrize(("role", "name"), [(Role.EDITOR, "diffusers"), (Role.SCORER, "transformers")])
def test_a_hub_id_works_in_place_of_a_name(role: Role, name: str) -> None:
    found = chosen(role, "Owner/some.Model-2_b")

    assert (found.name, found.label, found.options["model"]) == (name, "some.Model-2_b", "Owner/some.Model-2_b")


def test_weights_take_options_and_a_label_like_any_name() -> None:
    found = configuration(editor={"name": "Owner/Model", "label": "mine", "num_inference_steps": 4, "size": "source"})

    assert found.editor.label == "mine"
    assert (found.editor.options["num_inference_steps"], found.editor.options["size"]) == (4, "source")


@pytest.mark.parametrize(
    "given", ["Owner", "Owner/", "/Model", "a/b/c", "Owner/../x", "-o/x", "https://h/o/m", "o/m@v"]
)
def test_what_is_neither_name_nor_folder_nor_hub_id_is_refused_with_all_three(given: str) -> None:
    said = complaint(editor=given)

    assert said.startswith(f"no editor is called {given!r}; known: diffusers, flux-kontext,")
    assert said.endswith("or a folder of weights, or a hub id as OWNER/NAME")


def test_weights_that_were_stored_are_read_back_though_the_folder_has_gone(tmp_path: Path) -> None:
    folder = judge_folder(tmp_path / "judge")
    first = configuration(scorers=[str(folder)])
    (folder / "config.json").unlink()
    folder.rmdir()

    assert resolve_configuration(first.model_dump(mode="json")).digest() == first.digest()


def test_set_reaches_weights_by_the_label_that_they_get(tmp_path: Path) -> None:
    folder = str(judge_folder(tmp_path / "judge"))

    found = choose(file=None, editor=None, scorers=[folder], settings=["scorer.judge.batch_size=2"], others={})

    assert (found.scorers[0].label, found.scorers[0].options["batch_size"]) == ("judge", 2)


# -- the server behind a judge -----------------------------------------------------------------------------------------


def test_an_address_is_stored_without_the_slash_at_its_end() -> None:
    assert scorer({**API, "base_url": "https://judge.example/v1/"})["base_url"] == "https://judge.example/v1"


WITH_A_SECRET = [
    f"http://user:{SECRET}@host/v1",
    f"http://:{SECRET}@host/v1",
    f"http://{SECRET}@host/v1",
    f"https://host/v1?key={SECRET}",
    f"http://user:{SECRET}@ho st/v1",
]


@pytest.mark.parametrize("base_url", WITH_A_SECRET)
def test_an_address_with_a_secret_is_refused_without_saying_it(base_url: str) -> None:
    assert complaint(scorers=[{**API, "base_url": base_url}]) == (
        "scorer 'api': base_url: must hold no user, password or query: it is stored; a key goes into FARM_JUDGE_API_KEY"
    )


@pytest.mark.parametrize(
    "scorers",
    [
        pytest.param([{**API, "base_url": f"user:{SECRET}@host/v1"}], id="no scheme"),
        pytest.param([{**API, "base_url": f"ftp://user:{SECRET}@host/v1"}], id="another scheme"),
        pytest.param([{**API, "base_url": f"http://user:{SECRET}@[::1/v1"}], id="half an address"),
        pytest.param([{**API, "base_url": [f"http://user:{SECRET}@host/v1"]}], id="a list"),
        pytest.param([{**API, "base_url": f"http://user:{SECRET}@host/v1", "batch_size": 0}], id="another fault first"),
        pytest.param([{**API, "api_key": SECRET}], id="the key as an option"),
        pytest.param([{**API, "batch_size": SECRET}], id="another option"),
        pytest.param([{**API, "timeout_seconds": SECRET}], id="a number"),
        pytest.param([{**API, "response_format": SECRET}], id="a choice"),
        pytest.param(
            [{**API, "base_url": f"http://user:{SECRET}@h\u2100st/v1"}],
            id="a character that no host has",
        ),
        pytest.param(
            [{"base_url": f"http://user:{SECRET}@host/v1"}],
            id="no name",
        ),
        pytest.param(
            [{"name": "api", "options": f"base_url=http://user:{SECRET}@host/v1"}],
            id="options that are none",
        ),
    ],
)
def test_no_complaint_of_a_scorer_says_what_was_given_as_a_secret(scorers: list[Any]) -> None:
    assert SECRET not in complaint(scorers=scorers)


@pytest.mark.parametrize("base_url", ["", "host/v1", "host:8000/v1", "ftp://host/v1", "http://", "http:///v1", "/v1"])
def test_an_address_is_http_with_a_host(base_url: str) -> None:
    assert complaint(scorers=[{**API, "base_url": base_url}]) == (
        "scorer 'api': base_url: expected http://HOST/v1 or https://HOST/v1"
    )


# -- prompts -----------------------------------------------------------------------------------------------------------


def prompts_of(found: RunConfiguration, position: int = 0) -> dict[str, JudgePrompt]:
    """Return the prompts that a run stores for one of its judges."""
    options = load_options(Role.SCORER, found.scorers[position])
    assert isinstance(options, JudgeOptions)
    assert options.prompts is not None
    return dict(options.prompts)


OWN = {"天气": JudgePrompt(user="own: {{ instruction }}"), "物理": JudgePrompt(user="own physics: {{ instruction }}")}
GIVEN = {"default": {"user": "given: {{ instruction }}"}}


def test_every_judge_gets_the_built_in_prompts_written_out() -> None:
    found = configuration(scorers=["qwen3-vl-8b", API]).with_prompts({})

    assert prompts_of(found, 0) == prompts_of(found, 1) == built_in_prompts("generate")


def test_a_judge_of_one_digit_gets_the_prompts_for_it() -> None:
    found = configuration(scorers=[{"name": "qwen3-vl-8b", "mode": "expected"}]).with_prompts({})

    assert prompts_of(found) == built_in_prompts("expected")


def test_what_is_no_judge_gets_no_prompts() -> None:
    before = configuration(scorers=["reference", "simulated", "psnr", "preservation"])

    assert before.with_prompts(OWN) == before


def test_a_benchmarks_prompts_go_before_the_built_in_ones() -> None:
    found = configuration(scorers=[API]).with_prompts(OWN)

    assert prompts_of(found) == built_in_prompts("generate") | OWN


def test_a_users_prompts_are_kept() -> None:
    found = configuration(scorers=[{**API, "prompts": GIVEN}]).with_prompts(OWN)

    assert prompts_of(found) == {"default": JudgePrompt(user="given: {{ instruction }}")}


def test_prompts_that_were_written_out_are_kept() -> None:
    first = configuration(scorers=[API]).with_prompts({})

    assert first.with_prompts(OWN) == first


def test_the_prompts_are_in_the_digest() -> None:
    bare = configuration(scorers=[API])
    variants = [bare, bare.with_prompts({}), bare.with_prompts(OWN), configuration(scorers=[{**API, "prompts": GIVEN}])]

    assert len({variant.digest() for variant in variants}) == len(variants)


@pytest.mark.parametrize("prompts", [{}, {"物理": {"user": "x"}}, {"Default": {"user": "x"}}])
def test_prompts_without_a_default_are_refused(prompts: dict[str, Any]) -> None:
    assert complaint(scorers=[{**API, "prompts": prompts}]) == (
        "scorer 'api': prompts: there is no `default` prompt for categories without one of their own"
    )


@pytest.mark.parametrize("name", ["api", "transformers", *JUDGE_PRESETS])
def test_a_users_bad_template_is_named_with_its_category(name: str) -> None:
    prompts = {"default": {"user": "x"}, "物理": {"user": "{{ nobody }}"}}
    given = {**(API if name == "api" else {"model": "m"}), "name": name, "prompts": prompts}

    said = complaint(scorers=[given])

    assert said.startswith(
        f"scorer '{name}': prompts.物理: the user prompt is no usable template: 'nobody' is undefined"
    )


def test_every_option_of_every_model_says_what_it_means() -> None:
    unexplained = [
        f"{role} {name}: {option}"
        for role, catalogue in ((Role.EDITOR, EDITORS), (Role.SCORER, SCORERS))
        for name in catalogue
        for option, field in find_spec(role, name).options.model_fields.items()
        if not field.description
    ]

    assert unexplained == []
