"""Files of public benchmarks, written for tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from producer.benchmark import open_benchmark


def written(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    return path


def begins(path: Path, mark: str) -> int:
    """Return the byte at which the object begins that has this mark in it, and no object before that."""
    raw = path.read_bytes()
    return raw.rindex(b"{", 0, raw.index(mark.encode()))


def begins_named(path: Path, key: str) -> int:
    """Return the byte at which the object of this name begins, the first of that name."""
    name = f'"{key}": '.encode()
    return path.read_bytes().index(name + b"{") + len(name)


def layout_of(path: Path) -> str:
    return open_benchmark(path).layout_name
