from __future__ import annotations

import base64
import io
import json
import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.utils import formatdate
from typing import Any

import pytest
from PIL import Image

from db.aggregate import read_aggregate
from db.judge_prompts import CRITERIA
from db.options import ApiJudgeOptions
from tests.judge_server import (
    GOOD,
    Answering,
    Behaviour,
    JudgeServer,
    Received,
    breaks_off,
    breaks_off_unnoticed,
    by_sample,
    fails,
    hangs_up,
    judge_server,
    never_answers,
    says,
    sends,
)
from workers.models.api_scorer import ApiScorer
from workers.models.errors import ModelFault, Refused, ServiceFault, Unparsed
from workers.models.judging.service_retries import asked_wait_seconds
from workers.models.protocols import Rating, ScoreRequest

KEY = "sk-do-not-tell-0123456789"
UNREADABLE = "A fine image."


@pytest.fixture
def server() -> Iterator[JudgeServer]:
    with judge_server() as server:
        yield server


class Waits:
    """In place of sleeping: notes how long each wait would have been."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
def waits() -> Waits:
    return Waits()


Build = Callable[..., ApiScorer]


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


def request(key: str = "p-1", *, seed: int = 7, **images: Image.Image) -> ScoreRequest:
    return ScoreRequest(
        key=key,
        category="物理",
        instruction="make it rain",
        description=None,
        source=images.get("source", Image.new("RGB", (4, 4), "red")),
        edited=images.get("edited", Image.new("RGB", (4, 4), "green")),
        reference=images.get("reference"),
        seed=seed,
    )


def only(scorer: ApiScorer, asked: ScoreRequest | None = None) -> Rating | ModelFault:
    [outcome] = scorer.score([asked or request()])
    return outcome


def rated(outcome: Rating | ModelFault) -> Rating:
    assert isinstance(outcome, Rating), repr(outcome)
    return outcome


# -- what is asked, and what an answer comes to ------------------------------------------------------------------------


def test_a_reply_in_json_is_a_rating_with_what_the_judge_and_the_server_said(build: Build) -> None:
    rating = rated(only(build()))

    seconds = rating.detail["seconds"]
    assert isinstance(seconds, float) and 0 < seconds < 5 and seconds == round(seconds, 3)
    assert rating.value == 8.5
    assert rating.detail == {
        "reasoning": "All is done.",
        "criteria": {"instruction_following": 9.0},
        "seconds": seconds,
        "attempts": 1,
        "answered_by": "judge-7b-awq",
        "tokens": {"prompt": 1200, "completion": 80},
    }


def test_a_server_that_reports_neither_usage_nor_model_is_not_made_to(build: Build, server: JudgeServer) -> None:
    server.script = [sends(json.dumps({"choices": [{"message": {"content": GOOD}}]}))]

    assert set(rated(only(build())).detail) == {"reasoning", "criteria", "seconds", "attempts"}


def test_the_request_holds_what_the_options_say(build: Build, server: JudgeServer) -> None:
    scorer = build(temperature=0.3, max_new_tokens=99, arguments={"top_k": 5, "chat_template_kwargs": {"think": False}})

    only(scorer, request(seed=2**31 + 5))

    [received] = server.received
    body = {name: value for name, value in received.body.items() if name not in ("messages", "response_format")}
    assert received.authorization == f"Bearer {KEY}"
    assert body == {
        "model": "judge",
        "temperature": 0.3,
        "max_tokens": 99,
        "seed": 5,
        "top_k": 5,
        "chat_template_kwargs": {"think": False},
    }


@pytest.mark.parametrize("response_format", ["auto", "json_schema"])
def test_the_judge_is_asked_for_reasons_then_a_score_as_json(
    build: Build, server: JudgeServer, response_format: str
) -> None:
    only(build(response_format=response_format))

    asked = server.received[0].body["response_format"]
    schema = asked["json_schema"]["schema"]
    assert (asked["type"], asked["json_schema"]["name"]) == ("json_schema", "verdict")
    assert schema["required"] == ["reasoning", "score"]
    assert list(schema["properties"]) == ["reasoning", *CRITERIA, "score"]  # in this order they are written
    assert schema["properties"]["score"] == {"type": "number", "minimum": 0, "maximum": 10}
    assert schema["additionalProperties"] == {"type": "number"}


def test_the_response_format_none_asks_for_no_form(build: Build, server: JudgeServer) -> None:
    scorer = build(response_format="none")

    rated(only(scorer))

    assert "response_format" not in server.received[0].body
    assert scorer.facts()["response_format"] == "none"


def test_a_system_message_is_sent_only_where_the_prompt_has_one(build: Build, server: JudgeServer) -> None:
    only(build(prompts={"default": {"system": "Be strict.", "user": "{{ instruction }}"}}))
    only(build())

    with_system, without = (received.body["messages"] for received in server.received)
    assert with_system[0] == {"role": "system", "content": "Be strict."}
    assert with_system[1]["content"][-1] == {"type": "text", "text": "make it rain"}
    assert [message["role"] for message in without] == ["user"]


def test_the_images_come_as_source_edited_reference_with_the_very_pixels(build: Build, server: JudgeServer) -> None:
    noise = Image.effect_noise((31, 17), 90).convert("RGB")

    only(build(), request(source=noise, edited=Image.new("RGB", (9, 5)), reference=Image.new("RGB", (6, 8))))

    source, edited, reference = server.received[0].images()
    assert [image.size for image in (source, edited, reference)] == [(31, 17), (9, 5), (6, 8)]
    assert source.format == "PNG" and source.tobytes() == noise.tobytes()


def test_a_sample_without_reference_sends_two_images(build: Build, server: JudgeServer) -> None:
    only(build(), request(source=Image.new("RGB", (3, 2)), edited=Image.new("RGB", (2, 3))))

    assert [image.size for image in server.received[0].images()] == [(3, 2), (2, 3)]


def test_an_image_is_scaled_to_the_area_that_the_judge_may_see(build: Build, server: JudgeServer) -> None:
    only(build(max_image_pixels=4096), request(source=Image.new("RGB", (400, 100))))

    assert [image.size for image in server.received[0].images()] == [(128, 32), (4, 4)]


def test_images_are_sent_as_jpeg_of_quality_95_where_asked_for(build: Build, server: JudgeServer) -> None:
    picture = Image.radial_gradient("L").resize((40, 30)).convert("RGB")
    expected = io.BytesIO()
    picture.save(expected, "JPEG", quality=95)

    only(build(image_format="jpeg"), request(source=picture))

    url = server.received[0].body["messages"][0]["content"][0]["image_url"]["url"]
    assert url == f"data:image/jpeg;base64,{base64.b64encode(expected.getvalue()).decode()}"


# -- a batch -----------------------------------------------------------------------------------------------------------


def test_the_requests_of_a_batch_are_under_way_at_the_same_time(build: Build, server: JudgeServer) -> None:
    everyone = threading.Barrier(6)

    def answers_once_all_are_there(handler: Answering, received: Received) -> None:
        everyone.wait(5)
        says(GOOD)(handler, received)

    server.script = [answers_once_all_are_there]

    outcomes = build(batch_size=6).score([request(f"p-{number}") for number in range(6)])

    assert [rated(outcome).value for outcome in outcomes] == [8.5] * 6


def test_no_more_requests_are_under_way_than_the_batch_size(build: Build, server: JudgeServer) -> None:
    lock, now, most = threading.Lock(), [0], [0]

    def counts(handler: Answering, received: Received) -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.02)
        with lock:
            now[0] -= 1
        says(GOOD)(handler, received)

    server.script = [counts]

    build(batch_size=2).score([request(f"p-{number}") for number in range(8)])

    assert most == [2]


def test_answers_keep_the_order_of_their_requests_whichever_comes_first(build: Build, server: JudgeServer) -> None:
    last_is_answered = threading.Event()

    def answers_backwards(handler: Answering, received: Received) -> None:
        if received.text == "3":
            last_is_answered.set()
        assert last_is_answered.wait(5)
        says(f'{{"score": {received.text}}}')(handler, received)

    server.script = [answers_backwards]

    outcomes = build().score([request(key) for key in "0123"])

    assert [rated(outcome).value for outcome in outcomes] == [0, 1, 2, 3]


def test_one_request_that_goes_wrong_does_not_touch_the_others(build: Build, server: JudgeServer) -> None:
    behaviours = {
        "fine": says(GOOD),
        "bad": fails(400, "image too large"),
        "refused": says(None, refusal="No."),
        "down": fails(503),
        "also fine": says(GOOD),
    }
    server.script = [by_sample(behaviours)]

    outcomes = build(attempts=2).score([request(key) for key in behaviours])

    assert [type(outcome).__name__ for outcome in outcomes] == [
        "Rating",
        "Rejected",
        "Refused",
        "ServiceFault",
        "Rating",
    ]


def test_the_second_batch_uses_the_connections_of_the_first(build: Build, server: JudgeServer) -> None:
    clients = set()

    def notes_the_client(handler: Answering, received: Received) -> None:
        clients.add(handler.client_address)
        says(GOOD)(handler, received)

    server.script = [notes_the_client]
    scorer = build()

    only(scorer)
    only(scorer)

    assert len(clients) == 1


# -- replies -----------------------------------------------------------------------------------------------------------


def test_an_unreadable_reply_is_asked_for_once_more_with_another_seed_and_temperature(
    build: Build, server: JudgeServer
) -> None:
    server.script = [says(UNREADABLE), says("Still a fine image.")]

    fault = only(build(temperature=0.1, second_temperature=0.9), request(seed=2**31 - 1))

    assert isinstance(fault, Unparsed)
    assert fault.detail == {"reply": "Still a fine image.", "first_reply": UNREADABLE}
    first, second = (received.body for received in server.received)
    assert (first["seed"], first["temperature"]) == (2**31 - 1, 0.1)
    assert (second["seed"], second["temperature"]) == (0, 0.9)
    assert first["messages"] == second["messages"]


def test_a_reply_that_can_be_read_the_second_time_is_a_rating_that_says_so(build: Build, server: JudgeServer) -> None:
    server.script = [says(UNREADABLE), says(GOOD)]

    rating = rated(only(build()))

    assert (rating.value, rating.detail["asked_twice"]) == (8.5, True)


def test_a_reply_without_a_criterion_of_the_runs_aggregate_is_asked_for_once_more(
    build: Build, server: JudgeServer
) -> None:
    asked = replace(request(), aggregate=read_aggregate("min(sc, pq)"))
    server.script = [says('{"sc": 7, "score": 9}'), says('{"sc": 7, "pq": 6, "score": 9}')]

    rating = rated(only(build(), asked))

    assert (rating.value, rating.detail["said"], rating.detail["asked_twice"]) == (6.0, 9.0, True)


def test_a_judge_that_refuses_when_asked_again_has_refused(build: Build, server: JudgeServer) -> None:
    server.script = [says(UNREADABLE), says(None, refusal="Not that one.")]

    assert isinstance(only(build()), Refused)
    assert len(server.received) == 2


@pytest.mark.parametrize("content", [None, "", "  \n"])
def test_an_empty_reply_cannot_be_read(build: Build, server: JudgeServer, content: str | None) -> None:
    server.script = [says(content)]

    fault = only(build())

    assert isinstance(fault, Unparsed)
    assert fault.detail == {"reply": content or "", "first_reply": content or ""}


def test_a_reply_that_ran_out_of_tokens_is_read_as_cut_off(build: Build, server: JudgeServer) -> None:
    server.script = [says("I would give it a score: 8", finish_reason="length")]

    fault = only(build())

    assert isinstance(fault, Unparsed)
    assert str(fault) == "the reply was cut off before its score"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (says(None, refusal="I can't judge people."), "I can't judge people."),
        (says("I will not.", finish_reason="content_filter"), "I will not."),
        (says(None, finish_reason="content_filter"), ""),
    ],
    ids=["refusal", "filtered", "filtered away"],
)
def test_a_refusal_is_not_asked_about_again(build: Build, server: JudgeServer, answer: Behaviour, words: str) -> None:
    server.script = [answer]

    fault = only(build())

    assert isinstance(fault, Refused)
    assert fault.detail == {"reply": words}
    assert words in str(fault)
    assert len(server.received) == 1


# -- response formats --------------------------------------------------------------------------------------------------


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


# -- servers that fail -------------------------------------------------------------------------------------------------


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


# -- the key -----------------------------------------------------------------------------------------------------------


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


# -- what it is built of -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["openai", "tenacity"])
def test_a_missing_package_is_named_with_its_remedy(
    build: Build, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)

    with pytest.raises(ModelFault) as fault:
        build()

    assert str(fault.value) == "the scorer api needs its packages: pip install 'editfarm[judge-api]'"


def test_facts_name_the_server_and_the_client(build: Build, server: JudgeServer) -> None:
    import openai

    facts = dict(build().facts())

    assert len(str(facts.pop("prompts"))) == 16
    assert facts == {
        "server": server.url,
        "openai": openai.__version__,
        "response_format": "json_schema",
    }


# -- a rubric ----------------------------------------------------------------------------------------------------------


def rubric_question(name: str, show: list[str], *criteria: str) -> dict[str, Any]:
    """Return a question whose answer is a list of numbers from 0 to 10."""
    asked = [{"name": one, "scale": (0, 10), "at": f"score[{place}]"} for place, one in enumerate(criteria)]
    return {
        "name": name,
        "prompt": {"user": f"{name} of {{{{ instruction }}}}"},
        "show": [{"what": what} for what in show],
        "answer": {"form": "json", "criteria": asked},
    }


RUBRIC = {
    "questions": [
        rubric_question("SC", ["source", "edited", "prompt"], "success", "overediting"),
        rubric_question("PQ", ["edited", "prompt"], "naturalness", "artifacts"),
    ],
    "values": [
        {"name": "O", "of": "sqrt(min(success, overediting) * min(naturalness, artifacts))", "scale": (0, 10)},
    ],
    "score": "O",
    "resize": {"area": 1024},
}


def test_a_rubrics_questions_are_asked_one_by_one_each_with_its_own_images(server: JudgeServer, build: Build) -> None:
    server.script = [says('{"score": [9, 4], "reasoning": "fits"}'), says('{"score": [9, 9], "reasoning": "sharp"}')]

    rating = rated(only(build(prompts=None, rubric=RUBRIC)))

    assert [one.text for one in server.received] == ["SC of make it rain", "PQ of make it rain"]
    assert [[image.size for image in one.images()] for one in server.received] == [[(32, 32)] * 2, [(32, 32)]]
    assert all("response_format" not in one.body for one in server.received)
    assert rating.value == 6
    criteria = {"success": 9, "overediting": 4, "naturalness": 9, "artifacts": 9, "O": 6}
    assert (rating.detail["criteria"], rating.detail["reasoning"]) == (criteria, "SC: fits\nPQ: sharp")
    assert rating.detail["tokens"] == {"prompt": 2400, "completion": 160}


def test_of_a_rubric_one_unreadable_answer_fails_the_score_and_keeps_what_the_others_gave(
    server: JudgeServer, build: Build
) -> None:
    server.script = [says("no"), says("still no"), says('{"score": [9, 8]}')]

    fault = only(build(prompts=None, rubric=RUBRIC))

    assert isinstance(fault, Unparsed)
    assert str(fault) == "SC: the reply gives no score[0]"
    assert fault.detail == {
        "reply": "still no",
        "first_reply": "no",
        "criteria": {"naturalness": 9, "artifacts": 8},
    }


def test_a_rubric_that_shows_a_reference_fails_the_samples_without_one(build: Build) -> None:
    shown = {**RUBRIC, "questions": [rubric_question("SC", ["reference", "edited", "prompt"], "success")]}

    fault = only(build(prompts=None, rubric={**shown, "values": [], "score": "success"}))

    assert isinstance(fault, ModelFault)
    assert "shows the judge a reference image, and the sample has none" in str(fault)
