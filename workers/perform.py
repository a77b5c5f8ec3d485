"""Doing one job: from a claim to its outcome, knowing nothing of Celery or the ledger.

The border at which whatever a job may raise becomes a failure with a kind and a reason; nothing below swallows any.
Two things pass it: DeviceBroken, after which nothing more can be done here, and Withdrawn, when nobody wants the job.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from numbers import Real

import structlog
from PIL import Image

from db.decode import decode_image, to_rgb
from db.errors import ImageFault, first_line
from db.images import ImageMissing, ImageStore
from db.jobs import Claim, EditClaim, Failure, ScoreClaim
from db.tables import FailureKind
from workers.models.errors import (
    InputFault,
    ModelFault,
    OutOfMemory,
    Refused,
    ServiceFault,
    Unparsed,
    broken_device,
)
from workers.models.protocols import (
    EditedImage,
    EditRequest,
    OnProgress,
    OnStep,
    Rating,
    Scorer,
    ScoreRequest,
    unobserved,
    unwatched,
)
from workers.outages import Outlast, at_once
from workers.resident import CannotLoad, Resident

log = structlog.get_logger()

LONGEST_REASON = 2000
"""Characters of a failure's reason that are kept."""

_STORE = "the image store"

PNG_COMPRESSION = 1
"""zlib's fastest level: lossless all the same, and a megapixel takes a fifth of the time of the default."""


@dataclass(frozen=True)
class Edited:
    """An edit that was made; `image` is the digest of the stored PNG, `seconds` the model's own time.

    `detail` is what the editor said besides, `facts` what machine, software and model it came about on.
    """

    image: str
    seconds: float
    detail: Mapping[str, object] = field(default_factory=dict)
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Scored:
    """A score that was given; `seconds` is this score's share of its batch, the rest as in `Edited`."""

    value: float
    seconds: float
    detail: Mapping[str, object] = field(default_factory=dict)
    facts: Mapping[str, object] = field(default_factory=dict)


def perform_edit(
    claim: EditClaim,
    images: ImageStore,
    resident: Resident,
    on_step: OnStep = unobserved,
    outlast: Outlast = at_once,
) -> Edited | Failure:
    """Make the edit and store its image; `on_step` is told after each denoising step.

    A store that cannot be read or written for a while is waited for, the finished image in hand. Raises DeviceBroken,
    and whatever `on_step` raises that is no Exception.
    """
    try:
        source = decode_image(outlast(_STORE, lambda: images.get(claim.source_image)))
        editor = resident.editor(claim.model)
        request = EditRequest(claim.key, claim.instruction, source, claim.seed, on_step)
        started = time.perf_counter()
        edited = editor.edit(request)
        seconds = time.perf_counter() - started
        if not isinstance(edited, EditedImage) or not isinstance(edited.image, Image.Image):
            raise ModelFault("the editor gave something that is not an image")
        detail, png = _storable(edited.detail), _as_png(edited.image)
        return Edited(outlast(_STORE, lambda: images.put(png)), seconds, detail, resident.facts())
    except Exception as error:  # noqa: BLE001 - the border: every fault of a job is an outcome of that job
        return _failure(error, claim)


def perform_scores(
    claims: Sequence[ScoreClaim],
    images: ImageStore,
    resident: Resident,
    on_progress: OnProgress = unwatched,
    outlast: Outlast = at_once,
) -> list[Scored | Failure]:
    """Give the scores in one batch, or in ever smaller ones where that fails; return an outcome for each claim.

    `on_progress` is called whenever the scorer got a little further. Raises as `perform_edit` does.
    """
    outcomes: dict[int, Scored | Failure] = {}
    requests: dict[int, ScoreRequest] = {}
    for claim in claims:
        try:
            requests[claim.job_id] = _score_request(claim, partial(_decoded, images, outlast), on_progress)
        except Exception as error:  # noqa: BLE001 - one unreadable image must not fail its batch
            outcomes[claim.job_id] = _failure(error, claim)
    readable = [claim for claim in claims if claim.job_id in requests]
    try:
        scorer = resident.scorer(claims[0].model)
    except Exception as error:  # noqa: BLE001 - the border, as above
        return [_failure(error, claim) for claim in claims]
    facts = resident.facts()
    for job_id, outcome in _score_batch(scorer, readable, requests).items():
        outcomes[job_id] = replace(outcome, facts=facts) if isinstance(outcome, Scored) else outcome
    return [outcomes[claim.job_id] for claim in claims]


