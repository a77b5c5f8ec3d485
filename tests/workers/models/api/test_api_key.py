"""The key of a judge's server is told to that server only."""

from __future__ import annotations

import logging
import traceback

import pytest

from tests.judge_server import (
    Behaviour,
    JudgeServer,
    fails,
    says,
    sends,
)
from tests.workers.models.api.asking import KEY, Build, only, rated
from workers.models.errors import ModelFault
from workers.models.protocols import Rating


def everything_in(fault: Rating | ModelFault) -> str:
    assert isinstance(fault, ModelFault)
    return " ".join([str(fault), repr(fault), repr(vars(fault)), *traceback.format_exception(fault)])


@pytest.mark.parametrize(
    "answer",
    [
        fails(401, f"Incorrect API key provided: Bearer {KEY}"),
        fails(403, "x" * 285 + KEY),
        fails(500, f"Authorization: Bearer {KEY}"),
        fails(429, KEY, Retry_After="9999"),
        sends(f"<html>{KEY}"),
        says(None, refusal=f"{KEY}!"),
        says(f"{KEY}?"),
        says(f'{{"score": "{"x" * 60}{KEY}"}}'),
    ],
    ids=["401", "cut", "500", "too long a wait", "no completion", "refusal", "unreadable", "unreadable score"],
)
def test_a_key_that_the_server_repeats_is_told_to_nobody(
    build: Build,
    server: JudgeServer,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    answer: Behaviour,
) -> None:
    caplog.set_level(logging.DEBUG)
    server.script = [answer]

    fault = only(build(attempts=2))

    printed = capsys.readouterr()
    assert server.received[0].authorization == f"Bearer {KEY}"
    assert "sk-do" not in everything_in(fault) + caplog.text + printed.out + printed.err


def test_a_key_in_a_rating_is_hidden(build: Build, server: JudgeServer) -> None:
    server.script = [says(f'{{"reasoning": "It says {KEY}.", "{KEY}": 3, "score": 4}}')]

    rating = rated(only(build()))

    assert (rating.detail["reasoning"], rating.detail["criteria"]) == ("It says ***.", {"***": 3.0})


def test_a_key_that_is_final_costs_one_request(build: Build, server: JudgeServer) -> None:
    server.script = [fails(401, f"Incorrect API key provided: {KEY}. See the docs.")]

    assert str(only(build())) == "the server answered 401: Incorrect API key provided: ***. See the docs."
    assert len(server.received) == 1


def test_a_server_gets_some_key_where_none_is_set(
    build: Build, server: JudgeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FARM_JUDGE_API_KEY")
    server.script = [says('{"reasoning": "none", "score": 1}')]

    rating = rated(only(build()))

    assert server.received[0].authorization == "Bearer none"
    assert rating.detail["reasoning"] == "none"


def test_white_space_around_a_key_is_not_sent(
    build: Build, server: JudgeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FARM_JUDGE_API_KEY", f" {KEY}\r\n")

    rated(only(build()))

    assert server.received[0].authorization == f"Bearer {KEY}"


@pytest.mark.parametrize("key", ["sk-do\nnot-tell", "sk-do-не-скажу"])
def test_a_key_that_no_header_can_carry_is_refused_without_repeating_it(
    build: Build, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("FARM_JUDGE_API_KEY", key)

    with pytest.raises(ModelFault, match="FARM_JUDGE_API_KEY holds a character") as fault:
        build()

    assert "sk-do" not in everything_in(fault.value)
