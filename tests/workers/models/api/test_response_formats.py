"""When a judge is asked for JSON by a schema, and when no longer."""

from __future__ import annotations

import pytest

from tests.judge_server import (
    GOOD,
    Behaviour,
    JudgeServer,
    fails,
    says,
    sends,
)
from tests.workers.models.api.asking import Build, only, rated
from workers.models.errors import ModelFault


@pytest.mark.parametrize(
    "refusal",
    [
        fails(400, "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model."),
        fails(422, "guided decoding is disabled"),
        sends('{"detail": [{"loc": ["body", "response_format"], "msg": "extra fields not permitted"}]}', 422),
        sends("Unsupported: JSON Schema", 400, Content_Type="text/plain"),
    ],
    ids=["hosted", "guided", "FastAPI", "text"],
)
def test_a_server_without_json_by_schema_is_asked_without_from_then_on(
    build: Build, server: JudgeServer, refusal: Behaviour
) -> None:
    server.script = [refusal, says("Score: 7")]
    scorer = build()

    ratings = [rated(only(scorer)), rated(only(scorer))]

    assert [rating.value for rating in ratings] == [7, 7]
    assert ["response_format" in received.body for received in server.received] == [True, False, False]
    assert scorer.facts()["response_format"] == "none"


def test_a_complaint_that_stays_without_the_schema_is_not_laid_to_it(build: Build, server: JudgeServer) -> None:
    server.script = [fails(422, "bad image in {messages: ..., response_format: ...}")] * 2 + [says(GOOD)]
    scorer = build()

    fault, rating = only(scorer), rated(only(scorer))

    assert isinstance(fault, ModelFault) and "bad image" in str(fault)
    assert rating.value == 8.5
    assert ["response_format" in received.body for received in server.received] == [True, False, True]
    assert scorer.facts()["response_format"] == "json_schema"


def test_a_schema_that_must_be_is_not_left_off(build: Build, server: JudgeServer) -> None:
    server.script = [fails(400, "response_format is not supported"), says(GOOD)]

    fault = only(build(response_format="json_schema"))

    assert isinstance(fault, ModelFault)
    assert str(fault) == "the server answered 400: response_format is not supported"
    assert len(server.received) == 1


@pytest.mark.parametrize("complaint", [fails(400, "the context is 4096 tokens"), fails(404, "no model json_schema")])
def test_a_complaint_about_something_else_does_not_drop_the_schema(
    build: Build, server: JudgeServer, complaint: Behaviour
) -> None:
    server.script = [complaint, says(GOOD)]

    assert isinstance(only(build()), ModelFault)
    assert len(server.received) == 1


def test_scorers_share_no_state(build: Build, server: JudgeServer) -> None:
    server.script = [fails(400, "no json_schema here"), says(GOOD)]
    one, other = build(), build()

    only(one)
    one.close()

    assert rated(only(other)).value == 8.5
    assert "response_format" in server.received[-1].body
    assert [scorer.facts()["response_format"] for scorer in (one, other)] == ["none", "json_schema"]
