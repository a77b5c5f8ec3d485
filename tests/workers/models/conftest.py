"""Checkpoints, built once per session and process; every one takes a fraction of a second."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import torch

from tests.workers.models.checkpoints import EDITORS
from workers.models.loading.quiet import quiet_libraries
from workers.tiny.judge import make_judge

JUDGES: dict[str, Callable[[Path], None]] = {
    "judge": make_judge,
    "judge-moe": lambda folder: make_judge(folder, experts=True),
    "babbling": lambda folder: make_judge(folder, answering=False),
}

Weights = Callable[[str], Path]


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Weights:
    """The folder of a tiny checkpoint by its name."""
    quiet_libraries()
    torch.set_num_threads(1)  # several processes of tests share the cores
    folder = tmp_path_factory.mktemp("weights")

    @cache
    def made(name: str) -> Path:
        (EDITORS | JUDGES)[name](folder / name)  # type: ignore[operator]
        return folder / name

    return made