def _score_batch(
    scorer: Scorer, claims: Sequence[ScoreClaim], requests: Mapping[int, ScoreRequest]
) -> dict[int, Scored | Failure]:
    """Score the claims in one call; where that fails, in two calls of half as many, so that no one fails another."""
    if not claims:
        return {}
    started = time.perf_counter()
    try:
        answers = scorer.score([requests[claim.job_id] for claim in claims])
        if len(answers) != len(claims):
            raise ModelFault(f"the scorer gave {len(answers)} answers to {len(claims)} requests")
        seconds = (time.perf_counter() - started) / len(claims)
        return {claim.job_id: _outcome(answer, claim, seconds) for claim, answer in zip(claims, answers, strict=True)}
    except Exception as error:  # noqa: BLE001 - the border, as above
        _refuse_broken_device(error)
        if len(claims) == 1:
            return {claims[0].job_id: _failure(error, claims[0])}
        log.warning("batch.halved", scores=len(claims), reason=first_line(error))
    half = len(claims) // 2  # not within the except: there the failed batch's tensors are still held
    return _score_batch(scorer, claims[:half], requests) | _score_batch(scorer, claims[half:], requests)


def _outcome(answer: Rating | ModelFault, claim: ScoreClaim, seconds: float) -> Scored | Failure:
    try:
        return _scored(answer, seconds)
    except Exception as error:  # noqa: BLE001 - the border: one odd answer must not fail its batch
        return _failure(error, claim)


def _scored(answer: Rating | ModelFault, seconds: float) -> Scored:
    if isinstance(answer, ModelFault):
        raise answer
    if not isinstance(answer, Rating):
        raise ModelFault(f"the scorer gave {answer!r} in place of a Rating")
    if not isinstance(answer.value, Real) or not 0 <= answer.value <= 10:
        raise ModelFault(f"the scorer gave {answer.value!r}, which is no score from 0 to 10")
    return Scored(value=float(answer.value), seconds=seconds, detail=_storable(answer.detail))


def _storable(detail: Mapping[str, object]) -> Mapping[str, object]:
    """Return the detail as every database stores it. Raises ModelFault for what is not JSON."""
    plain = {_plain(str(key)): _plain_within(value) for key, value in detail.items()}
    try:
        json.dumps(plain, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ModelFault(f"the model's detail cannot be stored: {error}") from error
    return plain


def _plain_within(value: object) -> object:
    match value:
        case str():
            return _plain(value)
        case Mapping():
            return {_plain(str(key)): _plain_within(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain_within(item) for item in value]
        case _:
            return value


def _decoded(images: ImageStore, outlast: Outlast, digest: str) -> Image.Image:
    return decode_image(outlast(_STORE, lambda: images.get(digest)))


def _score_request(claim: ScoreClaim, decoded: Callable[[str], Image.Image], on_progress: OnProgress) -> ScoreRequest:
    reference = claim.reference_image
    return ScoreRequest(
        key=claim.key,
        category=claim.category,
        instruction=claim.instruction,
        description=claim.description,
        source=decoded(claim.source_image),
        edited=decoded(claim.edited_image),
        reference=decoded(reference) if reference else None,
        seed=claim.seed,
        on_progress=on_progress,
    )


def _as_png(image: Image.Image) -> bytes:
    if 0 in image.size:
        raise ModelFault(f"the editor gave an image of {image.width} x {image.height} pixels")
    buffer = io.BytesIO()
    to_rgb(image).save(buffer, "PNG", compress_level=PNG_COMPRESSION)
    return buffer.getvalue()


_KINDS: tuple[tuple[type[Exception], FailureKind, bool], ...] = (
    (InputFault, FailureKind.INPUT, False),
    (ImageFault, FailureKind.INPUT, False),
    (OutOfMemory, FailureKind.OUT_OF_MEMORY, False),
    (MemoryError, FailureKind.OUT_OF_MEMORY, False),
    (Unparsed, FailureKind.UNPARSED, False),
    (Refused, FailureKind.REFUSED, False),
    (ServiceFault, FailureKind.SERVICE, True),
    (ModelFault, FailureKind.MODEL, False),
    (ImageMissing, FailureKind.STORE, True),
    (OSError, FailureKind.STORE, True),
)
"""What each fault is called, the particular before the general, and whether it may pass by itself."""


def _failure(error: Exception, claim: Claim) -> Failure:
    """Name the kind of a fault. What may pass is tried again; an unexpected exception is logged with its traceback."""
    _refuse_broken_device(error)
    reason = _plain(str(error).strip() or type(error).__name__)[:LONGEST_REASON]
    if isinstance(error, CannotLoad):
        return Failure(FailureKind.MODEL, reason, again=error.may_pass)
    for kind_of_error, kind, again in _KINDS:
        if isinstance(error, kind_of_error):
            return Failure(kind, reason, again, detail=_detail_of(error))
    log.error(f"{claim.stage}.error", id=claim.job_id, run=claim.run_id, sample=claim.key, exc_info=error)
    return Failure(FailureKind.ERROR, f"{type(error).__name__}: {reason}")


def _refuse_broken_device(error: Exception) -> None:
    if (broken := broken_device(error)) is not None:
        raise broken from error


def _detail_of(error: Exception) -> Mapping[str, object]:
    try:
        return _storable(error.detail) if isinstance(error, ModelFault) else {}
    except ModelFault:
        return {}  # the reason stands without it


def _plain(text: str) -> str:
    """Return the text without what PostgreSQL or UTF-8 cannot hold: NULs, and halves of surrogate pairs."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()
