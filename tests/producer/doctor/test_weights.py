"""Weights are found where huggingface_hub would find them, and only whole ones count."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from db.catalogue import Role, find_spec
from db.choice import ModelChoice
from db.engine import open_engine
from db.errors import WrongCall
from db.ledger import Ledger
from producer.doctor.finding import State
from producer.doctor.weights import Weights, hub_cache, named_weights, weights_of
from tests.factories import enter
from tests.producer.doctor.conftest import Look, states

hub = pytest.importorskip("huggingface_hub")

COMMIT = "0123456789abcdef0123456789abcdef01234567"
EDITOR = "Qwen/Qwen-Image-Edit"
JUDGE = "Qwen/Qwen3-VL-8B-Instruct"


def cached(cache: Path, repository: str, files: dict[str, str], revision: str = "main") -> Path:
    """Lay out a repository as huggingface_hub does: blobs, a reference, links; return the folder of links."""
    folder = cache / f"models--{repository.replace('/', '--')}"
    snapshot = folder / "snapshots" / COMMIT
    (folder / "blobs").mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / revision).write_text(COMMIT)
    for number, (name, content) in enumerate(files.items()):
        (blob := folder / "blobs" / str(number)).write_text(content)
        (link := snapshot / name).parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(blob)
    return snapshot


PIPELINE = {
    "model_index.json": json.dumps(
        {
            "_class_name": "QwenImageEditPipeline",
            "transformer": ["diffusers", "QwenImageTransformer2DModel"],
            "vae": ["diffusers", "AutoencoderKLQwenImage"],
            "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
            "safety_checker": [None, None],
        }
    ),
    "transformer/config.json": "{}",
    "transformer/model.safetensors.index.json": json.dumps(
        {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    ),
    "transformer/model-00001-of-00002.safetensors": "x" * 600,
    "transformer/model-00002-of-00002.safetensors": "x" * 400,
    "vae/config.json": "{}",
    "vae/model.safetensors": "x" * 50,
    "scheduler/scheduler_config.json": "{}",
}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


@pytest.mark.parametrize("given", [{}, {"HF_HUB_CACHE": "~/模型"}], ids=str)
def test_the_cache_is_where_huggingface_hub_has_it(monkeypatch: pytest.MonkeyPatch, given: dict[str, str]) -> None:
    for name in ("HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    code = "from huggingface_hub.constants import HF_HUB_CACHE as cache; print(cache)"  # read when it is imported
    theirs = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()

    assert str(hub_cache()) == theirs


def test_whole_weights_are_those_that_huggingface_hub_finds(cache: Path) -> None:
    snapshot = cached(cache, EDITOR, PIPELINE)
    weights = Weights("qwen-image-edit", EDITOR, "main", "model_index.json")

    assert weights.lacking() is None
    assert weights.size_bytes() == 1050
    assert weights.folder() == snapshot == Path(hub.snapshot_download(EDITOR, cache_dir=cache, local_files_only=True))


@pytest.mark.parametrize(
    "gone",
    [
        "model_index.json",
        "transformer/model-00002-of-00002.safetensors",
        "vae/model.safetensors",
        "scheduler/scheduler_config.json",
    ],
)
@pytest.mark.parametrize("how", ["link", "blob"])
def test_a_file_that_is_missing_is_named(cache: Path, gone: str, how: str) -> None:
    snapshot = cached(cache, EDITOR, PIPELINE)
    (snapshot / gone if how == "link" else (snapshot / gone).resolve()).unlink()  # else a download that broke off

    lacking = Weights("qwen-image-edit", EDITOR, "main", "model_index.json").lacking()

    assert lacking is not None
    assert Path(gone).parent.name in lacking


def test_the_revision_of_the_run_counts(cache: Path) -> None:
    cached(cache, JUDGE, {"config.json": "{}", "model.safetensors": "x"}, revision="refs-of-another")

    assert Weights("judge", JUDGE, "main", "config.json").lacking() == f"all of {JUDGE}"
    assert Weights("judge", JUDGE, COMMIT, "config.json").lacking() is None


def test_the_weights_of_a_waiting_run_are_looked_for_and_found_once_they_are_there(
    look: Look, cache: Path, sqlite_url: str
) -> None:
    engine = open_engine(sqlite_url)
    enter(Ledger(engine), editor={"name": "qwen-image-edit"}, scorers=[{"name": "qwen3-vl-8b"}])
    engine.dispose()
    environment = {"FARM_DATABASE_URL": sqlite_url, "HF_HUB_CACHE": str(cache)}

    editor, judge = look("weights", **environment)

    assert (editor.state, judge.state) == (State.WARNING, State.WARNING)
    assert "`python -m workers prefetch qwen-image-edit`" in (editor.fix or "")
    assert states(look("weights", HF_HUB_OFFLINE="1")) == [State.FAULT, State.FAULT]
    cached(cache, EDITOR, PIPELINE)
    cached(cache, JUDGE, {"config.json": "{}", "model.safetensors": "x"})
    assert states(look("weights")) == [State.OK, State.OK]


def test_the_weights_that_only_a_run_names_are_fetched_by_their_own_name_and_revision() -> None:
    own = {"model": "me/mine", "revision": "v2", "loras": [{"model": "me/lora", "weight_name": "a b.safetensors"}]}
    preset = {**find_spec(Role.EDITOR, "qwen-image-edit").preset, "loras": []}
    chosen = [("diffusers", own), ("qwen-image-edit", preset), ("qwen-image-edit", {**preset, "revision": "v3"})]

    found = [one for name, options in chosen for one in weights_of(Role.EDITOR, ModelChoice(name, name, options))]

    assert [one.command for one in found] == [
        "hf download --revision v2 me/mine",
        "hf download me/lora 'a b.safetensors'",
        "python -m workers prefetch qwen-image-edit",
        f"hf download --revision v3 {EDITOR}",
    ]


def test_a_named_preset_needs_its_low_rank_weights_too(look: Look, cache: Path) -> None:
    cached(cache, EDITOR, PIPELINE)

    base, lora = look("weights", models=("qwen-image-edit-lightning-4",), HF_HUB_CACHE=str(cache))

    assert (base.state, lora.state) == (State.OK, State.WARNING)
    assert "Lightning-4steps" in lora.seen or "lightx2v/Qwen-Image-Lightning" in lora.seen


def test_a_folder_of_weights_is_looked_into(look: Look, tmp_path: Path) -> None:
    folder = tmp_path / "权重"
    folder.mkdir()
    (folder / "config.json").write_text("{}")

    (found,) = look("weights", models=(str(folder),))

    assert (found.state, found.seen) == (State.FAULT, f"{folder}: ./*.safetensors is missing")
    (folder / "model.safetensors").write_text("x")
    assert states(look("weights", models=(str(folder),))) == [State.OK]


def test_a_model_that_nobody_knows_is_a_wrong_call() -> None:
    with pytest.raises(WrongCall, match="--model nonsense"):
        named_weights("nonsense")
