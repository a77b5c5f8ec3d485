"""The files that make containers, as these tests read them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.farm.conftest import ROOT

DOCKER = ROOT / "docker"


def parsed(text: str) -> dict[str, Any]:
    """Return a YAML document."""
    return dict(yaml.safe_load(text))


def compose(name: str = "compose.yaml") -> dict[str, Any]:
    return parsed((DOCKER / name).read_text())


def merged(base: Any, more: Any) -> Any:
    """Return what Compose makes of two files: mappings are merged, lists put together, other values replaced."""
    if isinstance(base, dict) and isinstance(more, dict):
        both = {name: merged(base[name], more[name]) for name in base.keys() & more.keys()}
        return {**base, **more, **both}
    return [*base, *more] if isinstance(base, list) and isinstance(more, list) else more


def variables(text: str) -> set[str]:
    """Return every variable that a Compose file reads: those it names, and those it hands on to a container."""
    services = parsed(text)["services"].values()
    handed_on = {name for one in services for name, value in dict(one.get("environment", {})).items() if value is None}
    secrets = {one["environment"] for one in parsed(text).get("secrets", {}).values()}
    return set(re.findall(r"\$\{([A-Z_]+)", text)) | handed_on | secrets


def instructions(dockerfile: Path) -> Iterator[tuple[str, str]]:
    """Yield a Dockerfile's instructions, each with all that belongs to it in one line."""
    lines = [line for line in dockerfile.read_text().splitlines() if not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        if line.strip():
            word, _, rest = line.partition(" ")
            yield word, rest
