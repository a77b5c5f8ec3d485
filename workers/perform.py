"""Doing one job: from a claim to its outcome, knowing nothing of Celery or the ledger.

The border at which whatever a job may raise becomes a failure with a kind and a reason; nothing below swallows any.
"""

from __future__ import annotations

import io
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import structlog
from PIL import Image

from db.decode import decode_image
from db.errors import ImageFault
from db.images import ImageMissing, ImageStore
from db.jobs import Claim, EditClaim, Failure, ScoreClaim
from db.tables import FailureKind
from workers.models.errors import InputFault, ModelFault, OutOfMemory
from workers.models.protocols import EditRequest, Rating, Scorer, ScoreRequest
from workers.resident import CannotLoad, Resident

log = structlog.get_logger()

PNG_COMPRESSION = 1
"""zlib's fastest level: lossless all the same, and a megapixel takes a fifth of the time of the default."""


@dataclass(frozen=True)
class Edited:
    """An edit that was made; `image` is the digest of the stored PNG, `seconds` the model's own time."""

    image: str
    seconds: float
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Scored:
    """A score that was given; `seconds` is this score's share of its batch."""

    value: float
    seconds: float
    detail: Mapping[str, object] = field(default_factory=dict)


def perform_edit(claim: EditClaim, images: ImageStore, resident: Resident) -> Edited | Failure:
    """Make the edit and store its image."""
    try:
        source = decode_image(images.get(claim.source_image))
        editor = resident.editor(claim.model)
        request = EditRequest(key=claim.key, instruction=claim.instruction, source=source, seed=claim.seed)
        started = time.perf_counter()
        edited = editor.edit(request)
        seconds = time.perf_counter() - started
        return Edited(image=images.put(_as_png(edited)), seconds=seconds)
    except Exception as error:  # noqa: BLE001 - the border: every fault of a job is an outcome of that job
        return _failure(error, claim)


def perform_scores(claims: Sequence[ScoreClaim], images: ImageStore, resident: Resident) -> list[Scored | Failure]:
    """Give the scores in one batch, in halves where memory does not suffice; return an outcome for each claim."""
    outcomes: dict[int, Scored | Failure] = {}
    requests: dict[int, ScoreRequest] = {}
    for claim in claims:
        try:
            requests[claim.job_id] = _score_request(claim, images)
        except Exception as error:  # noqa: BLE001 - one unreadable image must not fail its batch
            outcomes[claim.job_id] = _failure(error, claim)
    readable = [claim for claim in claims if claim.job_id in requests]
    try:
        scorer = resident.scorer(claims[0].model)
    except CannotLoad as error:
        return [_failure(error, claim) for claim in claims]
    outcomes.update(_score_batch(scorer, readable, requests))
    return [outcomes[claim.job_id] for claim in claims]


def _score_batch(
    scorer: Scorer, claims: Sequence[ScoreClaim], requests: Mapping[int, ScoreRequest]
) -> dict[int, Scored | Failure]:
    if not claims:
        return {}
    started = time.perf_counter()
    try:
        answers = scorer.score([requests[claim.job_id] for claim in claims])
        if len(answers) != len(claims):
            raise ModelFault(f"the scorer gave {len(answers)} answers to {len(claims)} requests")
    except (OutOfMemory, MemoryError) as error:
        if len(claims) == 1:
            return {claims[0].job_id: _failure(error, claims[0])}
        half = len(claims) // 2
        log.warning("batch.halved", scores=len(claims), reason=str(error))
        return _score_batch(scorer, claims[:half], requests) | _score_batch(scorer, claims[half:], requests)
    except Exception as error:  # noqa: BLE001 - the border, as above
        return {claim.job_id: _failure(error, claim) for claim in claims}
    seconds = (time.perf_counter() - started) / len(claims)
    return {claim.job_id: _outcome(answer, claim, seconds) for claim, answer in zip(claims, answers, strict=True)}


def _outcome(answer: Rating | ModelFault, claim: ScoreClaim, seconds: float) -> Scored | Failure:
    if isinstance(answer, ModelFault):
        return _failure(answer, claim)
    if not (math.isfinite(answer.value) and 0 <= answer.value <= 10):
        return Failure(FailureKind.MODEL, f"the scorer gave {answer.value!r}, which is not a score from 0 to 10")
    return Scored(value=float(answer.value), seconds=seconds, detail=answer.detail)


def _score_request(claim: ScoreClaim, images: ImageStore) -> ScoreRequest:
    reference = claim.reference_image
    return ScoreRequest(
        key=claim.key,
        instruction=claim.instruction,
        source=decode_image(images.get(claim.source_image)),
        edited=decode_image(images.get(claim.edited_image)),
        reference=decode_image(images.get(reference)) if reference else None,
        seed=claim.seed,
    )


def _as_png(image: Image.Image) -> bytes:
    if not isinstance(image, Image.Image) or 0 in image.size:
        raise ModelFault("the editor gave something that is not an image")
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "PNG", compress_level=PNG_COMPRESSION)
    return buffer.getvalue()


def _failure(error: Exception, claim: Claim) -> Failure:
    """Name the kind of a fault. What may pass is tried again; an unexpected exception is logged with its traceback."""
    match error:
        case InputFault() | ImageFault():
            return Failure(FailureKind.INPUT, str(error))
        case OutOfMemory() | MemoryError():
            return Failure(FailureKind.OUT_OF_MEMORY, str(error) or "the host has not enough memory")
        case CannotLoad():
            return Failure(FailureKind.MODEL, str(error), again=True)
        case ModelFault():
            return Failure(FailureKind.MODEL, str(error))
        case ImageMissing() | OSError():
            return Failure(FailureKind.STORE, str(error), again=True)
        case _:
            log.error(f"{claim.stage}.error", id=claim.job_id, run=claim.run_id, sample=claim.key, exc_info=error)
            return Failure(FailureKind.ERROR, f"{type(error).__name__}: {error}")
