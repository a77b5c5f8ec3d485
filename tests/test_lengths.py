"""How long a file may be; how long a function may be is ruff's to say (PLR0915 in pyproject.toml)."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("benchmarks", "db", "docs", "examples", "producer", "tests", "workers")

MOST_LINES = 300


def test_no_file_is_longer_than_one_subject_takes() -> None:
    longer = {
        str(file.relative_to(ROOT))
        for folder in FOLDERS
        for file in (ROOT / folder).rglob("*.py")
        if len(file.read_text(encoding="utf-8").splitlines()) > MOST_LINES
    }

    assert longer == set(), f"split these by subject: over {MOST_LINES} lines"
