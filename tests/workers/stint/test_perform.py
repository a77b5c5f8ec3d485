"""Making an edit and giving scores: from what was read to what came of it."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

import pytest
from PIL import Image

from db.images import FolderStore
from db.jobs import Failure, ScoreClaim
from db.tables import FailureKind
from tests.factories import png
from tests.workers.steps import Answering, Hosting, Inverter, edit_claim, made, score_claims, scored
from workers.models.errors import InputFault, OutOfMemory
from workers.models.protocols import EditedImage, EditRequest, Rating, ScoreRequest
from workers.resident import CannotLoad
from workers.stint.batch_sizes import STEADY_BATCHES, BatchSizes
from workers.stint.perform import Made, Scored, give_scores, make_edit
from workers.stint.reading import Reader


def test_denoising_steps_are_told(images: FolderStore) -> None:
    steps: list[tuple[int, int]] = []

    made(edit_claim(images.put(png())), images, Hosting(Inverter()), lambda *step: steps.append(step))

    assert steps == [(1, 1)]


def test_an_edit_is_made_with_what_the_model_said_and_where_it_came_about(images: FolderStore) -> None:
    outcome = made(edit_claim(images.put(png(3, 2, "black"))), images, Hosting(Inverter()))

    assert isinstance(outcome, Made)
    assert (outcome.detail, outcome.facts) == ({"steps": 1}, {"device": "test"})
    assert (outcome.image.size, outcome.image.getpixel((0, 0))) == ((3, 2), (255, 255, 255))


def test_what_could_not_be_read_is_a_failure_and_no_model_is_asked(images: FolderStore) -> None:
    unreadable = Failure(FailureKind.STORE, "image is gone", again=True)
    claims = score_claims(images, "a", "b")
    scorer = Answering({"b": Rating(3.0)})

    assert make_edit(edit_claim("0" * 64), unreadable, Hosting(CannotLoad("never asked for"))) is unreadable
    failed, _ = give_scores(claims, [unreadable, *Reader(images).score_requests(claims[1:])], Hosting(scorer))
    assert failed is unreadable
    assert scorer.batches == [1]


def test_an_editor_that_returns_no_image_has_failed(images: FolderStore) -> None:
    class Forgetful:
        def edit(self, request: EditRequest) -> Any:
            return None

    outcome = made(edit_claim(images.put(png())), images, Hosting(Forgetful()))

    assert isinstance(outcome, Failure) and outcome.kind is FailureKind.MODEL


@pytest.mark.parametrize("size", [(0, 0), (0, 5), (5, 0)])
def test_an_editor_that_returns_an_image_without_pixels_has_failed(images: FolderStore, size: tuple[int, int]) -> None:
    class Empty:
        def edit(self, request: EditRequest) -> EditedImage:
            return EditedImage(Image.new("RGB", size))

    outcome = made(edit_claim(images.put(png())), images, Hosting(Empty()))

    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.reason) == (
        FailureKind.MODEL,
        f"the editor gave an image of {size[0]} x {size[1]} pixels",
    )


def test_each_score_of_a_batch_has_its_own_outcome(images: FolderStore) -> None:
    scorer = Answering({"a": Rating(7.5), "b": InputFault("no reference"), "c": Rating(0.0)})

    outcomes = scored(score_claims(images, "a", "b", "c"), images, Hosting(scorer))

    assert [outcome.value if isinstance(outcome, Scored) else outcome.kind for outcome in outcomes] == [
        7.5,
        FailureKind.INPUT,
        0.0,
    ]
    assert scorer.batches == [3]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.1, 10.01])
def test_a_value_that_is_no_score_from_0_to_10_is_a_failure_and_never_a_number(
    images: FolderStore, value: float
) -> None:
    (outcome,) = scored(score_claims(images, "a"), images, Hosting(Answering({"a": Rating(value)})))

    assert isinstance(outcome, Failure) and outcome.kind is FailureKind.MODEL


def test_a_batch_too_big_for_memory_is_halved_until_it_fits(images: FolderStore) -> None:
    scorer = Answering({key: Rating(5.0) for key in "abcde"}, memory=2)

    outcomes = scored(score_claims(images, *"abcde"), images, Hosting(scorer))

    assert all(isinstance(outcome, Scored) for outcome in outcomes)
    assert scorer.batches == [5, 2, 3, 1, 2]


def test_what_did_not_fit_into_memory_is_remembered_and_what_did_counts_too(images: FolderStore) -> None:
    sizes = BatchSizes()
    claims = score_claims(images, *"abcd")
    scorer = Answering({key: Rating(5.0) for key in "abcd"}, memory=2)

    scored(claims, images, Hosting(scorer), sizes=sizes)
    assert sizes.limit(claims[0].model, 4) == 2

    scorer.memory = 100
    for _ in range(STEADY_BATCHES):
        scored(claims[:2], images, Hosting(scorer), sizes=sizes)
    assert sizes.limit(claims[0].model, 4) == 3


def test_a_batch_that_failed_for_another_reason_says_nothing_of_memory(images: FolderStore) -> None:
    class Lossy:
        def score(self, batch: Sequence[ScoreRequest]) -> list[Rating]:
            return [Rating(5.0)]

    sizes = BatchSizes()
    claims = score_claims(images, "a", "b")
    scored(claims, images, Hosting(Lossy()), sizes=sizes)

    assert sizes.limit(claims[0].model, 8) == 8


def test_a_failed_batch_is_gone_from_memory_when_its_halves_are_tried(images: FolderStore) -> None:
    class Tensors:
        """What a batch holds on the device."""

    held: list[weakref.ref[Tensors]] = []
    alive: list[int] = []

    class Exhausted:
        def score(self, batch: Sequence[ScoreRequest]) -> list[Rating]:
            alive.append(sum(one() is not None for one in held))
            tensors = Tensors()
            held.append(weakref.ref(tensors))
            if len(batch) > 1:
                raise OutOfMemory("too many")
            return [Rating(5.0)]

    scored(score_claims(images, *"abcdefgh"), images, Hosting(Exhausted()))

    assert set(alive) == {0}


def test_a_single_score_too_big_for_memory_fails_alone(images: FolderStore) -> None:
    (outcome,) = scored(score_claims(images, "a"), images, Hosting(Answering({}, memory=0)))

    assert isinstance(outcome, Failure) and outcome.kind is FailureKind.OUT_OF_MEMORY


def test_one_unreadable_image_does_not_fail_its_batch(images: FolderStore) -> None:
    claims = score_claims(images, "a", "b")
    images.path(claims[0].edited_image).unlink()
    good = images.put(png(colour="red"))
    claims[1] = ScoreClaim(**{**vars(claims[1]), "source_image": good, "edited_image": good})

    outcomes = scored(claims, images, Hosting(Answering({"b": Rating(3.0)})))

    assert isinstance(outcomes[0], Failure) and outcomes[0].kind is FailureKind.STORE
    assert isinstance(outcomes[1], Scored)


def test_a_scorer_that_answers_too_few_requests_is_asked_about_each_alone(images: FolderStore) -> None:
    class Lossy:
        def score(self, batch: Sequence[ScoreRequest]) -> list[Rating]:
            return [Rating(float(batch[0].key))]

    outcomes = scored(score_claims(images, "1", "2", "3"), images, Hosting(Lossy()))

    assert [outcome.value for outcome in outcomes if isinstance(outcome, Scored)] == [1.0, 2.0, 3.0]


def test_a_scorer_that_gives_no_answer_at_all_has_failed_each(images: FolderStore) -> None:
    class Mute:
        def score(self, batch: Sequence[ScoreRequest]) -> list[Rating]:
            return []

    outcomes = scored(score_claims(images, "a", "b"), images, Hosting(Mute()))

    assert [outcome.kind for outcome in outcomes if isinstance(outcome, Failure)] == [FailureKind.MODEL] * 2


def test_a_request_at_which_the_scorer_raises_does_not_fail_its_batch(images: FolderStore) -> None:
    class Touchy:
        def score(self, batch: Sequence[ScoreRequest]) -> list[Rating]:
            if any(request.key == "b" for request in batch):
                raise RuntimeError("b is beyond me")
            return [Rating(5.0) for _ in batch]

    outcomes = scored(score_claims(images, *"abcd"), images, Hosting(Touchy()))

    assert [isinstance(outcome, Scored) for outcome in outcomes] == [True, False, True, True]
    assert isinstance(outcomes[1], Failure) and outcomes[1].reason == "RuntimeError: b is beyond me"


@pytest.mark.parametrize(
    "answer",
    [
        None,
        7.5,
        "7.5",
        Rating("7.5"),  # type: ignore[arg-type]
        Rating(None),  # type: ignore[arg-type]
        Rating(5.0, {"confidence": float("nan")}),
        Rating(5.0, {"logits": b"raw"}),
        Rating(5.0, "because"),  # type: ignore[arg-type]
    ],
    ids=repr,
)
def test_an_answer_that_is_no_rating_fails_alone_and_is_not_asked_for_again(images: FolderStore, answer: Any) -> None:
    scorer = Answering({"a": Rating(5.0), "b": answer, "c": Rating(6.0)})

    outcomes = scored(score_claims(images, *"abc"), images, Hosting(scorer))

    assert [isinstance(outcome, Scored) for outcome in outcomes] == [True, False, True]
    assert scorer.batches == [3]


def test_a_scorer_may_answer_with_numpys_numbers(images: FolderStore) -> None:
    import numpy

    answers = {"a": Rating(numpy.float32(7.5)), "b": Rating(numpy.int64(3))}

    outcomes = scored(score_claims(images, *"ab"), images, Hosting(Answering(answers)))

    assert [outcome.value for outcome in outcomes if isinstance(outcome, Scored)] == [7.5, 3.0]
