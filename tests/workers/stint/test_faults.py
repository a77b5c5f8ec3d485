"""The border at which whatever a job may raise becomes a failure with its kind, and what passes it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from db.images import FolderStore
from db.jobs import Failure
from db.tables import FailureKind
from tests.factories import png
from tests.workers.steps import Answering, Hosting, Inverter, Raising, edit_claim, made, score_claims, scored
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
from workers.models.protocols import Rating, ScoreRequest
from workers.resident import CannotLoad
from workers.stint.perform import Scored

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
def test_a_broken_device_is_no_outcome_of_the_job(images: FolderStore, error: Exception) -> None:
    source = images.put(png())

    with pytest.raises(DeviceBroken):
        made(edit_claim(source), images, Hosting(Raising(error)))
    with pytest.raises(DeviceBroken):
        scored(score_claims(images, "a", "b"), images, Hosting(Raising(error)))


@pytest.mark.parametrize("error", BROKEN, ids=str)
def test_a_device_that_breaks_while_a_model_is_loaded_is_broken(images: FolderStore, error: Exception) -> None:
    cannot_load = CannotLoad("editor 'x' could not be loaded")
    cannot_load.__cause__ = error

    with pytest.raises(DeviceBroken):
        made(edit_claim(images.put(png())), images, Hosting(cannot_load))


@pytest.mark.parametrize("error", WHOLE, ids=str)
def test_an_error_that_leaves_the_device_whole_is_the_jobs_own(images: FolderStore, error: Exception) -> None:
    assert isinstance(made(edit_claim(images.put(png())), images, Hosting(Raising(error))), Failure)


def test_a_batch_on_a_broken_device_is_not_halved(images: FolderStore) -> None:
    class Breaking(Answering):
        def score(self, batch: Sequence[ScoreRequest]) -> list[Rating | ModelFault]:
            self.batches.append(len(batch))
            raise BROKEN[0]

    scorer = Breaking({})
    with pytest.raises(DeviceBroken):
        scored(score_claims(images, *"abcd"), images, Hosting(scorer))
    assert scorer.batches == [4]


def test_a_job_that_is_not_wanted_any_more_ends_at_its_next_step(images: FolderStore) -> None:
    def on_step(_step: int, _steps: int) -> None:
        raise Withdrawn

    with pytest.raises(Withdrawn):
        made(edit_claim(images.put(png())), images, Hosting(Inverter()), on_step)


def test_a_batch_that_is_not_wanted_any_more_ends_too(images: FolderStore) -> None:
    class Progressing(Answering):
        def score(self, batch: Sequence[ScoreRequest]) -> list[Rating | ModelFault]:
            batch[0].on_progress()
            return super().score(batch)

    def on_progress() -> None:
        raise Withdrawn

    with pytest.raises(Withdrawn):
        scored(score_claims(images, "a", "b"), images, Hosting(Progressing({})), on_progress)


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
    images: FolderStore, error: Exception, kind: FailureKind, again: bool
) -> None:
    source = images.put(png())

    outcome = made(edit_claim(source), images, Hosting(error if isinstance(error, CannotLoad) else Raising(error)))

    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.again) == (kind, again)
    assert str(error) in outcome.reason


def test_a_judges_unreadable_reply_is_kept_with_the_failure(images: FolderStore) -> None:
    scorer = Answering({"a": Unparsed("names no score", {"reply": "I like it\0"})})

    (outcome,) = scored(score_claims(images, "a"), images, Hosting(scorer))

    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.detail) == (FailureKind.UNPARSED, {"reply": "I like it"})


def test_what_no_database_holds_is_left_out_of_a_detail(images: FolderStore) -> None:
    said = {"reason": "so\0 \ud800 so", "steps": [{"a\0": "literally \\u0000"}], "passes": 2}

    (outcome,) = scored(score_claims(images, "a"), images, Hosting(Answering({"a": Rating(5.0, said)})))

    assert isinstance(outcome, Scored)
    assert outcome.detail == {"reason": "so ? so", "steps": [{"a": "literally \\u0000"}], "passes": 2}


def test_what_no_database_holds_is_left_out_of_a_reason(images: FolderStore) -> None:
    outcome = made(edit_claim(images.put(png())), images, Hosting(Raising(ModelFault("no\0 \udfff"))))

    assert isinstance(outcome, Failure) and outcome.reason == "no ?"


@pytest.mark.parametrize(
    ("error", "level"),
    [(InputFault("no reference"), "debug"), (CannotLoad("no weights"), "debug"), (ValueError("a bug"), "error")],
    ids=["a known fault", "a model that cannot be loaded", "a bug"],
)
def test_what_was_raised_is_logged_with_its_traceback_a_known_fault_only_for_who_wants_all(
    images: FolderStore, error: Exception, level: str
) -> None:
    with capture_logs() as logged:
        made(edit_claim(images.put(png())), images, Hosting(Raising(error)))

    assert [(one["event"], one["log_level"], one["exc_info"]) for one in logged] == [("edit.error", level, error)]
