"""FARM_HOME that the user made for others to look into: what the farm puts there is private all the same."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories import original_file
from tests.farm.conftest import FarmUnderTest, eventually

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def _open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def open_to_others(folder: Path) -> dict[str, str]:
    """Return what below the folder anyone but its user may read, write or enter, with its permissions."""
    found = {}
    for path in folder.rglob("*"):
        try:
            mode = stat.S_IMODE(path.lstat().st_mode)
        except FileNotFoundError:  # a temporary file of a moment ago
            continue
        if mode & 0o077:
            found[str(path.relative_to(folder))] = oct(mode)
    return found


def test_a_whole_run_leaves_nothing_that_others_can_read(bare_farm: FarmUnderTest) -> None:
    farm = bare_farm
    farm.home.mkdir()
    farm.home.chmod(0o755)
    benchmark = original_file(farm.folder, pairs=3)
    models = ["--editor", "simulated", "--scorer", "simulated", "--set", "editor.seconds=2"]

    run = farm.start("-m", "producer", "run", str(benchmark), *models, "--workers", "1")
    eventually(lambda: _is_at_work(farm.home), farm=farm)
    meanwhile = open_to_others(farm.home)
    assert run.wait(100) == 0

    assert meanwhile == open_to_others(farm.home) == {}
    assert stat.S_IMODE(farm.home.stat().st_mode) == 0o755


def _is_at_work(home: Path) -> bool:
    names = {path.name for path in home.rglob("*")}
    return {"farm.db-wal", "farm.log", "endpoint.json", "appendonlydir", "images", "hosts"} <= names
