"""Weights fetched ahead: from a server that speaks as the Hub does, checked in a folder, or refused in one line."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest

from db.errors import FarmError, ServiceUnreachable, WrongCall
from tests.producer.benchmark.hub.hub_server import Hub, ask_at, asked_by_this_process
from tests.workers.models.conftest import Weights
from workers.commands.prefetch import prefetch
from workers.models.loading.weights import folder_at_hand

NOBODY = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with asked_by_this_process(tmp_path, monkeypatch) as served:
        yield served


def files_of(folder: Path) -> Mapping[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_preset_brings_its_weights_into_the_cache_and_leaves_other_packings(hub: Hub, weights: Weights) -> None:
    hub.add("Qwen/Qwen3-VL-8B-Instruct", {**files_of(weights("judge")), "pytorch_model.bin": b"the same once more"})

    prefetch("qwen3-vl-8b")

    folder = folder_at_hand("Qwen/Qwen3-VL-8B-Instruct", "main")
    assert folder is not None
    assert files_of(folder) == files_of(weights("judge"))


def test_a_preset_with_a_lora_brings_both(hub: Hub, weights: Weights) -> None:
    hub.add("Qwen/Qwen-Image-Edit-2511", files_of(weights("qwen-image-edit-2511")))
    wanted = "Qwen-Image-Edit-2511-Lightning-4steps-V1.0-bf16.safetensors"
    hub.add("lightx2v/Qwen-Image-Edit-2511-Lightning", {wanted: b"weights", "another.safetensors": b"not these"})

    prefetch("qwen-image-edit-2511-lightning-4")

    lora = folder_at_hand("lightx2v/Qwen-Image-Edit-2511-Lightning", "main", (wanted,))
    assert lora is not None
    assert files_of(lora) == {wanted: b"weights"}


@pytest.mark.parametrize("name", ["judge", "qwen-image-edit-2511"])
def test_a_hub_id_is_known_for_an_editor_or_a_judge_by_its_files(
    hub: Hub, weights: Weights, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    hub.add("o/model", files_of(weights(name)))

    prefetch("o/model")

    assert f"{'scorer' if name == 'judge' else 'editor'} o/model: o/model is in the cache" in capfd.readouterr().err


def test_what_is_in_the_cache_needs_no_hub(
    hub: Hub, weights: Weights, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    hub.add("Qwen/Qwen3-VL-8B-Instruct", files_of(weights("judge")))
    prefetch("qwen3-vl-8b")
    ask_at(NOBODY, monkeypatch)

    prefetch("qwen3-vl-8b")

    assert capfd.readouterr().err.count("is in the cache") == 2


def test_a_folder_is_only_checked(hub: Hub, weights: Weights, tmp_path: Path) -> None:
    prefetch(str(weights("qwen-image-edit-2511")))
    prefetch(str(weights("judge")))
    assert hub.asked == []

    with pytest.raises(WrongCall, match=r"is a folder without config\.json"):
        prefetch(str(tmp_path))


def test_models_without_weights_have_nothing_to_fetch(hub: Hub, capfd: pytest.CaptureFixture[str]) -> None:
    prefetch("reference")

    assert "scorer reference: has no weights to fetch" in capfd.readouterr().err
    assert hub.asked == []


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("qwen-image-edit-2512", "no model is called 'qwen-image-edit-2512'"),
        ("diffusers", "'diffusers' names no weights; give a preset, a folder, or a hub id"),
        ("qwen3-vl-8b", "cannot be fetched"),
    ],
)
def test_what_cannot_be_had_is_a_wrong_call_of_one_line(model: str, said: str) -> None:
    with pytest.raises(WrongCall, match=said) as caught:
        prefetch(model)

    assert len(str(caught.value).splitlines()) == 1


def test_a_name_that_is_no_model_is_found_before_anything_is_fetched(hub: Hub, weights: Weights) -> None:
    hub.add("Qwen/Qwen3-VL-8B-Instruct", files_of(weights("judge")))

    with pytest.raises(WrongCall, match="no model is called 'misspelt'"):
        prefetch("qwen3-vl-8b", "misspelt")

    assert hub.asked == []


@pytest.mark.parametrize("model", ["qwen3-vl-8b", "o/model"])
def test_a_hub_that_cannot_be_reached_is_named(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ask_at(NOBODY, monkeypatch)

    with pytest.raises(
        ServiceUnreachable, match=rf"{model} cannot be fetched from 127\.0\.0\.1: .*refused.*HF_ENDPOINT"
    ):
        prefetch(model)


def test_a_hub_that_fails_is_told_by_its_status(hub: Hub, weights: Weights) -> None:
    hub.add("Qwen/Qwen3-VL-8B-Instruct", files_of(weights("judge"))).status = 500

    with pytest.raises(ServiceUnreachable, match="it answers with status 500"):
        prefetch("qwen3-vl-8b")


def test_a_disk_without_room_is_told_before_anything_is_fetched(
    hub: Hub, weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add("Qwen/Qwen3-VL-8B-Instruct", files_of(weights("judge")))
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=1000))

    with pytest.raises(FarmError, match=r"GB are to be fetched, and .*/hf/hub has 0\.0 GB free; HF_HOME says where"):
        prefetch("qwen3-vl-8b")

    assert not [path for path in hub.asked if path.startswith("GET") and "/resolve/" in path]
