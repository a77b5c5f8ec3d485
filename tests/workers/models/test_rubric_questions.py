"""What a judge is shown by a rubric, part by part, and what becomes of its replies; no judge is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from PIL import Image

from db.options import ApiJudgeOptions
from workers.models.errors import InputFault, ModelFault, Unparsed
from workers.models.judging.hearing import Hearing, Reply
from workers.models.judging.question import questions_for
from workers.models.protocols import Rating, ScoreRequest

NAMES = {1: "first", 2: "second", 3: "third", 8: "edited", 9: "reference"}
"""What images are, by their width."""


def image(width: int) -> Image.Image:
    return Image.new("RGB", (width, 4))


def request(**given: Any) -> ScoreRequest:
    whole: dict[str, Any] = {
        **{"key": "k", "category": "c", "instruction": "make it rain", "description": None, "seed": 0},
        **{"source": image(1), "edited": image(8), "reference": image(9), "more_sources": [image(2), image(3)]},
        **given,
    }
    return ScoreRequest(**whole)


def question(name: str = "q", *shown: Mapping[str, str], **more: Any) -> dict[str, Any]:
    criterion = {"name": name, "scale": (1, 5), "at": "score"}
    return {
        "name": name,
        "prompt": {"user": f"{name}: {{{{ instruction }}}}"},
        "show": shown or [{"what": "prompt"}],
        "answer": {"form": "json", "criteria": [criterion]},
        **more,
    }


def options(*questions: Mapping[str, Any], **given: Any) -> ApiJudgeOptions:
    rubric = {"questions": questions, "score": questions[0]["name"], **given.pop("rubric", {})}
    return ApiJudgeOptions.model_validate({"model": "m", "base_url": "http://127.0.0.1/v1", "rubric": rubric, **given})


def shown(parts: Sequence[Mapping[str, str]], **given: Any) -> list[str]:
    """Return what the judge reads and sees, images by what they are."""
    (only,) = questions_for(request(**given), options(question("q", *parts)))
    return [part if isinstance(part, str) else NAMES[part.width] for part in only.content]


# -- what it is shown --------------------------------------------------------------------------------------------------


def test_parts_are_shown_in_their_order_each_image_behind_its_label() -> None:
    parts = [
        {"what": "edited", "label": "New {number}:"},
        {"what": "prompt", "label": "not of a prompt"},
        {"what": "source"},
        {"what": "reference", "label": "Right:"},
    ]

    assert shown(parts) == ["New 1:", "edited", "q: make it rain", "first", "Right:", "reference"]


def test_a_prompt_may_speak_of_how_many_sources_there_are() -> None:
    asked = question("q", prompt={"user": "{{ source_count }} images, {{ has_reference }}"})

    (only,) = questions_for(request(), options(asked))

    assert only.content == ["3 images, True"]


def test_all_sources_are_shown_in_their_order_and_numbered() -> None:
    parts = [{"what": "sources", "label": "Image {number}:", "edited_label": "only of frames"}]

    assert shown(parts) == ["Image 1:", "first", "Image 2:", "second", "Image 3:", "third"]


@pytest.mark.parametrize(
    ("frame", "seen"),
    [
        (1, ["edited", "first", "second", "third"]),
        (2, ["first", "edited", "second", "third"]),
        (4, ["first", "second", "third", "edited"]),
        ("2", ["first", "edited", "second", "third"]),  # a table has it as a text
    ],
)
def test_the_edited_frame_stands_in_its_place_under_its_own_label(frame: int | str, seen: list[str]) -> None:
    parts = [{"what": "frames", "label": "Given {number}", "edited_label": "Made {number}"}]

    found = shown(parts, fields={"frame": frame})

    assert found[1::2] == seen
    assert found[::2] == [f"{'Made' if one == 'edited' else 'Given'} {place}" for place, one in enumerate(seen, 1)]


@pytest.mark.parametrize("fields", [{}, *({"frame": frame} for frame in (0, 5, -1, True, 2.0, "two", "²", "9" * 5000))])
def test_frames_that_cannot_be_put_in_order_are_the_samples_fault(fields: Mapping[str, object]) -> None:
    with pytest.raises(InputFault, match="its frames cannot be put in order"):
        shown([{"what": "frames"}], fields=fields)


def test_a_question_is_asked_by_what_of_the_sample_is_there() -> None:
    asked = options(
        question("always"),
        *(
            question(name, when={"has": [name]})
            for name in ("flag", "reference_image", "reference_text", "description", "more_sources")
        ),
    )
    bare = {"reference": None, "more_sources": [], "reference_text": None, "description": None}

    whole = questions_for(request(fields={"flag": False}, reference_text="a rule", description="a street"), asked)
    nothing = questions_for(request(**bare), asked)

    assert [one.content[0].partition(":")[0] for one in whole if isinstance(one.content[0], str)] == [
        *("always", "flag", "reference_image", "reference_text", "description", "more_sources")
    ]
    assert len(nothing) == 1


def test_images_are_brought_to_size_first_and_then_held_to_what_the_options_allow() -> None:
    parts = [{"what": "source"}, {"what": "edited"}]
    given = request(source=Image.new("RGB", (400, 100)), edited=Image.new("RGB", (40, 10)))

    def sizes(**more: Any) -> list[tuple[int, int]]:
        (only,) = questions_for(given, options(question("q", *parts), **more))
        return [part.size for part in only.content if not isinstance(part, str)]

    assert sizes() == [(400, 100), (40, 10)]
    assert sizes(rubric={"resize": {"within": (200, 200)}}) == [(200, 50), (40, 10)]
    assert sizes(rubric={"resize": {"area": 6400}}) == [(160, 40)] * 2
    assert sizes(rubric={"resize": {"area": 40000}}, max_image_pixels=6400) == [(160, 40)] * 2


# -- what becomes of its replies ---------------------------------------------------------------------------------------


def replied(number: int, cut_off: bool = False) -> Reply:
    return Reply(f'{{"score": {number}, "reasoning": "because of {number}"}}', cut_off)


def test_a_second_reply_takes_the_place_of_one_that_cannot_be_read() -> None:
    hearing = Hearing(request(), options(question("a"), question("b")))

    heard = [hearing.hear(0, replied(9)), hearing.hear(1, replied(2)), hearing.hear(0, replied(4))]

    assert heard == [False, True, True]
    rating = hearing.rating()
    assert isinstance(rating, Rating)
    assert rating.value == 4
    assert rating.detail["criteria"] == {"a": 4, "b": 2}
    assert rating.detail["asked_twice"] is True
    assert rating.detail["reasoning"] == "a: because of 4\nb: because of 2"


def test_of_several_questions_without_a_readable_reply_the_first_is_told() -> None:
    hearing = Hearing(request(), options(question("a"), question("b"), question("c")))
    for number, score in enumerate((3, 7, 8)):
        hearing.hear(number, replied(score, cut_off=True))

    fault = hearing.rating()

    assert isinstance(fault, Unparsed)
    assert str(fault) == "b: the reply's b is 7, which is not from 1 to 5; it was cut off"
    assert fault.detail == {"reply": replied(7).text, "criteria": {"a": 3}}


def test_a_reply_that_can_be_read_at_once_was_asked_for_once() -> None:
    hearing = Hearing(request(), options(question("a")))
    hearing.hear(0, replied(3))

    rating = hearing.rating()

    assert isinstance(rating, Rating)
    assert rating.detail == {"reasoning": "because of 3", "criteria": {"a": 3}}


def test_a_sample_of_which_nothing_is_asked_has_no_score() -> None:
    hearing = Hearing(request(), options(question("a", when={"categories": ["other"]})))

    fault = hearing.rating()

    assert hearing.questions == []
    assert type(fault) is ModelFault and str(fault) == "the rubric does not fit this sample: no 'a', which is the score"
