"""What tests need and are not about: images, benchmark files and runs with the fields that matter left to choose."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from db.configuration import RunConfiguration, resolve_configuration
from db.images import digest_of
from db.intake import ContentDigest, enter_run, enter_samples
from db.ledger import Ledger
from workers.models.protocols import ScoreRequest


def png(width: int = 8, height: int = 8, colour: str = "teal") -> bytes:
    """Return a small PNG."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, "PNG")
    return buffer.getvalue()


def write_images(folder: Path, *names: str) -> dict[str, bytes]:
    """Write small PNGs, no two alike, and return them by their names."""
    images = {name: png(8 + number, 8) for number, name in enumerate(names)}
    for name, content in images.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return images


def configuration(**given: Any) -> RunConfiguration:
    """Return a resolved configuration; simulated models where nothing else is said."""
    return resolve_configuration({"editor": "simulated", "scorers": ["simulated"], **given})


def score_request(**given: Any) -> ScoreRequest:
    """Return a request for a score; small grey images where nothing else is said."""
    grey = Image.new("RGB", (10, 10), "grey")
    fields = {
        "key": "p-1",
        "category": "物理",
        "instruction": "make it rain",
        "description": None,
        "source": grey,
        "edited": grey,
        "reference": None,
        "seed": 7,
    }
    return ScoreRequest(**{**fields, **given})


def content_digest(rows: Sequence[dict[str, Any]]) -> str:
    """Return the id of the benchmark that these rows of `samples` make."""
    digest = ContentDigest()
    for row in rows:
        digest.add(row)
    return digest.hexdigest()


def enter(ledger: Ledger, samples: int | Sequence[str] = 1, *, instruction: str = "make it rain", **given: Any) -> str:
    """Enter a benchmark of so many samples (or of these keys) and a run of it; return the run's id."""
    keys = [f"p-{number}" for number in range(samples)] if isinstance(samples, int) else list(samples)
    rows = [
        {
            "position": position,
            "key": key,
            "category": "物理",
            "instruction": instruction,
            "description": None,
            "source_image": digest_of(png()),
            "reference_image": None,
        }
        for position, key in enumerate(keys)
    ]
    benchmark = content_digest(rows)
    enter_samples(ledger.engine, benchmark, "made up", len(rows), [rows])
    return enter_run(ledger.engine, benchmark, configuration(**given))[0]


def without_bytes(fault: object) -> str:
    """Return a fault, or its place, without the bytes that it names; tests of the bytes are tests of JSON events."""
    return re.sub(r",? (?:at|after) byte [\d,]+", "", str(fault))


def pair(key: str, **fields: Any) -> dict[str, Any]:
    """Return one pair of the original layout; a field given as None is left out."""
    record = {
        "pair_id": key,
        "original_image_b64": base64.b64encode(png()).decode(),
        "original_description": "a teal square",
        "edit_instruction": "make it brighter",
        **fields,
    }
    return {name: value for name, value in record.items() if value is not None}


def original_file(folder: Path, content: Any = None, *, pairs: int = 2) -> Path:
    """Write a benchmark in the original layout; `content` is the whole JSON, else one category with so many pairs."""
    if content is None:
        content = {"categories": [{"name": "物理", "pairs": [pair(f"p-{number}") for number in range(pairs)]}]}
    path = folder / "benchmark.json"
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return path
