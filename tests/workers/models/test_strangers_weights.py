"""Weights of a stranger run nothing: no pickle, no module that lies beside them, and nobody is asked whether to."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from db.options import DiffusersEditorOptions, TransformersJudgeOptions
from tests.workers.models.conftest import Weights
from workers.models.diffusers_editor import DiffusersEditor
from workers.models.transformers_scorer import TransformersScorer

EDITOR = "qwen-image-edit-plus"


class Acts:
    """Makes a file when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self._trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self._trace),)


def _pickled(folder: Path, trace: Path) -> None:
    for file in folder.rglob("*.safetensors"):
        torch.save({"weight": Acts(trace)}, file.with_suffix(".bin"))
        torch.save({"weight": Acts(trace)}, file.with_name("pytorch_model.bin"))
        file.unlink()


def _with_module(folder: Path, trace: Path) -> None:
    for place in (folder, *filter(Path.is_dir, folder.iterdir())):
        (place / "theirs.py").write_text(f"import os\nos.mkdir({str(trace)!r})\nclass Theirs:\n    pass\n")


def _own_component(folder: Path, trace: Path) -> None:
    _with_module(folder, trace)
    _change(folder / "model_index.json", transformer=["theirs", "Theirs"])


def _own_pipeline(folder: Path, trace: Path) -> None:
    _with_module(folder, trace)
    _change(folder / "model_index.json", _class_name=["theirs", "Theirs"])


def _own_network(folder: Path, trace: Path) -> None:
    _with_module(folder, trace)
    named = {"AutoConfig": "theirs.Theirs", "AutoModelForImageTextToText": "theirs.Theirs"}
    _change(folder / "config.json", model_type="theirs", auto_map=named)


def _change(file: Path, **values: Any) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))


def load_editor(folder: Path) -> None:
    DiffusersEditor(DiffusersEditorOptions(model=str(folder)))


def load_judge(folder: Path) -> None:
    TransformersScorer(TransformersJudgeOptions(model=str(folder)))


@pytest.mark.parametrize(
    ("name", "load", "tamper"),
    [
        (EDITOR, load_editor, _pickled),
        (EDITOR, load_editor, _own_component),
        (EDITOR, load_editor, _own_pipeline),
        ("judge", load_judge, _pickled),
        ("judge", load_judge, _own_network),
    ],
)
def test_a_strangers_weights_run_nothing(
    name: str,
    load: Callable[[Path], None],
    tamper: Callable[[Path, Path], None],
    weights: Weights,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder, trace = tmp_path / "theirs", tmp_path / "trace"
    shutil.copytree(weights(name), folder)
    tamper(folder, trace)
    asked: list[str] = []
    monkeypatch.setattr("builtins.input", lambda prompt="": asked.append(prompt) or "y")

    with pytest.raises(Exception):  # noqa: B017 - whichever the library has for it
        load(folder)

    assert not trace.exists()
    assert asked == []
