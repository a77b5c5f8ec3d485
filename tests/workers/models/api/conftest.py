"""A server of our own for each test, and scorers that ask it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from db.options import ApiJudgeOptions
from tests.judge_server import (
    JudgeServer,
    judge_server,
)
from tests.workers.models.api.asking import KEY, Build, Waits
from workers.models.api_scorer import ApiScorer


@pytest.fixture
def server() -> Iterator[JudgeServer]:
    with judge_server() as server:
        yield server


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def build(server: JudgeServer, waits: Waits, monkeypatch: pytest.MonkeyPatch) -> Iterator[Build]:
    """Builds scorers for the server that wait in no real time, and closes them."""
    monkeypatch.setenv("FARM_JUDGE_API_KEY", KEY)
    built: list[ApiScorer] = []

    def build_one(**options: Any) -> ApiScorer:
        prompts = {"default": {"user": "{{ key }}"}}
        defaults = {"model": "judge", "base_url": server.url, "prompts": prompts, "timeout_seconds": 5}
        built.append(ApiScorer(ApiJudgeOptions.model_validate({**defaults, **options}), sleep=waits))
        return built[-1]

    yield build_one
    for scorer in built:
        scorer.close()
