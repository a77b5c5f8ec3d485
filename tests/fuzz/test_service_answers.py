"""Answers of a judge's server with values of any kind in any place: a rating that can be kept, or a fault in a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from db.options import ApiJudgeOptions
from tests.fuzz.mutator import FUZZ_INPUTS, HOSTILE, Mutator
from tests.fuzz.test_archives import anything, places, put
from tests.judge_server import GOOD, JudgeServer, completion, judge_server
from workers.models.api_scorer import ApiScorer
from workers.models.errors import ModelFault
from workers.models.protocols import Rating, ScoreRequest

ANSWER = completion(GOOD)
PLACES = list(places(ANSWER))
PICTURE = Image.new("RGB", (4, 4), "red")


class Judge:
    """A scorer, and the server that it asks."""

    def __init__(self, server: JudgeServer) -> None:
        self._server = server
        prompts = {"default": {"user": "{{ key }}"}}
        asked = {"model": "judge", "base_url": server.url, "prompts": prompts, "attempts": 1}
        self.scorer = ApiScorer(ApiJudgeOptions.model_validate(asked))

    def says(self, body: bytes) -> bool:
        """Tell whether this answer is a rating; fail unless that can be kept, or the fault told."""
        self._server.script = [lambda handler, _: handler.answer(200, body)]
        self._server.received.clear()
        (outcome,) = self.scorer.score([ScoreRequest("p", "c", "make it rain", None, PICTURE, PICTURE, None, 7)])
        if isinstance(outcome, Rating):
            assert 0 <= outcome.value <= 10
            json.dumps(outcome.detail, allow_nan=False)
            return True
        assert isinstance(outcome, ModelFault)
        json.dumps(outcome.detail, allow_nan=False)
        assert str(outcome) and "\n" not in str(outcome)
        return False


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with judge_server() as server:
        judge = Judge(server)
        yield judge
        judge.scorer.close()


@pytest.mark.timeout(1200)
@settings(max_examples=max(50, FUZZ_INPUTS // 10), deadline=None, suppress_health_check=list(HealthCheck))
@example(path=("choices", 0, "message"), new="a text")
@example(path=("usage",), new=5)
@example(path=("usage", "prompt_tokens"), new=None)
@example(path=("usage", "prompt_tokens"), new=float("nan"))
@example(path=("model",), new=5)
@example(path=("choices", 0, "message", "content"), new=[{"type": "text", "text": "score: 8"}])
@given(path=st.sampled_from(PLACES), new=anything)
def test_values_of_any_kind_make_a_rating_that_can_be_kept_or_a_fault(
    judge: Judge, path: tuple[Any, ...], new: Any
) -> None:
    is_rating = judge.says(json.dumps(put(ANSWER, path, new)).encode())

    is_reply = path == ("choices", 0, "message", "content")
    assert not is_rating or not is_reply or holds_text(new)  # what holds none says no score


def holds_text(content: Any) -> bool:
    """Tell whether a reply's content is a text, or a list with a part that has one."""
    parts = content if isinstance(content, list) else []
    return isinstance(content, str) or any(isinstance(one, dict) and isinstance(one.get("text"), str) for one in parts)


@pytest.mark.timeout(1200)
def test_bytes_of_any_kind_make_a_rating_that_can_be_kept_or_a_fault(judge: Judge) -> None:
    good = json.dumps(ANSWER).encode()
    mutator = Mutator([good], [*HOSTILE, b'"message"', b'"content": ', b'"usage": 5, ', b'"refusal": {}, '])

    assert judge.says(good)
    for number in range(max(50, FUZZ_INPUTS // 10)):
        judge.says(mutator.content(number))
