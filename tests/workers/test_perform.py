from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from PIL import Image

from db.choice import ModelChoice
from db.decode import decode_image
from db.images import ImageStore, digest_of
from db.jobs import EditClaim, Failure, ScoreClaim
from db.tables import FailureKind, Stage
from tests.factories import configuration, png
from workers.models.errors import (
    DeviceBroken,
    InputFault,
    ModelFault,
    OutOfMemory,
    Refused,
    ServiceFault,
    Unparsed,
    Withdrawn,
)
from workers.models.protocols import EditedImage, EditRequest, Rating, ScoreRequest
from workers.outages import Outages
from workers.perform import Edited, Scored, perform_edit, perform_scores
from workers.resident import CannotLoad, Resident


class Hosting(Resident):
    """A resident whose model is the test's own."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def facts(self) -> dict[str, object]:
        return {"device": "test"}

    def editor(self, choice: ModelChoice) -> Any:
        if isinstance(self.model, CannotLoad):
            raise self.model
        return self.model

    scorer = editor


class Inverter:
    def edit(self, request: EditRequest) -> EditedImage:
        request.on_step(1, 1)
        return EditedImage(request.source.point(lambda value: 255 - value), {"steps": 1})


class Raising:
    def __init__(self, error: Exception) -> None:
        self.error = error

    def edit(self, request: EditRequest) -> Image.Image:
        raise self.error

    def score(self, batch: Sequence[ScoreRequest]) -> list[Rating]:
        raise self.error


class Answering:
    """Answers with what the test gives for each key, and notes the size of each batch."""

    def __init__(self, answers: Mapping[str, Rating | ModelFault], *, memory: int = 100) -> None:
        self.answers, self.memory, self.batches = answers, memory, [0][:0]

    def score(self, batch: Sequence[ScoreRequest]) -> list[Rating | ModelFault]:
        self.batches.append(len(batch))
        if len(batch) > self.memory:
            raise OutOfMemory("too many")
        return [self.answers[request.key] for request in batch]


def edit_claim(source: str) -> EditClaim:
    return EditClaim(**_fields(Stage.EDIT, 1, "p-1", source, configuration().editor))


def score_claims(images: ImageStore, *keys: str) -> list[ScoreClaim]:
    image = images.put(png())
    scorer = configuration().scorers[0]
    return [
        ScoreClaim(
            **_fields(Stage.SCORE, number, key, image, scorer),
            description="a square",
            edited_image=image,
            reference_image=None,
        )
        for number, key in enumerate(keys)
    ]


def _fields(stage: Stage, job_id: int, key: str, source: str, model: ModelChoice) -> dict[str, Any]:
    return {
        "stage": stage,
        "job_id": job_id,
        "attempt": 1,
        "run_id": "run",
        "key": key,
        "category": "物理",
        "repeat": 0,
        "instruction": "make it rain",
        "source_image": source,
        "seed": 1,
        "model": model,
    }


# -- what passes the border ------------------------------------------------------------------------------------------

BROKEN = [
    RuntimeError("CUDA error: device-side assert triggered\nCUDA kernel errors might be reported elsewhere"),
    RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
    RuntimeError("CUBLAS_STATUS_EXECUTION_FAILED when calling cublasGemmEx"),
    RuntimeError("HIP error: the operation cannot be performed in the present state"),
    DeviceBroken("CUDA_VISIBLE_DEVICES=3, and torch sees no GPU there"),
]

WHOLE = [
    OutOfMemory("CUDA out of memory. Tried to allocate 20.00 MiB"),
    RuntimeError("CUDA error: out of memory"),
    RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"),
    RuntimeError("cuDNN error: CUDNN_STATUS_NOT_SUPPORTED"),
    RuntimeError("mat1 and mat2 shapes cannot be multiplied"),
    ValueError("CUDA error: as some text says"),
]


@pytest.mark.parametrize("error", BROKEN, ids=str)
def test_a_broken_device_is_no_outcome_of_the_job(images: ImageStore, error: Exception) -> None:
    source = images.put(png())

    with pytest.raises(DeviceBroken):
        perform_edit(edit_claim(source), images, Hosting(Raising(error)))
    with pytest.raises(DeviceBroken):
        perform_scores(score_claims(images, "a", "b"), images, Hosting(Raising(error)))


@pytest.mark.parametrize("error", BROKEN, ids=str)
def test_a_device_that_breaks_while_a_model_is_loaded_is_broken(images: ImageStore, error: Exception) -> None:
    cannot_load = CannotLoad("editor 'x' could not be loaded")
    cannot_load.__cause__ = error

    with pytest.raises(DeviceBroken):
        perform_edit(edit_claim(images.put(png())), images, Hosting(cannot_load))


@pytest.mark.parametrize("error", WHOLE, ids=str)
def test_an_error_that_leaves_the_device_whole_is_the_jobs_own(images: ImageStore, error: Exception) -> None:
    assert isinstance(perform_edit(edit_claim(images.put(png())), images, Hosting(Raising(error))), Failure)


def test_a_batch_on_a_broken_device_is_not_halved(images: ImageStore) -> None:
    class Breaking(Answering):
        def score(self, batch: Sequence[ScoreRequest]) -> list[Rating | ModelFault]:
            self.batches.append(len(batch))
            raise BROKEN[0]

    scorer = Breaking({})
    with pytest.raises(DeviceBroken):
        perform_scores(score_claims(images, *"abcd"), images, Hosting(scorer))
    assert scorer.batches == [4]


def test_a_job_that_is_not_wanted_any_more_ends_at_its_next_step(images: ImageStore) -> None:
    def on_step(_step: int, _steps: int) -> None:
        raise Withdrawn

    with pytest.raises(Withdrawn):
        perform_edit(edit_claim(images.put(png())), images, Hosting(Inverter()), on_step)


def test_a_batch_that_is_not_wanted_any_more_ends_too(images: ImageStore) -> None:
    class Progressing(Answering):
        def score(self, batch: Sequence[ScoreRequest]) -> list[Rating | ModelFault]:
            batch[0].on_progress()
            return super().score(batch)

    def on_progress() -> None:
        raise Withdrawn

    with pytest.raises(Withdrawn):
        perform_scores(score_claims(images, "a", "b"), images, Hosting(Progressing({})), on_progress)


def test_a_store_that_is_gone_for_a_while_costs_neither_the_source_nor_the_finished_image(images: ImageStore) -> None:
    waited: list[str] = []

    class Flaky(ImageStore):
        def put(self, content: bytes) -> str:
            if len(waited) < 2:
                raise OSError(28, "No space left on device")
            return super().put(content)

        def get(self, digest: str) -> bytes:
            if not waited:
                raise OSError(5, "Input/output error")
            return super().get(digest)

    edits: list[str] = []

    class Counting(Inverter):
        def edit(self, request: EditRequest) -> EditedImage:
            edits.append(request.key)
            return super().edit(request)

    source = images.put(png())
    outlast = Outages(wait=waited.append, sleep=lambda _seconds: None).outlast
    outcome = perform_edit(edit_claim(source), Flaky(images.folder), Hosting(Counting()), outlast=outlast)

    assert isinstance(outcome, Edited)
    assert waited == ["waiting for the image store"] * 2
    assert edits == ["p-1"]


def test_an_edited_image_is_in_the_store_before_the_outcome_names_it(images: ImageStore) -> None:
    source = images.put(png(3, 2, "black"))

    outcome = perform_edit(edit_claim(source), images, Hosting(Inverter()))

    assert isinstance(outcome, Edited)
    assert (outcome.detail, outcome.facts) == ({"steps": 1}, {"device": "test"})
    stored = decode_image(images.get(outcome.image))
    assert (stored.size, stored.getpixel((0, 0))) == ((3, 2), (255, 255, 255))


@pytest.mark.parametrize(
    ("error", "kind", "again"),
    [
        (InputFault("unknown instruction"), FailureKind.INPUT, False),
        (OutOfMemory("too big"), FailureKind.OUT_OF_MEMORY, False),
        (ModelFault("no image came out"), FailureKind.MODEL, False),
        (CannotLoad("weights are missing"), FailureKind.MODEL, True),
        (CannotLoad("takes no size", may_pass=False), FailureKind.MODEL, False),
        (Refused("the safety checker withheld it"), FailureKind.REFUSED, False),
        (Unparsed("no score"), FailureKind.UNPARSED, False),
        (ServiceFault("503"), FailureKind.SERVICE, True),
        (OSError(28, "No space left on device"), FailureKind.STORE, True),
        (ZeroDivisionError("division by zero"), FailureKind.ERROR, False),
    ],
)
def test_whatever_an_edit_raises_becomes_a_failure_with_its_kind(
    images: ImageStore, error: Exception, kind: FailureKind, again: bool
) -> None:
    source = images.put(png())

    outcome = perform_edit(
        edit_claim(source), images, Hosting(error if isinstance(error, CannotLoad) else Raising(error))
    )

    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.again) == (kind, again)
    assert str(error) in outcome.reason


def test_denoising_steps_are_told(images: ImageStore) -> None:
    steps: list[tuple[int, int]] = []

    perform_edit(edit_claim(images.put(png())), images, Hosting(Inverter()), lambda *step: steps.append(step))

    assert steps == [(1, 1)]


def test_the_same_pixels_are_stored_as_the_same_bytes(images: ImageStore) -> None:
    claim = edit_claim(images.put(png(3, 2, "black")))

    first, again = (perform_edit(claim, images, Hosting(Inverter())) for _ in range(2))

    assert isinstance(first, Edited) and isinstance(again, Edited)
    assert first.image == again.image


def test_a_transparent_edit_is_stored_as_it_looks_on_white(images: ImageStore) -> None:
    class Transparent:
        def edit(self, request: EditRequest) -> EditedImage:
            return EditedImage(Image.new("RGBA", (2, 2), (255, 0, 0, 0)))

    outcome = perform_edit(edit_claim(images.put(png())), images, Hosting(Transparent()))

    assert isinstance(outcome, Edited)
    assert decode_image(images.get(outcome.image)).getpixel((0, 0)) == (255, 255, 255)


def test_a_judges_unreadable_reply_is_kept_with_the_failure(images: ImageStore) -> None:
    scorer = Answering({"a": Unparsed("names no score", {"reply": "I like it\0"})})

    (outcome,) = perform_scores(score_claims(images, "a"), images, Hosting(scorer))

    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.detail) == (FailureKind.UNPARSED, {"reply": "I like it"})


def test_a_source_that_is_gone_or_no_image_is_a_failure(images: ImageStore) -> None:
    gone = perform_edit(edit_claim(digest_of(b"never stored")), images, Hosting(Inverter()))
    junk = perform_edit(edit_claim(images.put(b"not an image")), images, Hosting(Inverter()))

    assert isinstance(gone, Failure) and gone.kind is FailureKind.STORE
    assert isinstance(junk, Failure) and junk.kind is FailureKind.INPUT


def test_an_editor_that_returns_no_image_has_failed(images: ImageStore) -> None:
    class Forgetful:
        def edit(self, request: EditRequest) -> Any:
            return None

    outcome = perform_edit(edit_claim(images.put(png())), images, Hosting(Forgetful()))

    assert isinstance(outcome, Failure) and outcome.kind is FailureKind.MODEL


def test_each_score_of_a_batch_has_its_own_outcome(images: ImageStore) -> None:
    scorer = Answering({"a": Rating(7.5), "b": InputFault("no reference"), "c": Rating(0.0)})

    outcomes = perform_scores(score_claims(images, "a", "b", "c"), images, Hosting(scorer))

    assert [outcome.value if isinstance(outcome, Scored) else outcome.kind for outcome in outcomes] == [
        7.5,
        FailureKind.INPUT,
        0.0,
    ]
    assert scorer.batches == [3]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.1, 10.01])
def test_a_value_that_is_no_score_from_0_to_10_is_a_failure_and_never_a_number(
    images: ImageStore, value: float
) -> None:
    (outcome,) = perform_scores(score_claims(images, "a"), images, Hosting(Answering({"a": Rating(value)})))

    assert isinstance(outcome, Failure) and outcome.kind is FailureKind.MODEL


def test_a_batch_too_big_for_memory_is_halved_until_it_fits(images: ImageStore) -> None:
    scorer = Answering({key: Rating(5.0) for key in "abcde"}, memory=2)

    outcomes = perform_scores(score_claims(images, *"abcde"), images, Hosting(scorer))

    assert all(isinstance(outcome, Scored) for outcome in outcomes)
    assert scorer.batches == [5, 2, 3, 1, 2]


def test_a_failed_batch_is_gone_from_memory_when_its_halves_are_tried(images: ImageStore) -> None:
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

    perform_scores(score_claims(images, *"abcdefgh"), images, Hosting(Exhausted()))

    assert set(alive) == {0}


def test_a_single_score_too_big_for_memory_fails_alone(images: ImageStore) -> None:
    (outcome,) = perform_scores(score_claims(images, "a"), images, Hosting(Answering({}, memory=0)))

    assert isinstance(outcome, Failure) and outcome.kind is FailureKind.OUT_OF_MEMORY


def test_one_unreadable_image_does_not_fail_its_batch(images: ImageStore) -> None:
    claims = score_claims(images, "a", "b")
    images.path(claims[0].edited_image).unlink()
    good = images.put(png(colour="red"))
    claims[1] = ScoreClaim(**{**vars(claims[1]), "source_image": good, "edited_image": good})

    outcomes = perform_scores(claims, images, Hosting(Answering({"b": Rating(3.0)})))

    assert isinstance(outcomes[0], Failure) and outcomes[0].kind is FailureKind.STORE
    assert isinstance(outcomes[1], Scored)


def test_a_scorer_that_answers_too_few_requests_is_asked_about_each_alone(images: ImageStore) -> None:
    class Lossy:
        def score(self, batch: Sequence[ScoreRequest]) -> list[Rating]:
            return [Rating(float(batch[0].key))]

    outcomes = perform_scores(score_claims(images, "1", "2", "3"), images, Hosting(Lossy()))

    assert [outcome.value for outcome in outcomes if isinstance(outcome, Scored)] == [1.0, 2.0, 3.0]


def test_a_scorer_that_gives_no_answer_at_all_has_failed_each(images: ImageStore) -> None:
    class Mute:
        def score(self, batch: Sequence[ScoreRequest]) -> list[Rating]:
            return []

    outcomes = perform_scores(score_claims(images, "a", "b"), images, Hosting(Mute()))

    assert [outcome.kind for outcome in outcomes if isinstance(outcome, Failure)] == [FailureKind.MODEL] * 2


def test_a_request_at_which_the_scorer_raises_does_not_fail_its_batch(images: ImageStore) -> None:
    class Touchy:
        def score(self, batch: Sequence[ScoreRequest]) -> list[Rating]:
            if any(request.key == "b" for request in batch):
                raise RuntimeError("b is beyond me")
            return [Rating(5.0) for _ in batch]

    outcomes = perform_scores(score_claims(images, *"abcd"), images, Hosting(Touchy()))

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
def test_an_answer_that_is_no_rating_fails_alone_and_is_not_asked_for_again(images: ImageStore, answer: Any) -> None:
    scorer = Answering({"a": Rating(5.0), "b": answer, "c": Rating(6.0)})

    outcomes = perform_scores(score_claims(images, *"abc"), images, Hosting(scorer))

    assert [isinstance(outcome, Scored) for outcome in outcomes] == [True, False, True]
    assert scorer.batches == [3]


def test_a_scorer_may_answer_with_numpys_numbers(images: ImageStore) -> None:
    import numpy

    answers = {"a": Rating(numpy.float32(7.5)), "b": Rating(numpy.int64(3))}

    outcomes = perform_scores(score_claims(images, *"ab"), images, Hosting(Answering(answers)))

    assert [outcome.value for outcome in outcomes if isinstance(outcome, Scored)] == [7.5, 3.0]


def test_what_no_database_holds_is_left_out_of_a_detail(images: ImageStore) -> None:
    said = {"reason": "so\0 \ud800 so", "steps": [{"a\0": "literally \\u0000"}], "passes": 2}

    (outcome,) = perform_scores(score_claims(images, "a"), images, Hosting(Answering({"a": Rating(5.0, said)})))

    assert isinstance(outcome, Scored)
    assert outcome.detail == {"reason": "so ? so", "steps": [{"a": "literally \\u0000"}], "passes": 2}


def test_what_no_database_holds_is_left_out_of_a_reason(images: ImageStore) -> None:
    outcome = perform_edit(edit_claim(images.put(png())), images, Hosting(Raising(ModelFault("no\0 \udfff"))))

    assert isinstance(outcome, Failure) and outcome.reason == "no ?"
