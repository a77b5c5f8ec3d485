"""A judge's server that means harm, or is broken: it costs its own questions, and neither memory, time nor pictures."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Iterator

import pytest
from PIL import Image

from db.options import ApiJudgeOptions
from tests.judge_server import (
    GOOD,
    Answering,
    Behaviour,
    JudgeServer,
    Received,
    by_sample,
    completion,
    judge_server,
    says,
    sends,
)
from workers.models.api_scorer import ApiScorer
from workers.models.errors import ModelFault, ServiceFault
from workers.models.judging.service_client import LARGEST_ANSWER_BYTES
from workers.models.judging.service_retries import Rejected
from workers.models.protocols import Rating, ScoreRequest

TIMEOUT_SECONDS = 2.0


@pytest.fixture
def server() -> Iterator[JudgeServer]:
    with judge_server() as server:
        yield server


@pytest.fixture
def scorer(server: JudgeServer) -> Iterator[ApiScorer]:
    prompts = {"default": {"user": "{{ key }}"}}
    asked = {"model": "judge", "base_url": server.url, "prompts": prompts, "timeout_seconds": TIMEOUT_SECONDS}
    scorer = ApiScorer(ApiJudgeOptions.model_validate({**asked, "attempts": 1}))
    yield scorer
    scorer.close()


def request(key: str = "p-1") -> ScoreRequest:
    picture = Image.new("RGB", (4, 4), "red")
    return ScoreRequest(key, "physical", "make it rain", None, picture, picture, None, 7)


def only(scorer: ApiScorer) -> Rating | ModelFault:
    (outcome,) = scorer.score([request()])
    return outcome


def pours(parts: Iterator[bytes], pause_seconds: float = 0.0, **headers: str) -> Behaviour:
    """Send a body of no said length, part by part, until nobody takes it."""

    def behave(handler: Answering, _received: Received) -> None:
        handler.send_response(200)
        for name, value in {"Content-Type": "application/json", "Connection": "close", **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.close_connection = True
        try:
            for part in parts:
                handler.wfile.write(part)
                time.sleep(pause_seconds)
        except OSError:
            pass

    return behave


def zeros_in_gzip(megabytes: int) -> Iterator[bytes]:
    packing = zlib.compressobj(9, zlib.DEFLATED, 31)
    yield b"".join(packing.compress(bytes(1 << 20)) for _ in range(megabytes)) + packing.flush()


@pytest.mark.parametrize(
    "body",
    [
        pours(b" " * (1 << 20) for _ in range(2 * LARGEST_ANSWER_BYTES >> 20)),
        pours(zeros_in_gzip(2 * LARGEST_ANSWER_BYTES >> 20), Content_Encoding="gzip"),
    ],
    ids=["plain", "packed"],
)
def test_an_answer_larger_than_any_reply_is_not_read_to_its_end(
    scorer: ApiScorer, server: JudgeServer, body: Behaviour
) -> None:
    server.script = [body]

    outcome = only(scorer)

    assert isinstance(outcome, ServiceFault)
    assert "what it sent is no answer: more than 4 MiB" in str(outcome)


def test_an_answer_that_drips_in_is_given_up_when_one_reply_may_take_no_longer(
    scorer: ApiScorer, server: JudgeServer
) -> None:
    server.script = [pours((b" " for _ in range(30)), pause_seconds=0.3)]
    started = time.monotonic()

    outcome = only(scorer)

    assert isinstance(outcome, ServiceFault)
    assert "not whole after 2 s" in str(outcome)
    assert time.monotonic() - started < 3 * TIMEOUT_SECONDS


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_told(scorer: ApiScorer, server: JudgeServer, status: int) -> None:
    with judge_server() as elsewhere:
        server.script = [sends("", status, Location=f"{elsewhere.url}/chat/completions")]

        outcome = only(scorer)

        assert elsewhere.received == []
    assert isinstance(outcome, Rejected)
    assert f"{status}: it redirects to {elsewhere.url}/chat/completions, which is not followed" in str(outcome)


def test_a_packed_answer_and_a_header_that_is_no_ascii_are_read(scorer: ApiScorer, server: JudgeServer) -> None:
    packing = zlib.compressobj(9, zlib.DEFLATED, 31)
    content = packing.compress(json.dumps(completion(GOOD)).encode()) + packing.flush()
    server.script = [lambda handler, _: handler.answer(200, content, {"Content-Encoding": "gzip", "X-Said": "é"})]

    assert isinstance(only(scorer), Rating)


def test_an_answer_that_nothing_can_be_made_of_costs_no_other_question(scorer: ApiScorer, server: JudgeServer) -> None:
    server.script = [by_sample({"bad": sends("[" * 100_000), "good": says(GOOD)})]

    bad, good = scorer.score([request("bad"), request("good")])

    assert isinstance(bad, ServiceFault)
    assert isinstance(good, Rating)
