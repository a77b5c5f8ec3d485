"""Doing one job on the GPU: from what was read for it to what came of it, knowing nothing of Celery, ledger or store.

Whatever is raised on the way is an outcome of the job (`workers.stint.faults`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Real

import structlog
from PIL import Image

from db.errors import first_line
from db.jobs import EditClaim, Failure, ScoreClaim
from db.rubric import Scale, scale_in
from workers.models.errors import ModelFault, OutOfMemory
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
from workers.resident import Resident
from workers.stint.batch_sizes import BatchSizes
from workers.stint.faults import failure_of, refuse_broken_device, storable

log = structlog.get_logger()


@dataclass(frozen=True)
class Made:
    """An edited image, not yet stored; `seconds` is the model's own time.

    `detail` is what the editor said besides, `facts` what machine, software and model it came about on.
    """

    image: Image.Image
    seconds: float
    detail: Mapping[str, object] = field(default_factory=dict)
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Scored:
    """A score that was given; `seconds` is this score's share of its batch, the rest as in `Made`."""

    value: float
    seconds: float
    detail: Mapping[str, object] = field(default_factory=dict)
    facts: Mapping[str, object] = field(default_factory=dict)


def make_edit(
    claim: EditClaim, request: EditRequest | Failure, resident: Resident, on_step: OnStep = unobserved
) -> Made | Failure:
    """Make the edit; `on_step` is told after each denoising step.

    Raises DeviceBroken, and whatever `on_step` raises that is no Exception.
    """
    if isinstance(request, Failure):
        return request
    try:
        editor = resident.editor(claim.model)
        started = time.perf_counter()
        edited = editor.edit(replace(request, on_step=on_step))
        seconds = time.perf_counter() - started
        if not isinstance(edited, EditedImage) or not isinstance(edited.image, Image.Image):
            raise ModelFault("the editor gave something that is not an image")
        if 0 in edited.image.size:
            raise ModelFault(f"the editor gave an image of {edited.image.width} x {edited.image.height} pixels")
        return Made(edited.image, seconds, storable(edited.detail), resident.facts())
    except Exception as error:  # noqa: BLE001 - the border: every fault of a job is an outcome of that job
        return failure_of(error, claim)


def give_scores(
    claims: Sequence[ScoreClaim],
    requests: Sequence[ScoreRequest | Failure],
    resident: Resident,
    on_progress: OnProgress = unwatched,
    sizes: BatchSizes | None = None,
) -> list[Scored | Failure]:
    """Give the scores in one batch, or in ever smaller ones where that fails; return an outcome for each claim.

    `on_progress` is called whenever the scorer got a little further; `sizes` learns what the memory holds. Raises as
    `make_edit` does.
    """
    outcomes: dict[int, Scored | Failure] = {}
    readable: dict[int, ScoreRequest] = {}
    for claim, request in zip(claims, requests, strict=True):
        if isinstance(request, Failure):
            outcomes[claim.job_id] = request
        else:
            readable[claim.job_id] = replace(request, on_progress=on_progress)
    try:
        scorer = resident.scorer(claims[0].model)
    except Exception as error:  # noqa: BLE001 - the border, as above
        return [failure_of(error, claim) for claim in claims]
    facts = resident.facts()
    batch = _Batch(scorer, readable, sizes or BatchSizes())
    for job_id, outcome in batch.score([claim for claim in claims if claim.job_id in readable]).items():
        outcomes[job_id] = replace(outcome, facts=facts) if isinstance(outcome, Scored) else outcome
    return [outcomes[claim.job_id] for claim in claims]


@dataclass(frozen=True)
class _Batch:
    scorer: Scorer
    requests: Mapping[int, ScoreRequest]
    sizes: BatchSizes

    def score(self, claims: Sequence[ScoreClaim]) -> dict[int, Scored | Failure]:
        """Score the claims in one call; where that fails, in two calls of half as many: no one fails another."""
        if not claims:
            return {}
        started = time.perf_counter()
        try:
            answers = self.scorer.score([self.requests[claim.job_id] for claim in claims])
            if len(answers) != len(claims):
                raise ModelFault(f"the scorer gave {len(answers)} answers to {len(claims)} requests")
            seconds = (time.perf_counter() - started) / len(claims)
            self.sizes.passed(claims[0].model, len(claims))
            return {
                claim.job_id: _outcome(answer, claim, seconds) for claim, answer in zip(claims, answers, strict=True)
            }
        except Exception as error:  # noqa: BLE001 - the border, as above
            refuse_broken_device(error)
            if isinstance(error, OutOfMemory):
                self.sizes.too_large(claims[0].model, len(claims))
            if len(claims) == 1:
                return {claims[0].job_id: failure_of(error, claims[0])}
            log.warning("batch.halved", scores=len(claims), reason=first_line(error))
        half = len(claims) // 2  # not within the except: there the failed batch's tensors are still held
        return self.score(claims[:half]) | self.score(claims[half:])


def _outcome(answer: Rating | ModelFault, claim: ScoreClaim, seconds: float) -> Scored | Failure:
    try:
        return _scored(answer, seconds, scale_in(claim.model.options))
    except Exception as error:  # noqa: BLE001 - the border: one odd answer must not fail its batch
        return failure_of(error, claim)


def _scored(answer: Rating | ModelFault, seconds: float, scale: Scale) -> Scored:
    if isinstance(answer, ModelFault):
        raise answer
    if not isinstance(answer, Rating):
        raise ModelFault(f"the scorer gave {answer!r} in place of a Rating")
    least, most = scale
    if not isinstance(answer.value, Real) or not least <= answer.value <= most:
        raise ModelFault(f"the scorer gave {answer.value!r}, which is no score from {least:g} to {most:g}")
    return Scored(value=float(answer.value), seconds=seconds, detail=storable(answer.detail))
