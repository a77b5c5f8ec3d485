"""One check at a time, against real servers, in a folder of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from db import farm
from db.settings import settings
from producer.doctor.checks import CHECKS
from producer.doctor.examine import examine
from producer.doctor.finding import State
from producer.doctor.schema import Finding
from producer.doctor.sights import Sights
from tests.farm.servers import Broker

Look = Callable[..., list[Finding]]


@pytest.fixture
def look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Look]:
    """Make one check, by its name, with these environment variables; None unsets one."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("CUDA_", "FLOWER_", "HF_"))]:
        monkeypatch.delenv(name)

    def made(check: str, models: tuple[str, ...] = (), **environment: str | None) -> list[Finding]:
        for name, value in environment.items():
            monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
        settings.cache_clear()
        farm.images.cache_clear()
        (found,) = [one for one in CHECKS if one.name == check]
        return list(examine([found], Sights(models)))

    yield made
    farm.images.cache_clear()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker of this test's own."""
    with Broker(tmp_path / "broker") as server:
        yield server


def states(findings: list[Finding]) -> list[State]:
    return [one.state for one in findings]


def commands_of(finding: Finding) -> list[str]:
    """What the fix has one type: whatever stands between backticks."""
    assert finding.fix is not None
    return finding.fix.split("`")[1::2]
