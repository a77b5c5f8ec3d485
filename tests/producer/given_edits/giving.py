"""What tests of given edits do with a run of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.factories import png
from tests.producer.given_folders import Giver

A, B = png(width=1), png(width=2)
"""The first two images that `pictures` writes."""


def run_of(giver: Giver, edits: Path, **given: Any) -> str:
    return giver(edits, **given).submitted.run_id
