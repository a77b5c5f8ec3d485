"""What is made of a judge's replies: read, asked for once more, or a refusal; also of a rubric's questions."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from db.aggregate import read_aggregate
from tests.judge_server import (
    GOOD,
    Behaviour,
    JudgeServer,
    completion,
    says,
    sends,
)
from tests.workers.models.api.asking import UNREADABLE, Build, only, rated, request
from workers.models.errors import ModelFault, Refused, Unparsed


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


def test_a_reply_in_parts_is_read_without_what_the_judge_thought(build: Build, server: JudgeServer) -> None:
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": '{"score": 1}'}]}
    answer = completion("")
    answer["choices"][0]["message"]["content"] = [thought, {"type": "text", "text": GOOD}]
    server.script = [sends(json.dumps(answer))]

    assert rated(only(build())).value == 8.5


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
