"""Files in the original layout, and what is read from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from producer.benchmark import open_benchmark
from producer.benchmark.sample import Fault, Sample
from tests.factories import original_file, without_bytes


def samples_of(path: Path) -> list[Sample]:
    items = list(open_benchmark(path))
    assert not [str(item) for item in items if isinstance(item, Fault)]
    return [item for item in items if isinstance(item, Sample)]


def faults_of(path: Path) -> list[str]:
    return [without_bytes(item) for item in open_benchmark(path) if isinstance(item, Fault)]


def with_pairs(folder: Path, *pairs: Any) -> Path:
    return original_file(folder, {"categories": [{"name": "物理", "pairs": pairs}]})


def begins(path: Path, key: str) -> int:
    """Return the byte at which the pair of this key begins."""
    return path.read_bytes().index(f'{{"pair_id": "{key}"'.encode())


NO_INSTRUCTION = (
    "no instruction: looked for edit_instruction, instruction; --column instruction=NAME names another column"
)
