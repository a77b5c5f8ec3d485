"""What a judge behind a server is sent, and what its answers come to."""

from __future__ import annotations

import base64
import io
import json
import sys
import threading
import time

import pytest
from PIL import Image

from db.judge_prompts import CRITERIA
from tests.judge_server import (
    GOOD,
    Answering,
    JudgeServer,
    Received,
    by_sample,
    fails,
    says,
    sends,
)
from tests.workers.models.api.asking import KEY, Build, only, rated, request
from workers.models.errors import ModelFault

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
