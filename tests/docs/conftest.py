"""What tests of the documentation share: a checkout with a finished run, made once, however many processes test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from filelock import FileLock

from db.settings import settings
from tests.docs.checkout import PAGE_SECONDS, make_checkout, run_script

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.timeout(PAGE_SECONDS + 60))


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A checkout in which `make run` has run."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "checkout"
    with FileLock(f"{folder}.lock"):
        if not (folder / "farm" / "reports").exists():  # also where another process has tried and failed
            shutil.rmtree(folder, ignore_errors=True)
            ended = run_script("make run\n", make_checkout(folder))
            assert (ended.code, "pictures: " in ended.output) == (0, True), ended.output
    return folder


@pytest.fixture
def checkout(finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, in which nothing runs."""
    folder = tmp_path / "editfarm"
    # Without the broker's folder, which keeps its port: two copies at the same time would both want that.
    shutil.copytree(finished_run, folder, symlinks=True, ignore=shutil.ignore_patterns("broker"))
    monkeypatch.setenv("FARM_HOME", str(folder / "farm"))
    settings.cache_clear()
    return folder
