"""Checkpoints, built and loaded once per session and process; what needs no network imports none of their libraries."""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from workers.models.diffusers_editor import DiffusersEditor

Weights = Callable[[str], Path]
Loaded = Callable[[str], Any]


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Weights:
    """The folder of a tiny checkpoint by its name."""
    import torch

    from tests.workers.models.checkpoints import EDITORS
    from workers.models.loading.quiet import quiet_libraries
    from workers.tiny.judge import make_judge

    judges: dict[str, Callable[[Path], None]] = {
        "judge": make_judge,
        "judge-moe": partial(make_judge, experts=True),
        "babbling": partial(make_judge, answering=False),
    }
    quiet_libraries()
    torch.set_num_threads(1)  # several processes of tests share the cores
    gc.freeze()  # a model that is loaded collects garbage first, and most of that time goes into what was imported
    folder = tmp_path_factory.mktemp("weights")

    @cache
    def made(name: str) -> Path:
        (EDITORS | judges)[name](folder / name)  # type: ignore[operator]
        return folder / name

    return made


@pytest.fixture(scope="session")
def loaded(weights: Weights) -> Loaded:
    """A family's editor by its name; it belongs to all tests, which leave it as it was."""
    from tests.workers.models.editors import cheap_editor

    return cache(lambda family: cheap_editor(weights(family)))


@pytest.fixture(scope="session")
def plus(weights: Weights) -> DiffusersEditor:
    """An editor of images of 128 x 128; likewise."""
    from tests.workers.models.editors import editor

    return editor(weights("qwen-image-edit-plus"))


@pytest.fixture
def small_references(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some pipelines bring every source to a megapixel; here to a sixteenth of it, so that an edit is cheap."""
    from diffusers.pipelines.longcat_image import pipeline_longcat_image_edit
    from diffusers.pipelines.qwenimage import pipeline_qwenimage_edit, pipeline_qwenimage_edit_plus

    monkeypatch.setattr(pipeline_qwenimage_edit_plus, "VAE_IMAGE_SIZE", 256 * 256)
    for module in (pipeline_qwenimage_edit, pipeline_longcat_image_edit):
        monkeypatch.setattr(module, "calculate_dimensions", _sixteenth(module.calculate_dimensions))


def _sixteenth(calculate_dimensions: Callable[[int, float], Any]) -> Callable[[int, float], Any]:
    return lambda area, ratio: calculate_dimensions(area // 16, ratio)
