"""How a server that fails is borne with: what is tried again, after which wait, and what is final."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from tests.judge_server import (
    GOOD,
    Behaviour,
    JudgeServer,
    breaks_off,
    breaks_off_unnoticed,
    fails,
    hangs_up,
    never_answers,
    says,
    sends,
)
from tests.workers.models.api.asking import Build, Waits, only, rated
from workers.models.errors import ModelFault, ServiceFault
from workers.models.judging.service_retries import asked_wait_seconds


def test_a_server_that_fails_twice_is_asked_three_times(build: Build, server: JudgeServer, waits: Waits) -> None:
    server.script = [fails(500), fails(500), says(GOOD)]

    rating = rated(only(build()))

    assert rating.detail["attempts"] == len(server.received) == 3
    assert "asked_twice" not in rating.detail
    assert len(waits.seconds) == 2


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 529])
def test_a_status_that_may_pass_is_tried_again_and_in_the_end_named(
    build: Build, server: JudgeServer, waits: Waits, status: int
) -> None:
    server.script = [fails(status, "come back later\nstack trace")]

    fault = only(build(attempts=3))

    assert isinstance(fault, ServiceFault)
    assert str(fault) == f"the server gave no answer in 3 attempts; the last: {status}: come back later"
    assert (len(server.received), len(waits.seconds)) == (3, 2)


def test_waits_grow_up_to_their_bound_and_differ(build: Build, server: JudgeServer, waits: Waits) -> None:
    server.script = [fails(500)]

    only(build(attempts=20, longest_wait_seconds=3))

    assert waits.seconds[0] <= 1 and waits.seconds[1] <= 2
    assert max(waits.seconds) <= 3
    assert len(set(waits.seconds)) == 19


@pytest.mark.parametrize("status", [429, 503])
def test_a_retry_after_in_seconds_is_waited_for(build: Build, server: JudgeServer, waits: Waits, status: int) -> None:
    server.script = [fails(status, Retry_After="7"), says(GOOD)]

    rated(only(build()))

    [asked] = waits.seconds
    assert 7 < asked <= 8


def test_a_retry_after_by_date_is_waited_for(build: Build, server: JudgeServer, waits: Waits) -> None:
    server.script = [fails(429, Retry_After=formatdate(time.time() + 30, usegmt=True)), says(GOOD)]

    rated(only(build()))

    [asked] = waits.seconds
    assert 27 <= asked <= 31  # a date has whole seconds


def test_a_retry_after_beyond_the_bound_is_not_waited_for(build: Build, server: JudgeServer, waits: Waits) -> None:
    server.script = [fails(429, "quota used up", Retry_After="3600"), says(GOOD)]

    fault = only(build(longest_wait_seconds=60))

    assert isinstance(fault, ServiceFault)
    said = "the server asks to wait for 3600 s, longest_wait_seconds is 60; it answered 429: quota used up"
    assert str(fault) == said
    assert (len(server.received), waits.seconds) == (1, [])


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("0", 0),
        (" 2.5 ", 2.5),
        ("Thu, 01 Jan 1970 00:16:45 GMT", 5),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("soon", None),
        ("-3", None),
        ("nan", None),
        ("", None),
        ("Thu, 99 Jan 1970 00:00:00 GMT", None),
    ],
)
def test_a_retry_after_is_seconds_or_a_date_or_nothing(header: str | None, seconds: float | None) -> None:
    assert asked_wait_seconds(header, now=1000) == seconds


@pytest.mark.parametrize("failure", [hangs_up, breaks_off, breaks_off_unnoticed])
def test_a_connection_that_breaks_is_tried_again(build: Build, server: JudgeServer, failure: Behaviour) -> None:
    server.script = [failure, says(GOOD)]

    assert rated(only(build())).detail["attempts"] == 2


def test_a_server_that_hangs_up_for_ever_is_a_service_fault_with_the_reason(build: Build, server: JudgeServer) -> None:
    server.script = [hangs_up]

    fault = only(build(attempts=2))

    assert isinstance(fault, ServiceFault)
    assert "RemoteProtocolError: Server disconnected" in str(fault)
    assert len(server.received) == 2


def test_a_server_that_is_not_there_is_a_service_fault(build: Build) -> None:
    fault = only(build(base_url="http://127.0.0.1:1/v1", attempts=2))

    assert isinstance(fault, ServiceFault)
    assert "in 2 attempts; the last: ConnectError:" in str(fault)


def test_a_server_too_slow_is_tried_again_and_then_a_service_fault(build: Build, server: JudgeServer) -> None:
    server.script = [never_answers]
    scorer = build(timeout_seconds=0.3, attempts=2)
    started = time.monotonic()

    fault = only(scorer)

    assert 0.6 <= time.monotonic() - started < 5
    assert isinstance(fault, ServiceFault)
    assert "ReadTimeout" in str(fault)
    assert len(server.received) == 2


@pytest.mark.parametrize(
    "body",
    ["<html>\nSign in</html>", '{"error": {"message": "overloaded"}}', '{"choices": []}', "null", ""],
    ids=["a page", "an error", "no choice", "null", "nothing"],
)
def test_a_success_that_is_no_chat_completion_is_tried_again(build: Build, server: JudgeServer, body: str) -> None:
    server.script = [sends(body), sends(body, Content_Type="text/html"), says(GOOD)]

    assert rated(only(build())).detail["attempts"] == 3


def test_what_came_in_place_of_a_chat_completion_is_named(build: Build, server: JudgeServer) -> None:
    server.script = [sends("<html>Sign in</html>", Content_Type="text/html")]

    fault = only(build(attempts=1))

    assert isinstance(fault, ServiceFault)
    what = "what it sent is no answer: no chat completion, but <html>Sign in</html>"
    assert str(fault) == f"the server gave no answer in 1 attempt; the last: {what}"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_a_status_that_will_not_pass_is_final(build: Build, server: JudgeServer, waits: Waits, status: int) -> None:
    server.script = [fails(status, "no\nand here is why")]

    fault = only(build())

    assert isinstance(fault, ModelFault) and not isinstance(fault, ServiceFault)
    assert str(fault) == f"the server answered {status}: no"
    assert (len(server.received), waits.seconds) == (1, [])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"detail": "Not Found"}', ": Not Found"),
        ('{"error": "wrong"}', ": wrong"),
        ('{"object": "error", "message": "no such model"}', ": no such model"),
        ("\n<html>\n<title>", ": <html>"),
        ("", ""),
        ('"' + "x" * 999 + '"', ": " + "x" * 300),
    ],
)
def test_a_servers_message_is_found_in_whatever_form_it_has(
    build: Build, server: JudgeServer, body: str, said: str
) -> None:
    server.script = [sends(body, 404)]

    assert str(only(build())) == f"the server answered 404{said}"
