"""What the farm writes is for its user alone, whatever the umask is and whoever made the folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert

from db.engine import open_engine, transaction
from db.images import FolderStore
from db.settings import make_private
from db.tables import benchmarks
from tests.factories import png


@pytest.fixture(autouse=True)
def _open_umask() -> Iterator[None]:
    """Whatever is made without care is open to everyone."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder that the user made, for others to look into."""
    home = tmp_path / "farm"
    home.mkdir()
    home.chmod(0o755)
    return home


def modes_below(folder: Path) -> dict[str, str]:
    """Return the permissions of every file and folder by its name."""
    return {str(path.relative_to(folder)): oct(stat.S_IMODE(path.stat().st_mode)) for path in folder.rglob("*")}


def test_a_new_ledger_is_private_with_all_that_sqlite_puts_beside_it(home: Path) -> None:
    engine = open_engine(f"sqlite:///{home / 'farm.db'}")
    row = {"id": "b" * 64, "name": "made up", "sample_count": 0, "created_at": 0.0, "complete": False}
    with transaction(engine) as connection:
        connection.execute(insert(benchmarks).values(row))
        modes = modes_below(home)
    engine.dispose()

    assert {"farm.db", "farm.db-wal", "farm.db-shm"} <= modes.keys()
    assert set(modes.values()) == {"0o600"}
    assert stat.S_IMODE(home.stat().st_mode) == 0o755  # the user's own decision


def test_stored_images_are_private_with_their_folders(home: Path) -> None:
    FolderStore(home / "images").put(png())

    assert {mode for name, mode in modes_below(home).items() if len(name) > 64} == {"0o600"}
    assert {mode for name, mode in modes_below(home).items() if len(name) < 64} == {"0o700"}


def test_a_file_that_is_there_keeps_its_content_and_permissions(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text("before")
    file.chmod(0o640)

    make_private(file)

    assert file.read_text() == "before"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_a_private_file_is_so_from_its_first_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        pytest.fail("permissions that come later leave a gap")

    monkeypatch.setattr(os, "chmod", refuse)
    monkeypatch.setattr(os, "fchmod", refuse)

    make_private(tmp_path / "new")

    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o600
