"""What an option of a model may be: together with others, as an address, and what it says of itself."""

from __future__ import annotations

from typing import Any

import pytest

from db.catalogue import EDITORS, SCORERS, Role, find_spec
from tests.db.choices import API, complaint, editor, scorer

SECRET = "s3cr3t-Wort"


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
        pytest.param([{**API, "base_url": f"http://user:{SECRET}@h\u2100st/v1"}], id="a character that no host has"),
        pytest.param([{"base_url": f"http://user:{SECRET}@host/v1"}], id="no name"),
        pytest.param(
            [{"name": "api", "options": f"base_url=http://user:{SECRET}@host/v1"}], id="options that are none"
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


def test_every_option_of_every_model_says_what_it_means() -> None:
    unexplained = [
        f"{role} {name}: {option}"
        for role, catalogue in ((Role.EDITOR, EDITORS), (Role.SCORER, SCORERS))
        for name in catalogue
        for option, field in find_spec(role, name).options.model_fields.items()
        if not field.description
    ]

    assert unexplained == []
